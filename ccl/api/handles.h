// What the files of the C edge share: handles and their checks, the one mapping of statuses to results.
#ifndef CCL_API_HANDLES_H_
#define CCL_API_HANDLES_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/ccl.h"
#include "ccl/communicator.h"
#include "ccl/group.h"

struct cclComm {
  uint32_t magic;
  std::unique_ptr<ccl::Communicator> communicator;
  std::shared_ptr<void> alive = std::make_shared<int>();
};
struct cclStream {
  uint32_t magic;
  cclComm* comm;                      // for comparison; may be gone
  std::shared_ptr<ccl::World> world;  // outlives the communicator
  std::weak_ptr<void> alive;          // of the communicator
  int rank;
  std::unique_ptr<ccl::Stream> stream;
};

namespace ccl::api {

inline constexpr uint32_t kCommMagic = 0x63636c43, kStreamMagic = 0x63636c53;

// Keeps the text of an error for cclGetLastError of this thread.
cclResult_t Report(const absl::Status& status);
const char* LastError();

// OK, what is wrong with the handle, or the world's first error.
absl::Status CheckComm(cclComm* comm);
absl::Status CheckStream(cclStream* stream);
// The queue that a call on `comm` names: null is the communicator's own.
absl::StatusOr<Stream*> StreamOf(cclComm* comm, cclStream* stream);

// What this thread has open between cclGroupStart and cclGroupEnd.
Group& ThreadGroup();
absl::Status NotInGroup(absl::string_view call);

// Runs `f`; outside a group its error is the call's, inside it is cclGroupEnd's too.
template <typename F>
cclResult_t Grouped(F f) {
  Group& group = ThreadGroup();
  group.Enter();
  absl::Status status = f();
  if (!status.ok()) group.Fail(status);
  absl::Status end = group.Leave();
  return Report(group.open() ? status : end);
}

}  // namespace ccl::api

#endif  // CCL_API_HANDLES_H_
