// cuda_runtime.h: streams and events.
#include <memory>

#include "ccl/bindings/nccl/convert.h"
#include "ccl/bindings/nccl/cuda_error.h"
#include "ccl/bindings/runtime/device.h"
#include "ccl/bindings/runtime/mark.h"
#include "ccl/bindings/runtime/queue.h"

namespace ccl::bindings {
namespace {

template <typename F>
cudaError_t WithQueue(cudaStream_t stream, F f) {
  const std::shared_ptr<Queue> queue = QueueOf(Handle(stream), CurrentDevice());
  return queue == nullptr ? Failed(cudaErrorInvalidResourceHandle) : Failed(f(queue));
}

template <typename F>
cudaError_t WithMark(cudaEvent_t event, F f) {
  const std::shared_ptr<Mark> mark = Marks().Find(event);
  return mark == nullptr ? Failed(cudaErrorInvalidResourceHandle) : Failed(f(*mark));
}

}  // namespace
}  // namespace ccl::bindings

using namespace ccl::bindings;

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int flags) {
  if (stream == nullptr || flags > cudaStreamNonBlocking) return Failed(cudaErrorInvalidValue);
  const bool blocking = flags != cudaStreamNonBlocking;
  *stream = static_cast<cudaStream_t>(Queues().Add(std::make_shared<Queue>(CurrentDevice(), blocking)));
  return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned int flags, int) {
  return cudaStreamCreateWithFlags(stream, flags);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::shared_ptr<Queue> queue = Queues().Find(stream);
  if (queue == nullptr) return Failed(cudaErrorInvalidResourceHandle);
  const cudaError_t error = Failed(queue->Wait());
  if (error != cudaErrorNotPermitted) Queues().Remove(stream);
  return error;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return WithQueue(stream, [](const std::shared_ptr<Queue>& queue) { return queue->Wait(); });
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return WithQueue(stream, [](const std::shared_ptr<Queue>& queue) { return queue->Poll(); });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int flags) {
  if (flags != 0) return Failed(cudaErrorInvalidValue);
  return WithMark(event, [&](Mark& mark) {
    const std::shared_ptr<Queue> queue = QueueOf(Handle(stream), CurrentDevice());
    return queue == nullptr ? cclInvalidArgument : mark.Delay(*queue);
  });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t fn, void* userData) {
  if (fn == nullptr) return Failed(cudaErrorInvalidValue);
  return WithQueue(stream, [&](const std::shared_ptr<Queue>& queue) { return queue->Call(fn, userData); });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int flags) {
  if (event == nullptr || flags > 7) return Failed(cudaErrorInvalidValue);
  *event = static_cast<cudaEvent_t>(
      Marks().Add(std::make_shared<Mark>((flags & cudaEventDisableTiming) == 0)));
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return Marks().Remove(event) == nullptr ? Failed(cudaErrorInvalidResourceHandle) : cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return WithMark(event, [&](Mark& mark) {
    const std::shared_ptr<Queue> queue = QueueOf(Handle(stream), CurrentDevice());
    return queue == nullptr ? cclInvalidArgument : mark.Record(queue);
  });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return WithMark(event, [](Mark& mark) { return mark.Poll(); });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return WithMark(event, [](Mark& mark) { return mark.Wait(); });
}

cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end) {
  if (ms == nullptr) return Failed(cudaErrorInvalidValue);
  const std::shared_ptr<Mark> first = Marks().Find(start), second = Marks().Find(end);
  if (first == nullptr || second == nullptr) return Failed(cudaErrorInvalidResourceHandle);
  int64_t picoseconds = 0;
  const cclResult_t result = Mark::Elapsed(*first, *second, &picoseconds);
  if (result == cclInvalidArgument) return Failed(cudaErrorInvalidResourceHandle);
  if (result == cclSuccess) *ms = static_cast<float>(static_cast<double>(picoseconds) * 1e-9);
  return Failed(result);
}

}  // extern "C"
