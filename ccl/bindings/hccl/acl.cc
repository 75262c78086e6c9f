// acl/acl.h: initialisation, devices, contexts, memory.
#include "ccl/bindings/hccl/include/acl/acl.h"

#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "ccl/bindings/hccl/acl_error.h"
#include "ccl/bindings/runtime/device.h"
#include "ccl/bindings/runtime/error.h"
#include "ccl/bindings/runtime/handles.h"
#include "ccl/bindings/runtime/queue.h"

namespace ccl::bindings {
namespace {

struct Context {
  int device;
};

std::atomic<bool> initialized{false};
thread_local aclrtContext current_context = nullptr;  // null: the device's own

Handles<Context>& Contexts() {
  static auto* contexts = new Handles<Context>;
  return *contexts;
}

// The context of a device that nobody has made.
aclrtContext ContextOf(int device) {
  static auto* mutex = new std::mutex;
  static auto* made = new std::map<int, aclrtContext>;
  std::lock_guard<std::mutex> lock(*mutex);
  aclrtContext& context = (*made)[device];
  if (context == nullptr) context = Contexts().Add(std::make_shared<Context>(Context{device}));
  return context;
}

aclError NoDevice(int device) {
  return Failed(ACL_ERROR_INVALID_DEVICE, "device " + std::to_string(device) + " is not in 0.." +
                                              std::to_string(DeviceCount() - 1) + " (CCL_DEVICES)");
}

aclError Allocate(void** pointer, size_t size) {
  if (pointer == nullptr || size == 0) return Failed(ACL_ERROR_INVALID_PARAM, "no pointer, or no bytes, to allocate");
  return Note(cclMemAlloc(pointer, size)) == cclSuccess ? ACL_SUCCESS : ACL_ERROR_BAD_ALLOC;
}

aclError Free(void* pointer) {
  if (pointer == nullptr) return Failed(ACL_ERROR_INVALID_PARAM, "a null pointer is freed");
  const aclError error = Failed(WaitForDevice(CurrentDevice(), true));
  Note(cclMemFree(pointer));
  return error;
}

// What is wrong with a piece of memory to be written, or success.
aclError CheckPiece(const void* to, size_t holds, size_t count) {
  if (to == nullptr || count == 0) return Failed(ACL_ERROR_INVALID_PARAM, "no memory, or no bytes, to write");
  if (count <= holds) return ACL_SUCCESS;
  return Failed(ACL_ERROR_INVALID_PARAM, std::to_string(count) + " bytes are written to memory of " +
                                             std::to_string(holds));
}

aclError CheckCopy(const void* to, size_t holds, const void* from, size_t count, aclrtMemcpyKind kind) {
  if (from == nullptr) return Failed(ACL_ERROR_INVALID_PARAM, "a copy from a null pointer");
  if (static_cast<unsigned>(kind) > ACL_MEMCPY_DEFAULT) return Failed(ACL_ERROR_INVALID_PARAM, "unknown kind of copy");
  return CheckPiece(to, holds, count);
}

std::shared_ptr<Queue> QueueFor(aclrtStream stream) { return QueueOf(stream, CurrentDevice()); }

}  // namespace

aclError Failed(aclError error, std::string text) {
  Refuse(cclInvalidArgument, std::move(text));
  return error;
}

aclError Failed(cclResult_t result) {
  if (result == cclSuccess) return ACL_SUCCESS;
  return result == cclInvalidArgument ? ACL_ERROR_INVALID_PARAM : ACL_ERROR_FAILURE;
}

}  // namespace ccl::bindings

using namespace ccl::bindings;

