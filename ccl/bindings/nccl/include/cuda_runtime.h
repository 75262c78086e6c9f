/* The part of CUDA's runtime API that programs around a collective library use, on host memory: with
 * CUDA's names and values. A device is a number, device memory is host memory, a stream is a queue of
 * this library's. Other functions of CUDA are not declared. ../../README.md says what differs. */
#ifndef CCL_BINDINGS_CUDA_RUNTIME_H_
#define CCL_BINDINGS_CUDA_RUNTIME_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CCL_CUDA_API __attribute__((visibility("default")))
#else
#define CCL_CUDA_API
#endif

#define CUDART_VERSION 12000

#ifdef __cplusplus
extern "C" {
#endif

typedef enum cudaError {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInitializationError = 3,
  cudaErrorInvalidMemcpyDirection = 21,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorInvalidResourceHandle = 400,
  cudaErrorNotReady = 600,
  cudaErrorLaunchFailure = 719,
  cudaErrorNotPermitted = 800,
  cudaErrorNotSupported = 801,
  cudaErrorUnknown = 999
} cudaError_t;

typedef enum cudaMemcpyKind {
  cudaMemcpyHostToHost = 0,
  cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost = 2,
  cudaMemcpyDeviceToDevice = 3,
  cudaMemcpyDefault = 4
} cudaMemcpyKind;

typedef struct CUstream_st* cudaStream_t;
typedef struct CUevent_st* cudaEvent_t;
typedef void (*cudaHostFn_t)(void* userData);

#define cudaStreamLegacy ((cudaStream_t)0x1)    /* as the null stream: the device's own */
#define cudaStreamPerThread ((cudaStream_t)0x2) /* as the null stream */
#define cudaStreamDefault 0x00
#define cudaStreamNonBlocking 0x01
#define cudaEventDefault 0x00
#define cudaEventBlockingSync 0x01
#define cudaEventDisableTiming 0x02
#define cudaEventInterprocess 0x04
#define cudaHostAllocDefault 0x00
#define cudaHostAllocPortable 0x01
#define cudaHostAllocMapped 0x02
#define cudaHostAllocWriteCombined 0x04
#define cudaMemAttachGlobal 0x01
#define cudaMemAttachHost 0x02

/* The fields that examples print. Devices of a host do not compute: their capability is 0.0. */
typedef struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem; /* bytes of the host */
  int major, minor;
  int multiProcessorCount; /* the host's cores */
  int pciBusID, pciDeviceID, pciDomainID;
} cudaDeviceProp;

/* Static texts. Any value is allowed. */
CCL_CUDA_API const char* cudaGetErrorString(cudaError_t error);
CCL_CUDA_API const char* cudaGetErrorName(cudaError_t error);
/* The last error of this thread; Get forgets it. cudaErrorNotReady is none. */
CCL_CUDA_API cudaError_t cudaGetLastError(void);
CCL_CUDA_API cudaError_t cudaPeekAtLastError(void);
CCL_CUDA_API cudaError_t cudaRuntimeGetVersion(int* version);
CCL_CUDA_API cudaError_t cudaDriverGetVersion(int* version);

/* Devices 0 .. count - 1; each thread has a current one, at first 0. cudaErrorInvalidDevice for others. */
CCL_CUDA_API cudaError_t cudaGetDeviceCount(int* count);
CCL_CUDA_API cudaError_t cudaSetDevice(int device);
CCL_CUDA_API cudaError_t cudaGetDevice(int* device);
CCL_CUDA_API cudaError_t cudaGetDeviceProperties(cudaDeviceProp* prop, int device);
/* Blocks until all that is queued on streams of the current device has been done.
 * cudaErrorLaunchFailure when a communicator has failed: ncclGetLastError says how. Not inside a group
 * of nccl.h unless the streams are empty: cudaErrorNotPermitted. So do all calls below that block. */
CCL_CUDA_API cudaError_t cudaDeviceSynchronize(void);
CCL_CUDA_API cudaError_t cudaDeviceReset(void); /* the same; frees nothing */

