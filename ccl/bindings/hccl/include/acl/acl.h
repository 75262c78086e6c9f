/* The part of AscendCL's runtime API that programs around a collective library use, on host memory: with
 * its names and values. A device is a number, device memory is host memory, a stream is a queue of this
 * library's. Other functions of AscendCL are not declared. */
#ifndef CCL_BINDINGS_ACL_H_
#define CCL_BINDINGS_ACL_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CCL_ACL_API __attribute__((visibility("default")))
#else
#define CCL_ACL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef int aclError;
typedef void* aclrtStream;
typedef void* aclrtEvent;
typedef void* aclrtContext;
typedef void* aclrtDrvMemHandle;

static const int ACL_SUCCESS = 0;
static const int ACL_ERROR_NONE = 0;
static const int ACL_ERROR_INVALID_PARAM = 100000;
static const int ACL_ERROR_UNINITIALIZE = 100001;
static const int ACL_ERROR_REPEAT_INITIALIZE = 100002;
static const int ACL_ERROR_BAD_ALLOC = 200000;
static const int ACL_ERROR_INVALID_DEVICE = 200002;
static const int ACL_ERROR_INVALID_RESOURCE_HANDLE = 200005;
static const int ACL_ERROR_INTERNAL_ERROR = 500000;
static const int ACL_ERROR_FAILURE = 500001;
static const int ACL_ERROR_RT_STREAM_SYNC_TIMEOUT = 507046;

typedef enum aclrtRunMode { ACL_DEVICE = 0, ACL_HOST = 1 } aclrtRunMode;
typedef enum aclrtMemcpyKind {
  ACL_MEMCPY_HOST_TO_HOST = 0,
  ACL_MEMCPY_HOST_TO_DEVICE = 1,
  ACL_MEMCPY_DEVICE_TO_HOST = 2,
  ACL_MEMCPY_DEVICE_TO_DEVICE = 3,
  ACL_MEMCPY_DEFAULT = 4
} aclrtMemcpyKind;
typedef enum aclrtMemMallocPolicy {
  ACL_MEM_MALLOC_HUGE_FIRST = 0,
  ACL_MEM_MALLOC_HUGE_ONLY = 1,
  ACL_MEM_MALLOC_NORMAL_ONLY = 2,
  ACL_MEM_MALLOC_HUGE_FIRST_P2P = 3,
  ACL_MEM_MALLOC_HUGE_ONLY_P2P = 4,
  ACL_MEM_MALLOC_NORMAL_ONLY_P2P = 5
} aclrtMemMallocPolicy;
typedef enum aclrtEventStatus {
  ACL_EVENT_STATUS_COMPLETE = 0,
  ACL_EVENT_STATUS_NOT_READY = 1,
  ACL_EVENT_STATUS_RESERVED = 2
} aclrtEventStatus;
typedef enum aclrtEventRecordedStatus {
  ACL_EVENT_RECORDED_STATUS_NOT_READY = 0,
  ACL_EVENT_RECORDED_STATUS_COMPLETE = 1
} aclrtEventRecordedStatus;
typedef enum aclrtStreamStatus {
  ACL_STREAM_STATUS_COMPLETE = 0,
  ACL_STREAM_STATUS_NOT_READY = 1,
  ACL_STREAM_STATUS_RESERVED = 0xffff
} aclrtStreamStatus;
#define ACL_EVENT_SYNC 0x00000001u
#define ACL_EVENT_CAPTURE_STREAM_PROGRESS 0x00000002u
#define ACL_EVENT_TIME_LINE 0x00000008u
#define ACL_STREAM_FAST_LAUNCH 0x00000001u
#define ACL_STREAM_FAST_SYNC 0x00000002u

/* Once a process: ACL_ERROR_REPEAT_INITIALIZE, ACL_ERROR_UNINITIALIZE. `configPath` is not read. */
CCL_ACL_API aclError aclInit(const char* configPath);
CCL_ACL_API aclError aclFinalize(void);
/* The last error of this thread, of hccl.h's functions too; valid until the next. */
CCL_ACL_API const char* aclGetRecentErrMsg(void);
CCL_ACL_API aclError aclrtGetVersion(int32_t* majorVersion, int32_t* minorVersion,
                                     int32_t* patchVersion);
CCL_ACL_API aclError aclrtGetRunMode(aclrtRunMode* runMode); /* ACL_HOST */
CCL_ACL_API const char* aclrtGetSocName(void);

/* Devices 0 .. count - 1; each thread has a current one, at first 0. ACL_ERROR_INVALID_DEVICE for others.
 * A context stands for its device. Resetting a device waits for its streams and frees nothing. */
