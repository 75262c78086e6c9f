// The scheme local: (README.md has its options).
#ifndef TRANSPORTS_LOCAL_LOCAL_H_
#define TRANSPORTS_LOCAL_LOCAL_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/backend/open.h"

namespace ccl {

// A backend of the rest of a URL, as OpenBackend has it. Blocks until all ranks have come, each from a
// thread of its own, up to the URL's timeout.
absl::StatusOr<std::unique_ptr<Backend>> OpenLocal(absl::string_view rest, const Membership& membership);
// As NewJobId: any id will do.
absl::StatusOr<std::string> NewLocalId(absl::string_view rest, size_t bytes);

}  // namespace ccl

#endif  // TRANSPORTS_LOCAL_LOCAL_H_
