// acl/acl.h: streams and events.
#include <chrono>
#include <memory>

#include "ccl/bindings/hccl/acl_error.h"
#include "ccl/bindings/runtime/device.h"
#include "ccl/bindings/runtime/mark.h"
#include "ccl/bindings/runtime/queue.h"

namespace ccl::bindings {
namespace {

aclError NoStream() {
  return Failed(ACL_ERROR_INVALID_RESOURCE_HANDLE, "the stream is not one, or has been destroyed");
}
aclError NoEvent() {
  return Failed(ACL_ERROR_INVALID_RESOURCE_HANDLE, "the event is not one, or has been destroyed");
}
aclError NoPlace() { return Failed(ACL_ERROR_INVALID_PARAM, "the result's pointer is null"); }

// Runs `f` with the queue and the mark.
template <typename F>
aclError WithBoth(aclrtStream stream, aclrtEvent event, F f) {
  const std::shared_ptr<Queue> queue = QueueOf(stream, CurrentDevice());
  const std::shared_ptr<Mark> mark = Marks().Find(event);
  if (queue == nullptr) return NoStream();
  return mark == nullptr ? NoEvent() : Failed(f(*mark, queue));
}

}  // namespace
}  // namespace ccl::bindings

using namespace ccl::bindings;

extern "C" {

aclError aclrtCreateStream(aclrtStream* stream) {
  if (stream == nullptr) return NoPlace();
  *stream = Queues().Add(std::make_shared<Queue>(CurrentDevice(), true));
  return ACL_SUCCESS;
}

aclError aclrtCreateStreamWithConfig(aclrtStream* stream, uint32_t, uint32_t) {
  return aclrtCreateStream(stream);
}

aclError aclrtDestroyStream(aclrtStream stream) {
  const std::shared_ptr<Queue> queue = Queues().Remove(stream);
  return queue == nullptr ? NoStream() : Failed(queue->Wait());
}

aclError aclrtDestroyStreamForce(aclrtStream stream) {
  return Queues().Remove(stream) == nullptr ? NoStream() : ACL_SUCCESS;
}

aclError aclrtSynchronizeStream(aclrtStream stream) {
  const std::shared_ptr<Queue> queue = QueueOf(stream, CurrentDevice());
  return queue == nullptr ? NoStream() : Failed(queue->Wait());
}

aclError aclrtSynchronizeStreamWithTimeout(aclrtStream stream, int32_t timeout) {
  if (timeout < -1) return Failed(ACL_ERROR_INVALID_PARAM, "a timeout below -1");
  const std::shared_ptr<Queue> queue = QueueOf(stream, CurrentDevice());
  if (queue == nullptr) return NoStream();
  if (timeout < 0) return Failed(queue->Wait());
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout);
  while (queue->Poll() == cclInProgress) {
    if (std::chrono::steady_clock::now() < end) continue;
    return Failed(ACL_ERROR_RT_STREAM_SYNC_TIMEOUT,
                  "the stream was not empty after " + std::to_string(timeout) + " ms");
  }
  return ACL_SUCCESS;
}

aclError aclrtStreamQuery(aclrtStream stream, aclrtStreamStatus* status) {
  if (status == nullptr) return NoPlace();
  const std::shared_ptr<Queue> queue = QueueOf(stream, CurrentDevice());
  if (queue == nullptr) return NoStream();
  *status = queue->Poll() == cclSuccess ? ACL_STREAM_STATUS_COMPLETE : ACL_STREAM_STATUS_NOT_READY;
  return ACL_SUCCESS;
}

aclError aclrtStreamWaitEvent(aclrtStream stream, aclrtEvent event) {
  return WithBoth(stream, event, [](Mark& mark, const std::shared_ptr<Queue>& queue) {
    return mark.Delay(*queue);
  });
}

aclError aclrtCreateEventWithFlag(aclrtEvent* event, uint32_t) {
  if (event == nullptr) return NoPlace();
  *event = Marks().Add(std::make_shared<Mark>(true));
  return ACL_SUCCESS;
}

aclError aclrtCreateEvent(aclrtEvent* event) { return aclrtCreateEventWithFlag(event, ACL_EVENT_TIME_LINE); }

aclError aclrtDestroyEvent(aclrtEvent event) {
  return Marks().Remove(event) == nullptr ? NoEvent() : ACL_SUCCESS;
}

aclError aclrtRecordEvent(aclrtEvent event, aclrtStream stream) {
  return WithBoth(stream, event, [](Mark& mark, const std::shared_ptr<Queue>& queue) {
    return mark.Record(queue);
  });
}

aclError aclrtResetEvent(aclrtEvent event, aclrtStream stream) {
  return WithBoth(stream, event, [](Mark& mark, const std::shared_ptr<Queue>&) {
    mark.Reset();
    return cclSuccess;
  });
}

aclError aclrtQueryEventStatus(aclrtEvent event, aclrtEventRecordedStatus* status) {
  if (status == nullptr) return NoPlace();
  const std::shared_ptr<Mark> mark = Marks().Find(event);
  if (mark == nullptr) return NoEvent();
  const cclResult_t result = mark->Poll();
  *status = result == cclSuccess ? ACL_EVENT_RECORDED_STATUS_COMPLETE : ACL_EVENT_RECORDED_STATUS_NOT_READY;
  return result == cclInProgress ? ACL_SUCCESS : Failed(result);
}

aclError aclrtQueryEvent(aclrtEvent event, aclrtEventStatus* status) {
  if (status == nullptr) return NoPlace();
  aclrtEventRecordedStatus recorded = ACL_EVENT_RECORDED_STATUS_NOT_READY;
  const aclError error = aclrtQueryEventStatus(event, &recorded);
  *status = recorded == ACL_EVENT_RECORDED_STATUS_COMPLETE ? ACL_EVENT_STATUS_COMPLETE
                                                           : ACL_EVENT_STATUS_NOT_READY;
  return error;
}

aclError aclrtSynchronizeEvent(aclrtEvent event) {
  const std::shared_ptr<Mark> mark = Marks().Find(event);
  return mark == nullptr ? NoEvent() : Failed(mark->Wait());
}

aclError aclrtEventElapsedTime(float* ms, aclrtEvent startEvent, aclrtEvent endEvent) {
  if (ms == nullptr) return NoPlace();
  const std::shared_ptr<Mark> start = Marks().Find(startEvent), end = Marks().Find(endEvent);
  if (start == nullptr || end == nullptr) return NoEvent();
  int64_t picoseconds = 0;
  const cclResult_t result = Mark::Elapsed(*start, *end, &picoseconds);
  if (result == cclInProgress) return Failed(ACL_ERROR_FAILURE, "an event has not been reached yet");
  if (result == cclSuccess) *ms = static_cast<float>(static_cast<double>(picoseconds) * 1e-9);
  return Failed(result);
}

}  // extern "C"
