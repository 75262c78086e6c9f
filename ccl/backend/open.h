#ifndef CCL_BACKEND_OPEN_H_
#define CCL_BACKEND_OPEN_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/backend/backend.h"

// The link seam between the library and its transports for callers who know more of their job than its
// size. Defined in transports/builtin.cc, as OpenBackend of backend.h is.
namespace ccl {

// What a caller knows of the job that it takes part in.
struct Membership {
  int ranks = 0;         // 0: the backend is to say
  int rank = -1;         // of this process; -1: likewise
  absl::string_view id;  // a unique id; empty: none
};
absl::StatusOr<std::unique_ptr<Backend>> OpenBackend(absl::string_view url, const Membership& membership);

// Whether backends of a URL find the other ranks of a unique id by themselves, in whichever process or
// thread they are: then every rank opens one of its own, at the same time as the others.
bool MeetsByItself(absl::string_view url);

// A unique id of so many bytes for such backends, which tells them where to meet; empty for all others.
// Thread-safe.
absl::StatusOr<std::string> NewJobId(absl::string_view url, size_t bytes);

}  // namespace ccl

#endif  // CCL_BACKEND_OPEN_H_