CCL_ACL_API aclError aclrtGetDeviceCount(uint32_t* count);
CCL_ACL_API aclError aclrtSetDevice(int32_t deviceId);
CCL_ACL_API aclError aclrtGetDevice(int32_t* deviceId);
CCL_ACL_API aclError aclrtResetDevice(int32_t deviceId);
CCL_ACL_API aclError aclrtResetDeviceForce(int32_t deviceId);
CCL_ACL_API aclError aclrtSynchronizeDevice(void);
CCL_ACL_API aclError aclrtCreateContext(aclrtContext* context, int32_t deviceId);
CCL_ACL_API aclError aclrtDestroyContext(aclrtContext context);
CCL_ACL_API aclError aclrtSetCurrentContext(aclrtContext context);
CCL_ACL_API aclError aclrtGetCurrentContext(aclrtContext* context);

/* Memory, at a multiple of 4096; `size` is above 0. ACL_ERROR_BAD_ALLOC. Freeing waits for the streams of
 * the current device. Synchronous copies do not wait for streams; `destMax` is what the destination
 * holds, ACL_ERROR_INVALID_PARAM for more. Of the Async forms buffers stay valid until the stream has
 * been synchronised. */
CCL_ACL_API aclError aclrtMalloc(void** devPtr, size_t size, aclrtMemMallocPolicy policy);
CCL_ACL_API aclError aclrtFree(void* devPtr);
CCL_ACL_API aclError aclrtMallocHost(void** hostPtr, size_t size);
CCL_ACL_API aclError aclrtFreeHost(void* hostPtr);
CCL_ACL_API aclError aclrtMemcpy(void* dst, size_t destMax, const void* src, size_t count,
                                 aclrtMemcpyKind kind);
CCL_ACL_API aclError aclrtMemcpyAsync(void* dst, size_t destMax, const void* src, size_t count,
                                      aclrtMemcpyKind kind, aclrtStream stream);
CCL_ACL_API aclError aclrtMemset(void* devPtr, size_t maxCount, int32_t value, size_t count);
CCL_ACL_API aclError aclrtMemsetAsync(void* devPtr, size_t maxCount, int32_t value, size_t count,
                                      aclrtStream stream);

/* In-order queues of the current device; any communicator may be used with them. aclrtDestroyStream
 * waits for the work, aclrtDestroyStreamForce drops it. The null stream is the device's own.
 * ACL_ERROR_RT_STREAM_SYNC_TIMEOUT after `timeout` milliseconds of real time; -1: none.
 * ACL_ERROR_FAILURE when a communicator has failed. Asked in a loop, Query makes progress. */
CCL_ACL_API aclError aclrtCreateStream(aclrtStream* stream);
CCL_ACL_API aclError aclrtCreateStreamWithConfig(aclrtStream* stream, uint32_t priority, uint32_t flag);
CCL_ACL_API aclError aclrtDestroyStream(aclrtStream stream);
CCL_ACL_API aclError aclrtDestroyStreamForce(aclrtStream stream);
CCL_ACL_API aclError aclrtSynchronizeStream(aclrtStream stream);
CCL_ACL_API aclError aclrtSynchronizeStreamWithTimeout(aclrtStream stream, int32_t timeout);
CCL_ACL_API aclError aclrtStreamQuery(aclrtStream stream, aclrtStreamStatus* status);
CCL_ACL_API aclError aclrtStreamWaitEvent(aclrtStream stream, aclrtEvent event);

/* Points in a stream. An event that has never been recorded, or has been reset, counts as reached. */
CCL_ACL_API aclError aclrtCreateEvent(aclrtEvent* event);
CCL_ACL_API aclError aclrtCreateEventWithFlag(aclrtEvent* event, uint32_t flag);
CCL_ACL_API aclError aclrtDestroyEvent(aclrtEvent event);
CCL_ACL_API aclError aclrtRecordEvent(aclrtEvent event, aclrtStream stream);
CCL_ACL_API aclError aclrtResetEvent(aclrtEvent event, aclrtStream stream);
CCL_ACL_API aclError aclrtQueryEvent(aclrtEvent event, aclrtEventStatus* status);
CCL_ACL_API aclError aclrtQueryEventStatus(aclrtEvent event, aclrtEventRecordedStatus* status);
CCL_ACL_API aclError aclrtSynchronizeEvent(aclrtEvent event);
/* Milliseconds; virtual time where the device's communicators are emulated. */
CCL_ACL_API aclError aclrtEventElapsedTime(float* ms, aclrtEvent startEvent, aclrtEvent endEvent);

#ifdef __cplusplus
}
#endif

#endif /* CCL_BINDINGS_ACL_H_ */
