// What the files of the C edge share: handles and their checks, the one mapping of statuses to results.
#ifndef CCL_API_HANDLES_H_
#define CCL_API_HANDLES_H_

#include <atomic>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/api/operators.h"
#include "ccl/ccl.h"
#include "ccl/communicator.h"
#include "ccl/exec/event.h"
#include "ccl/group.h"
#include "ccl/windows.h"

namespace ccl::api {

// A buffer that a caller has registered.
struct Registered {
  void* buffer;
  size_t size;
};

}  // namespace ccl::api

struct cclWindow {
  int number;  // of the communicator's windows
  void* base;
  size_t size;
};
struct cclComm {
  uint32_t magic;
  bool blocking;
  bool finalizing = false, revoked = false;  // nothing more can be asked of it
  std::unique_ptr<ccl::Communicator> communicator;  // null while it is being made
  std::unique_ptr<ccl::Formation> formation;        // what makes it
  absl::Status not_made;                            // why it was not
  // Splits in which the rank takes part without getting a communicator.
  std::vector<std::unique_ptr<ccl::Formation>> bystanding;
  std::vector<std::unique_ptr<ccl::api::Registered>> registered;
  std::vector<std::unique_ptr<cclWindow>> windows;
  std::unique_ptr<ccl::Windows> one_sided;  // made with the first of them
  // Gone when the handle is. Counts the threads that wait for something of it.
  std::shared_ptr<std::atomic<int>> waiting = std::make_shared<std::atomic<int>>(0);
  ccl::api::Operators operators;
};
struct cclEvent {
  uint32_t magic;
  std::shared_ptr<ccl::Event> event = std::make_shared<ccl::Event>();
  std::weak_ptr<ccl::World> world = {};  // where it was recorded last
  int rank = 0;                          // of it
};
struct cclStream {
  uint32_t magic;
  cclComm* comm;                      // for comparison; may be gone
  std::shared_ptr<ccl::World> world;  // outlives the communicator
  std::weak_ptr<std::atomic<int>> waiting;  // of the communicator
  int rank;
  std::unique_ptr<ccl::Stream> stream;
};

namespace ccl::api {

inline constexpr uint32_t kCommMagic = 0x63636c43, kStreamMagic = 0x63636c53,
                          kEventMagic = 0x63636c45;

// Keeps the text of an error for cclGetLastError of this thread.
cclResult_t Report(const absl::Status& status);
const char* LastError();

// OK, or what is wrong with the handle.
absl::Status CheckHandle(cclComm* comm);
// Of one that is being made: takes it over if it is there by now. InvalidArgument if it is not yet.
absl::Status CheckMade(cclComm* comm);
// OK, what is wrong with the handle, or that it takes no more operations.
absl::Status CheckUsable(cclComm* comm);
// Likewise, or the first error of the world or the communicator.
absl::Status CheckComm(cclComm* comm);
// Counts a thread that waits, so that an abort by another one knows when it has left.
class Waits {
 public:
  explicit Waits(std::shared_ptr<std::atomic<int>> count) : count_(std::move(count)) { ++*count_; }
  ~Waits() { --*count_; }
  Waits(const Waits&) = delete;
  Waits& operator=(const Waits&) = delete;

 private:
  const std::shared_ptr<std::atomic<int>> count_;
};
absl::Status CheckStream(cclStream* stream);
// The queue that a call on `comm` names: null is the communicator's own.
absl::StatusOr<Stream*> StreamOf(cclComm* comm, cclStream* stream);

// What this thread has open between cclGroupStart and cclGroupEnd.
Group& ThreadGroup();
// Whether there is any: most threads never have.
bool InGroup();
absl::Status RefuseInGroup(absl::string_view call);
inline absl::Status NotInGroup(absl::string_view call) {
  return InGroup() ? RefuseInGroup(call) : absl::OkStatus();
}
// A host function of the user's runs under the lock of its world: it calls nothing of ccl.
absl::Status NotInHostCall();

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
