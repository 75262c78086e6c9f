// cuda_runtime.h: errors, devices, memory.
#include "ccl/bindings/nccl/include/cuda_runtime.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <thread>

#include "ccl/bindings/nccl/cuda_error.h"
#include "ccl/bindings/nccl/convert.h"
#include "ccl/bindings/runtime/device.h"
#include "ccl/bindings/runtime/error.h"
#include "ccl/bindings/runtime/queue.h"

namespace ccl::bindings {
namespace {

thread_local cudaError_t last_error = cudaSuccess;

struct Text {
  cudaError_t error;
  const char* name;
  const char* text;
};
constexpr Text kTexts[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInitializationError, "cudaErrorInitializationError", "initialization error"},
    {cudaErrorInvalidMemcpyDirection, "cudaErrorInvalidMemcpyDirection", "invalid direction of a copy"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "there is no device"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "there is no such device"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid stream or event"},
    {cudaErrorNotReady, "cudaErrorNotReady", "not ready yet"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "queued work has failed"},
    {cudaErrorNotPermitted, "cudaErrorNotPermitted", "not permitted here"},
    {cudaErrorNotSupported, "cudaErrorNotSupported", "not supported"},
    {cudaErrorUnknown, "cudaErrorUnknown", "unknown error"},
};

const Text* Find(cudaError_t error) {
  for (const Text& text : kTexts) {
    if (text.error == error) return &text;
  }
  return nullptr;
}

cudaError_t Allocate(void** pointer, size_t size) {
  if (pointer == nullptr) return Failed(cudaErrorInvalidValue);
  return Note(cclMemAlloc(pointer, size)) == cclSuccess ? cudaSuccess : Failed(cudaErrorMemoryAllocation);
}

cudaError_t Free(void* pointer) {
  if (pointer == nullptr) return cudaSuccess;
  const cudaError_t error = Failed(WaitForDevice(CurrentDevice(), true));
  if (error == cudaErrorNotPermitted) return error;  // it may be in use
  Note(cclMemFree(pointer));
  return error;
}

bool IsKind(cudaMemcpyKind kind) {
  return static_cast<int>(kind) >= cudaMemcpyHostToHost && static_cast<int>(kind) <= cudaMemcpyDefault;
}

}  // namespace

cudaError_t Failed(cudaError_t error) {
  if (error != cudaSuccess && error != cudaErrorNotReady) last_error = error;
  return error;
}

cudaError_t Failed(cclResult_t result) {
  switch (result) {
    case cclSuccess: return cudaSuccess;
    case cclInProgress: return cudaErrorNotReady;
    case cclInvalidArgument: return Failed(cudaErrorInvalidValue);
    case cclInvalidUsage: {
      // In a group nothing can be waited for; an operation that was aborted says the same.
      const bool in_group = std::strstr(LastError(), "inside a group") != nullptr;
      return Failed(in_group ? cudaErrorNotPermitted : cudaErrorLaunchFailure);
    }
    default: return Failed(cudaErrorLaunchFailure);
  }
}

}  // namespace ccl::bindings

using namespace ccl::bindings;

extern "C" {

const char* cudaGetErrorString(cudaError_t error) {
  const auto* text = Find(error);
  return text == nullptr ? "unrecognized error code" : text->text;
}

const char* cudaGetErrorName(cudaError_t error) {
  const auto* text = Find(error);
  return text == nullptr ? "unrecognized error code" : text->name;
}

cudaError_t cudaGetLastError(void) {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError(void) { return last_error; }

cudaError_t cudaRuntimeGetVersion(int* version) {
  if (version == nullptr) return Failed(cudaErrorInvalidValue);
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) { return cudaRuntimeGetVersion(version); }

cudaError_t cudaGetDeviceCount(int* count) {
  if (count == nullptr) return Failed(cudaErrorInvalidValue);
  *count = DeviceCount();
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  return SetDevice(device) ? cudaSuccess : Failed(cudaErrorInvalidDevice);
}

cudaError_t cudaGetDevice(int* device) {
  if (device == nullptr) return Failed(cudaErrorInvalidValue);
  *device = CurrentDevice();
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* prop, int device) {
  if (prop == nullptr) return Failed(cudaErrorInvalidValue);
  if (device < 0 || device >= DeviceCount()) return Failed(cudaErrorInvalidDevice);
  std::memset(prop, 0, sizeof *prop);
  std::snprintf(prop->name, sizeof prop->name, "host memory, device %d", device);
  prop->totalGlobalMem = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  prop->multiProcessorCount = static_cast<int>(std::thread::hardware_concurrency());
  prop->pciBusID = device;
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize(void) { return Failed(WaitForDevice(CurrentDevice(), true)); }
cudaError_t cudaDeviceReset(void) { return cudaDeviceSynchronize(); }

cudaError_t cudaMalloc(void** devPtr, size_t size) { return Allocate(devPtr, size); }
cudaError_t cudaMallocManaged(void** devPtr, size_t size, unsigned int) { return Allocate(devPtr, size); }
cudaError_t cudaFree(void* devPtr) { return Free(devPtr); }
cudaError_t cudaMallocHost(void** ptr, size_t size) { return Allocate(ptr, size); }
cudaError_t cudaHostAlloc(void** ptr, size_t size, unsigned int) { return Allocate(ptr, size); }
cudaError_t cudaFreeHost(void* ptr) { return Free(ptr); }

cudaError_t cudaMemcpy(void* dst, const void* src, size_t count, cudaMemcpyKind kind) {
  if (count > 0 && (dst == nullptr || src == nullptr)) return Failed(cudaErrorInvalidValue);
  if (!IsKind(kind)) return Failed(cudaErrorInvalidMemcpyDirection);
  const cudaError_t error = Failed(WaitForDevice(CurrentDevice(), false));
  if (error == cudaSuccess && count > 0) std::memmove(dst, src, count);
  return error;
}

cudaError_t cudaMemcpyAsync(void* dst, const void* src, size_t count, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (!IsKind(kind)) return Failed(cudaErrorInvalidMemcpyDirection);
  const auto queue = QueueOf(Handle(stream), CurrentDevice());
  if (queue == nullptr) return Failed(cudaErrorInvalidResourceHandle);
  return Failed(queue->Copy(dst, src, count));
}

cudaError_t cudaMemset(void* devPtr, int value, size_t count) {
  if (count > 0 && devPtr == nullptr) return Failed(cudaErrorInvalidValue);
  const cudaError_t error = Failed(WaitForDevice(CurrentDevice(), false));
  if (error == cudaSuccess && count > 0) std::memset(devPtr, value, count);
  return error;
}

cudaError_t cudaMemsetAsync(void* devPtr, int value, size_t count, cudaStream_t stream) {
  const auto queue = QueueOf(Handle(stream), CurrentDevice());
  if (queue == nullptr) return Failed(cudaErrorInvalidResourceHandle);
  return Failed(queue->Set(devPtr, value, count));
}

}  // extern "C"
