#include "ccl/bindings/runtime/mark.h"

#include <chrono>

#include "ccl/bindings/runtime/communicators.h"
#include "ccl/bindings/runtime/error.h"

namespace ccl::bindings {

Handles<Mark>& Marks() {
  static auto* marks = new Handles<Mark>;
  return *marks;
}

Mark::~Mark() { cclEventDestroy(event_); }

cclResult_t Mark::Record(const std::shared_ptr<Queue>& queue) {
  cclComm_t comm = nullptr;
  cclStream_t stream = nullptr;
  if (const cclResult_t result = queue->LastStream(&comm, &stream); result != cclSuccess) return result;
  if (stream == nullptr) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    host_time_ = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() * 1000;
  } else {
    if (event_ == nullptr) Note(cclEventCreate(&event_));
    const cclResult_t result = Note(cclEventRecord(event_, comm, stream));
    if (result != cclSuccess) return result;
    host_time_ = -1;
    family_ = StandingOf(comm).family;
    queue_ = queue;
  }
  recorded_ = true;
  return cclSuccess;
}

cclResult_t Mark::Delay(Queue& queue) {
  if (!recorded_ || host_time_ >= 0) return cclSuccess;
  cclComm_t comm = nullptr;
  cclStream_t stream = nullptr;
  if (const cclResult_t result = queue.LastStream(&comm, &stream); result != cclSuccess) return result;
  if (stream == nullptr || StandingOf(comm).family != family_) return Wait();
  return Note(cclStreamWaitEvent(comm, stream, event_));
}

cclResult_t Mark::Wait() {
  if (!recorded_ || host_time_ >= 0) return cclSuccess;
  return Note(cclEventSynchronize(event_));
}

cclResult_t Mark::Poll() {
  if (!recorded_ || host_time_ >= 0) return cclSuccess;
  if (const cclResult_t result = Note(cclEventQuery(event_)); result != cclInProgress) return result;
  if (const std::shared_ptr<Queue> queue = queue_.lock(); queue != nullptr) queue->Poll();
  return Note(cclEventQuery(event_));
}

cclResult_t Mark::Elapsed(const Mark& start, const Mark& end, int64_t* picoseconds) {
  if (!start.recorded_ || !end.recorded_) {
    return Refuse(cclInvalidArgument, "the time between two events, of which one has never been recorded");
  }
  if (!start.timed_ || !end.timed_) {
    return Refuse(cclInvalidArgument, "the time between two events, of which one was made without timing");
  }
  if (start.host_time_ >= 0 && end.host_time_ >= 0) {
    *picoseconds = end.host_time_ - start.host_time_;
    return cclSuccess;
  }
  if (start.host_time_ >= 0 || end.host_time_ >= 0 || start.family_ != end.family_) {
    return Refuse(cclInvalidArgument,
                  "the time between two events of different clocks: make the communicators first, and "
                  "record both events on streams of communicators of one world");
  }
  return Note(cclEventElapsedTime(picoseconds, start.event_, end.event_));
}

}  // namespace ccl::bindings
