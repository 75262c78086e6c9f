// "Did you mean": the known name that is fewest edits away.
#ifndef FABRIC_NEAREST_H_
#define FABRIC_NEAREST_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace fabric {

// `known` must not be empty.
absl::string_view Nearest(absl::string_view name, absl::Span<const std::string> known);

}  // namespace fabric

#endif  // FABRIC_NEAREST_H_
