// Names of jobs that say where their ranks meet.
#ifndef TRANSPORTS_TCP_JOB_ID_H_
#define TRANSPORTS_TCP_JOB_ID_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "transports/tcp/meeting.h"

namespace ccl::tcp {

// A new one, of at most so many bytes, the same for all ranks: the addresses of this process, of a port
// that it opens, and a secret. Whoever has it can join; so hand it on by ways that strangers do not read.
// One of the ranks must be of this process. Of ids that are not used, the last hundred have open ports.
// Thread-safe.
absl::StatusOr<std::string> NewId(absl::string_view scheme, absl::string_view rest, size_t bytes);

// Whether `id` is such a name.
bool IsId(absl::string_view id);

struct Invitation {
  Place place;
  Secret secret;
};
// The place in an id. The door comes with the first rank of the process that made it, and once.
Invitation Accept(absl::string_view id);

}  // namespace ccl::tcp

#endif  // TRANSPORTS_TCP_JOB_ID_H_
