// The schemes tcp: and shm: (settings.h has their options).
#ifndef TRANSPORTS_TCP_TCP_H_
#define TRANSPORTS_TCP_TCP_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/backend/open.h"

namespace ccl {

// Backends of the rest of a URL, as OpenBackend has them. Block until all ranks have come, up to the
// URL's timeout. shm: is an error, on all ranks, when some are on another host.
absl::StatusOr<std::unique_ptr<Backend>> OpenTcp(absl::string_view rest, const Membership& membership);
absl::StatusOr<std::unique_ptr<Backend>> OpenShm(absl::string_view rest, const Membership& membership);

// As NewJobId.
absl::StatusOr<std::string> NewTcpId(absl::string_view rest, size_t bytes);
absl::StatusOr<std::string> NewShmId(absl::string_view rest, size_t bytes);

}  // namespace ccl

#endif  // TRANSPORTS_TCP_TCP_H_
