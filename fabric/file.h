// Systems described in TOML. fabric/README.md describes the format.
#ifndef FABRIC_FILE_H_
#define FABRIC_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fabric/description.h"

namespace fabric {

// Nobody writes a larger one by hand.
inline constexpr size_t kMaxFileBytes = size_t{1} << 20;

// The system that `text` describes, with `endpoints` endpoints (0: those it says), "key=value"
// overrides and more events, as ParseEvent takes them. Errors begin with `path`, and with the line where there is one: "my.toml:12: ...". Any
// bytes are safe to pass.
absl::StatusOr<Description> ParseText(absl::string_view text, absl::string_view path,
                                      int endpoints = 0, absl::Span<const std::string> sets = {},
                                      absl::Span<const std::string> events = {});

// The content of a file of at most kMaxFileBytes.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace fabric

#endif  // FABRIC_FILE_H_
