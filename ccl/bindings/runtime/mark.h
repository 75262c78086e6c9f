// Events: points in a queue that other queues and the program wait for and read the time of.
#ifndef CCL_BINDINGS_RUNTIME_MARK_H_
#define CCL_BINDINGS_RUNTIME_MARK_H_

#include <cstdint>
#include <memory>

#include "ccl/bindings/runtime/handles.h"
#include "ccl/bindings/runtime/queue.h"
#include "ccl/ccl.h"

namespace ccl::bindings {

// One thread at a time for one of them. Where a queue's device has no communicator the time is a
// monotonic clock's; else the communicator's, virtual on an emulated backend.
class Mark {
 public:
  explicit Mark(bool timed) : timed_(timed) {}
  ~Mark();
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;

  bool timed() const { return timed_; }
  cclResult_t Record(const std::shared_ptr<Queue>& queue);
  void Reset() { recorded_ = false; }  // as one that has never been recorded
  // What is queued from now on starts when the mark has been reached. Between worlds, whose clocks have
  // nothing to do with each other, it is waited for here and now.
  cclResult_t Delay(Queue& queue);
  cclResult_t Wait();
  cclResult_t Poll();  // cclInProgress or cclSuccess, as Queue::Poll
  // cclInProgress when one has not been reached; cclInvalidArgument for marks without a time, and for
  // two of different clocks.
  static cclResult_t Elapsed(const Mark& start, const Mark& end, int64_t* picoseconds);

 private:
  const bool timed_;
  bool recorded_ = false;
  int64_t host_time_ = -1;      // of a mark of the monotonic clock
  cclEvent_t event_ = nullptr;  // of the others
  uint64_t family_ = 0;
  std::weak_ptr<Queue> queue_;
};

Handles<Mark>& Marks();

}  // namespace ccl::bindings

#endif  // CCL_BINDINGS_RUNTIME_MARK_H_