extern "C" {

aclError aclInit(const char*) {
  if (!initialized.exchange(true)) return ACL_SUCCESS;
  return Failed(ACL_ERROR_REPEAT_INITIALIZE, "aclInit has been called before");
}

aclError aclFinalize(void) {
  if (initialized.exchange(false)) return ACL_SUCCESS;
  return Failed(ACL_ERROR_UNINITIALIZE, "aclFinalize without aclInit");
}

const char* aclGetRecentErrMsg(void) { return LastError(); }

aclError aclrtGetVersion(int32_t* majorVersion, int32_t* minorVersion, int32_t* patchVersion) {
  if (majorVersion == nullptr || minorVersion == nullptr || patchVersion == nullptr) {
    return Failed(ACL_ERROR_INVALID_PARAM, "a version's pointer is null");
  }
  *majorVersion = CCL_MAJOR, *minorVersion = CCL_MINOR, *patchVersion = CCL_PATCH;
  return ACL_SUCCESS;
}

aclError aclrtGetRunMode(aclrtRunMode* runMode) {
  if (runMode == nullptr) return Failed(ACL_ERROR_INVALID_PARAM, "the mode's pointer is null");
  *runMode = ACL_HOST;
  return ACL_SUCCESS;
}

const char* aclrtGetSocName(void) { return "host memory"; }

aclError aclrtGetDeviceCount(uint32_t* count) {
  if (count == nullptr) return Failed(ACL_ERROR_INVALID_PARAM, "the count's pointer is null");
  *count = static_cast<uint32_t>(DeviceCount());
  return ACL_SUCCESS;
}

aclError aclrtSetDevice(int32_t deviceId) {
  if (!SetDevice(deviceId)) return NoDevice(deviceId);
  current_context = nullptr;
  return ACL_SUCCESS;
}

aclError aclrtGetDevice(int32_t* deviceId) {
  if (deviceId == nullptr) return Failed(ACL_ERROR_INVALID_PARAM, "the device's pointer is null");
  *deviceId = CurrentDevice();
  return ACL_SUCCESS;
}

aclError aclrtResetDevice(int32_t deviceId) {
  if (deviceId < 0 || deviceId >= DeviceCount()) return NoDevice(deviceId);
  return Failed(WaitForDevice(deviceId, true));
}

aclError aclrtResetDeviceForce(int32_t deviceId) { return aclrtResetDevice(deviceId); }

aclError aclrtSynchronizeDevice(void) { return Failed(WaitForDevice(CurrentDevice(), true)); }

aclError aclrtCreateContext(aclrtContext* context, int32_t deviceId) {
  if (context == nullptr) return Failed(ACL_ERROR_INVALID_PARAM, "the context's pointer is null");
  if (!SetDevice(deviceId)) return NoDevice(deviceId);
  *context = current_context = Contexts().Add(std::make_shared<Context>(Context{deviceId}));
  return ACL_SUCCESS;
}

aclError aclrtDestroyContext(aclrtContext context) {
  if (Contexts().Remove(context) == nullptr) {
    return Failed(ACL_ERROR_INVALID_RESOURCE_HANDLE, "the context is not one, or has been destroyed");
  }
  if (current_context == context) current_context = nullptr;
  return ACL_SUCCESS;
}

aclError aclrtSetCurrentContext(aclrtContext context) {
  const std::shared_ptr<Context> found = Contexts().Find(context);
  if (found == nullptr) {
    return Failed(ACL_ERROR_INVALID_RESOURCE_HANDLE, "the context is not one, or has been destroyed");
  }
  SetDevice(found->device);
  current_context = context;
  return ACL_SUCCESS;
}

aclError aclrtGetCurrentContext(aclrtContext* context) {
  if (context == nullptr) return Failed(ACL_ERROR_INVALID_PARAM, "the context's pointer is null");
  *context = current_context != nullptr ? current_context : ContextOf(CurrentDevice());
  return ACL_SUCCESS;
}

aclError aclrtMalloc(void** devPtr, size_t size, aclrtMemMallocPolicy) { return Allocate(devPtr, size); }
aclError aclrtFree(void* devPtr) { return Free(devPtr); }
aclError aclrtMallocHost(void** hostPtr, size_t size) { return Allocate(hostPtr, size); }
aclError aclrtFreeHost(void* hostPtr) { return Free(hostPtr); }

aclError aclrtMemcpy(void* dst, size_t destMax, const void* src, size_t count, aclrtMemcpyKind kind) {
  const aclError error = CheckCopy(dst, destMax, src, count, kind);
  if (error == ACL_SUCCESS) std::memmove(dst, src, count);
  return error;
}

aclError aclrtMemcpyAsync(void* dst, size_t destMax, const void* src, size_t count,
                          aclrtMemcpyKind kind, aclrtStream stream) {
  const aclError error = CheckCopy(dst, destMax, src, count, kind);
  if (error != ACL_SUCCESS) return error;
  const std::shared_ptr<Queue> queue = QueueFor(stream);
  if (queue == nullptr) return Failed(ACL_ERROR_INVALID_RESOURCE_HANDLE, "the stream is not one, or has been destroyed");
  return Failed(queue->Copy(dst, src, count));
}

aclError aclrtMemset(void* devPtr, size_t maxCount, int32_t value, size_t count) {
  const aclError error = CheckPiece(devPtr, maxCount, count);
  if (error == ACL_SUCCESS) std::memset(devPtr, value, count);
  return error;
}

aclError aclrtMemsetAsync(void* devPtr, size_t maxCount, int32_t value, size_t count,
                          aclrtStream stream) {
  const aclError error = CheckPiece(devPtr, maxCount, count);
  if (error != ACL_SUCCESS) return error;
  const std::shared_ptr<Queue> queue = QueueFor(stream);
  if (queue == nullptr) return Failed(ACL_ERROR_INVALID_RESOURCE_HANDLE, "the stream is not one, or has been destroyed");
  return Failed(queue->Set(devPtr, value, count));
}

}  // extern "C"