/* Memory of `size` bytes at a multiple of 4096; 0 bytes are NULL. cudaErrorMemoryAllocation. Freeing
 * blocks as cudaDeviceSynchronize does. All kinds are the same memory. */
CCL_CUDA_API cudaError_t cudaMalloc(void** devPtr, size_t size);
CCL_CUDA_API cudaError_t cudaMallocManaged(void** devPtr, size_t size, unsigned int flags);
CCL_CUDA_API cudaError_t cudaFree(void* devPtr);
CCL_CUDA_API cudaError_t cudaMallocHost(void** ptr, size_t size);
CCL_CUDA_API cudaError_t cudaHostAlloc(void** ptr, size_t size, unsigned int flags);
CCL_CUDA_API cudaError_t cudaFreeHost(void* ptr);
/* Bytes. They block until all streams of the current device but non-blocking ones are empty; the Async
 * forms are queued, and `src` stays valid and unchanged until the stream has been synchronised. */
CCL_CUDA_API cudaError_t cudaMemcpy(void* dst, const void* src, size_t count, cudaMemcpyKind kind);
CCL_CUDA_API cudaError_t cudaMemcpyAsync(void* dst, const void* src, size_t count, cudaMemcpyKind kind,
                                         cudaStream_t stream);
CCL_CUDA_API cudaError_t cudaMemset(void* devPtr, int value, size_t count);
CCL_CUDA_API cudaError_t cudaMemsetAsync(void* devPtr, int value, size_t count, cudaStream_t stream);

/* In-order queues of the current device; any communicator may be used with them. Destroying one waits
 * for its work. The null stream is the device's own. */
CCL_CUDA_API cudaError_t cudaStreamCreate(cudaStream_t* stream);
CCL_CUDA_API cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int flags);
CCL_CUDA_API cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned int flags,
                                                      int priority); /* priorities are not used */
CCL_CUDA_API cudaError_t cudaStreamDestroy(cudaStream_t stream);
CCL_CUDA_API cudaError_t cudaStreamSynchronize(cudaStream_t stream);
/* cudaSuccess when the stream is empty, else cudaErrorNotReady, also when a communicator has failed,
 * until it is aborted. Asked in a loop it makes progress. */
CCL_CUDA_API cudaError_t cudaStreamQuery(cudaStream_t stream);
CCL_CUDA_API cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event,
                                             unsigned int flags);
/* `fn` calls neither this library nor nccl.h. */
CCL_CUDA_API cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t fn, void* userData);

/* Points in a stream. An event that has never been recorded counts as reached. */
CCL_CUDA_API cudaError_t cudaEventCreate(cudaEvent_t* event);
CCL_CUDA_API cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int flags);
CCL_CUDA_API cudaError_t cudaEventDestroy(cudaEvent_t event);
CCL_CUDA_API cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
CCL_CUDA_API cudaError_t cudaEventQuery(cudaEvent_t event);
CCL_CUDA_API cudaError_t cudaEventSynchronize(cudaEvent_t event);
/* Milliseconds; virtual time where the device's communicators are emulated.
 * cudaErrorInvalidResourceHandle without two times of one clock. */
CCL_CUDA_API cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end);

#ifdef __cplusplus
}

/* Typed pointers, as CUDA takes them from C++. */
template <typename T>
cudaError_t cudaMalloc(T** devPtr, size_t size) {
  return cudaMalloc(reinterpret_cast<void**>(devPtr), size);
}
template <typename T>
cudaError_t cudaMallocHost(T** ptr, size_t size) {
  return cudaMallocHost(reinterpret_cast<void**>(ptr), size);
}
template <typename T>
cudaError_t cudaMallocManaged(T** devPtr, size_t size, unsigned int flags = cudaMemAttachGlobal) {
  return cudaMallocManaged(reinterpret_cast<void**>(devPtr), size, flags);
}
#endif

#endif /* CCL_BINDINGS_CUDA_RUNTIME_H_ */
