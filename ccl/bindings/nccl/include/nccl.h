/* NCCL's host API (2.31) on host memory: NCCL's names, values and types; what a call means is said by
 * the function of ccl.h that has its name with the prefix ccl, here by what differs. Programs written
 * for NCCL compile unchanged against this header and cuda_runtime.h beside it.
 *
 * Every function returns a ncclResult_t. ncclInvalidArgument: the call had no effect, the communicator
 * stays usable. Any other error is final for the communicator: what is left is ncclCommAbort, or a
 * shrink with NCCL_SHRINK_ABORT. An error inside a group comes back at once and from ncclGroupEnd, and
 * then nothing of the group starts. Calls on different communicators may come from different threads.
 *
 * Each function has a twin with the prefix pncclX, so that a profiler may put itself in front of ncclX.
 * Not here: NCCL's device API. */
#ifndef NCCL_H_
#define NCCL_H_

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "cuda_runtime.h"

#define NCCL_MAJOR 2
#define NCCL_MINOR 31
#define NCCL_PATCH 2
#define NCCL_SUFFIX ""
#define NCCL_VERSION_CODE 23102
#define NCCL_VERSION(X, Y, Z) \
  (((X) <= 2 && (Y) <= 8) ? (X) * 1000 + (Y) * 100 + (Z) : (X) * 10000 + (Y) * 100 + (Z))

#if defined(__GNUC__)
#define CCL_NCCL_API __attribute__((visibility("default")))
#else
#define CCL_NCCL_API
#endif
/* A function and its twin. */
#define CCL_NCCL_FUNCTION(result, name, parameters) \
  CCL_NCCL_API result name parameters;              \
  CCL_NCCL_API result p##name parameters

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ncclComm* ncclComm_t;
typedef struct ncclWindow_vidmem* ncclWindow_t;
#define NCCL_COMM_NULL NULL

#define NCCL_UNIQUE_ID_BYTES 128
typedef struct {
  char internal[NCCL_UNIQUE_ID_BYTES];
} ncclUniqueId;

typedef enum {
  ncclSuccess = 0,
  ncclUnhandledCudaError = 1,
  ncclSystemError = 2,
  ncclInternalError = 3,
  ncclInvalidArgument = 4,
  ncclInvalidUsage = 5,
  ncclRemoteError = 6,
  ncclInProgress = 7,
  ncclTimeout = 8,
  ncclNumResults = 9
} ncclResult_t;

#define NCCL_CONFIG_UNDEF_INT INT_MIN
#define NCCL_CONFIG_UNDEF_PTR NULL
#define NCCL_SPLIT_NOCOLOR -1
#define NCCL_UNDEF_FLOAT -1.0f
#define NCCL_API_MAGIC 0xcafebeef

#define NCCL_WIN_DEFAULT 0x00
#define NCCL_WIN_COLL_SYMMETRIC 0x01
#define NCCL_WIN_STRICT_ORDERING 0x02
#define NCCL_WIN_REQUIRED_ALIGNMENT 4096

#define NCCL_CTA_POLICY_DEFAULT 0x00
#define NCCL_CTA_POLICY_EFFICIENCY 0x01
#define NCCL_CTA_POLICY_ZERO 0x02

#define NCCL_SHRINK_DEFAULT 0x00
#define NCCL_SHRINK_ABORT 0x01
#define NCCL_REVOKE_DEFAULT 0x00
#define NCCL_SUSPEND_MEM 0x01

typedef enum { ncclNumOps_dummy = 5 } ncclRedOp_dummy_t;
typedef enum {
  ncclSum = 0,
  ncclProd = 1,
  ncclMax = 2,
  ncclMin = 3,
  ncclAvg = 4,
  ncclNumOps = 5,
  ncclMaxRedOp = 0x7fffffff /* what ncclRedOpCreatePreMulSum makes lies between */
} ncclRedOp_t;

typedef enum {
  ncclInt8 = 0, ncclChar = 0,
  ncclUint8 = 1,
  ncclInt32 = 2, ncclInt = 2,
  ncclUint32 = 3,
  ncclInt64 = 4,
  ncclUint64 = 5,
  ncclFloat16 = 6, ncclHalf = 6,
  ncclFloat32 = 7, ncclFloat = 7,
  ncclFloat64 = 8, ncclDouble = 8,
  ncclBfloat16 = 9,
  ncclFloat8e4m3 = 10,
  ncclFloat8e5m2 = 11,
  ncclNumTypes = 12
} ncclDataType_t;

typedef enum { ncclScalarDevice = 0, ncclScalarHostImmediate = 1 } ncclScalarResidence_t;

typedef enum {
  ncclStatGpuMemSuspend = 0,
  ncclStatGpuMemSuspended = 1,
  ncclStatGpuMemPersist = 2,
  ncclStatGpuMemTotal = 3
} ncclCommMemStat_t;

/* Options of a communicator; of a program that was compiled with an older nccl.h as well. Those with an
 * effect: blocking, minCTAs and maxCTAs (channels), netName (one with a colon is a backend of ccl.h,
 * "emulated:crossbar"; others mean nothing here), splitShare, trafficClass, commName, shrinkShare. */
typedef struct ncclConfig_v23100 {
  size_t size;
  unsigned int magic;
  unsigned int version;
  int blocking;
  int cgaClusterSize;
  int minCTAs;
  int maxCTAs;
  const char* netName;
  int splitShare;
  int trafficClass;
  const char* commName;
  int collnetEnable;
  int CTAPolicy;
  int shrinkShare;
  int nvlsCTAs;
  int nChannelsPerNetPeer;
  int nvlinkCentricSched;
  int graphUsageMode;
  int numRmaCtx;
  int maxP2pPeers;
  int graphStreamOrdering;
  int launchOrderImplicit;
  int numRmaSig;
  int rmaEagerInit;
  int hostCftMode;
} ncclConfig_t;
#define NCCL_CONFIG_INITIALIZER                                                                   \
  {                                                                                               \
    sizeof(ncclConfig_t), NCCL_API_MAGIC, NCCL_VERSION_CODE, NCCL_CONFIG_UNDEF_INT,               \
        NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_INT,                      \
        NCCL_CONFIG_UNDEF_PTR, NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_INT,                      \
        NCCL_CONFIG_UNDEF_PTR, NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_INT,                      \
        NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_INT,                      \
        NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_INT,                      \
        NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_INT,                      \
        NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_INT                       \
  }

typedef struct ncclConfigExt {
  struct ncclConfigExt* next;
  struct {
    int vendorId;
    int optionId;
  } key;
  union {
    int i;
    const char* s;
    void* raw;
  } val;
} ncclConfigExt_t;

/* Options of a call, equal on all ranks. Those with an effect: maxCTAs (channels), algSelection (an
 * algorithm of ccl.h, "hier(two_shot+nhr)*4", or NCCL's "RING..." and "TREE..."; those of switches and
 * symmetric kernels are unsatisfiable), forceAlgSelection, userProfilerTag. */
typedef struct ncclCollConfig_v23100 {
  size_t size;
  unsigned int magic;
  unsigned int version;
  ncclConfigExt_t* ext;
  int minCTAs;
  int maxCTAs;
  int nvlsCTAs;
  int cgaClusterSize;
  const char* algSelection;
  int forceAlgSelection;
  int CTAPolicy;
  uint64_t userProfilerTag;
} ncclCollConfig_t;
#define NCCL_COLLCONFIG_INITIALIZER                                                            \
  {                                                                                            \
    sizeof(ncclCollConfig_t), NCCL_API_MAGIC, NCCL_VERSION_CODE, NCCL_CONFIG_UNDEF_PTR,        \
        NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_INT,                   \
        NCCL_CONFIG_UNDEF_INT, NCCL_CONFIG_UNDEF_PTR, 1, NCCL_CONFIG_UNDEF_INT, 0              \
  }

typedef struct ncclSimInfo_v22200 {
  size_t size;
  unsigned int magic;
  unsigned int version;
  float estimatedTime; /* microseconds */
} ncclSimInfo_t;
#define NCCL_SIM_INFO_INITIALIZER \
  { sizeof(ncclSimInfo_t), 0x74685283, NCCL_VERSION_CODE, NCCL_UNDEF_FLOAT }

typedef struct {
  int opCnt;
  int peer;
  int sigIdx;
  int ctx;
} ncclWaitSignalDesc_t;

/* Memory, version, errors. ncclGetLastError: of this thread; `comm` is not used. */
CCL_NCCL_FUNCTION(ncclResult_t, ncclMemAlloc, (void** ptr, size_t size));
CCL_NCCL_FUNCTION(ncclResult_t, ncclMemFree, (void* ptr));
CCL_NCCL_FUNCTION(ncclResult_t, ncclGetVersion, (int* version));
CCL_NCCL_FUNCTION(const char*, ncclGetErrorString, (ncclResult_t result));
CCL_NCCL_FUNCTION(const char*, ncclGetLastError, (ncclComm_t comm));

/* Communicators. A communicator stands on the device that was current in ncclCommInitRank, or that
 * `devlist` names (NULL: 0 .. ndev - 1); one made of another stands where that does.
 * ncclCommInitRankScalable joins by the first of the `nId` ids. A communicator does not grow:
 * ncclCommGetUniqueId and ncclCommGrow are ncclInvalidUsage. */
CCL_NCCL_FUNCTION(ncclResult_t, ncclGetUniqueId, (ncclUniqueId* uniqueId));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommInitRankConfig,
                  (ncclComm_t* comm, int nranks, ncclUniqueId commId, int rank, ncclConfig_t* config));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommInitRank,
                  (ncclComm_t* comm, int nranks, ncclUniqueId commId, int rank));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommInitAll, (ncclComm_t* comm, int ndev, const int* devlist));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommInitRankScalable,
                  (ncclComm_t* newcomm, int nranks, int myrank, int nId, ncclUniqueId* commIds,
                   ncclConfig_t* config));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommSplit,
                  (ncclComm_t comm, int color, int key, ncclComm_t* newcomm, ncclConfig_t* config));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommShrink,
                  (ncclComm_t comm, int* excludeRanksList, int excludeRanksCount,
                   ncclComm_t* newcomm, ncclConfig_t* config, int shrinkFlags));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommGetUniqueId, (ncclComm_t comm, ncclUniqueId* uniqueId));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommGrow,
                  (ncclComm_t comm, int nRanks, const ncclUniqueId* uniqueId, int rank,
                   ncclComm_t* newcomm, ncclConfig_t* config));
/* In a group these three happen at its end. ncclCommDestroy finalises first, if nobody has. */
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommFinalize, (ncclComm_t comm));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommDestroy, (ncclComm_t comm));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommAbort, (ncclComm_t comm));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommRevoke, (ncclComm_t comm, int revokeFlags));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommGetAsyncError, (ncclComm_t comm, ncclResult_t* asyncError));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommCount, (const ncclComm_t comm, int* count));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommCuDevice, (const ncclComm_t comm, int* device));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommUserRank, (const ncclComm_t comm, int* rank));
/* Host memory is not given back: both succeed and change nothing. */
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommSuspend, (ncclComm_t comm, int flags));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommResume, (ncclComm_t comm));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommMemStats,
                  (ncclComm_t comm, ncclCommMemStat_t stat, uint64_t* value));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommRegister,
                  (const ncclComm_t comm, void* buff, size_t size, void** handle));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommDeregister, (const ncclComm_t comm, void* handle));

/* Windows. */
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommWindowRegister,
                  (ncclComm_t comm, void* buff, size_t size, ncclWindow_t* win, int winFlags));
CCL_NCCL_FUNCTION(ncclResult_t, ncclCommWindowDeregister, (ncclComm_t comm, ncclWindow_t win));
CCL_NCCL_FUNCTION(ncclResult_t, ncclWinGetUserPtr,
                  (ncclComm_t comm, ncclWindow_t win, void** outUserPtr));
CCL_NCCL_FUNCTION(ncclResult_t, ncclPutSignal,
                  (const void* localbuff, size_t count, ncclDataType_t datatype, int peer,
                   ncclWindow_t peerWin, size_t peerWinOffset, int sigIdx, int ctx,
                   unsigned int flags, ncclComm_t comm, cudaStream_t stream));
CCL_NCCL_FUNCTION(ncclResult_t, ncclSignal,
                  (int peer, int sigIdx, int ctx, unsigned int flags, ncclComm_t comm,
                   cudaStream_t stream));
CCL_NCCL_FUNCTION(ncclResult_t, ncclWaitSignal,
                  (int nDesc, ncclWaitSignalDesc_t* signalDescs, ncclComm_t comm,
                   cudaStream_t stream));

CCL_NCCL_FUNCTION(ncclResult_t, ncclRedOpCreatePreMulSum,
                  (ncclRedOp_t* op, void* scalar, ncclDataType_t datatype,
                   ncclScalarResidence_t residence, ncclComm_t comm));
CCL_NCCL_FUNCTION(ncclResult_t, ncclRedOpDestroy, (ncclRedOp_t op, ncclComm_t comm));

/* Collectives and messages: queued on the stream, which may be one of any device. Counts are elements:
 * of the vector, or of one rank's block where there are blocks. */
CCL_NCCL_FUNCTION(ncclResult_t, ncclReduce,
                  (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                   ncclRedOp_t op, int root, ncclComm_t comm, cudaStream_t stream));
CCL_NCCL_FUNCTION(ncclResult_t, ncclBcast,
                  (void* buff, size_t count, ncclDataType_t datatype, int root, ncclComm_t comm,
                   cudaStream_t stream));
CCL_NCCL_FUNCTION(ncclResult_t, ncclBroadcast,
                  (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                   int root, ncclComm_t comm, cudaStream_t stream));
CCL_NCCL_FUNCTION(ncclResult_t, ncclAllReduce,
                  (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                   ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream));
CCL_NCCL_FUNCTION(ncclResult_t, ncclReduceScatter,
                  (const void* sendbuff, void* recvbuff, size_t recvcount, ncclDataType_t datatype,
                   ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream));
CCL_NCCL_FUNCTION(ncclResult_t, ncclAllGather,
                  (const void* sendbuff, void* recvbuff, size_t sendcount, ncclDataType_t datatype,
                   ncclComm_t comm, cudaStream_t stream));
CCL_NCCL_FUNCTION(ncclResult_t, ncclAlltoAll,
                  (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                   ncclComm_t comm, cudaStream_t stream));
CCL_NCCL_FUNCTION(ncclResult_t, ncclGather,
                  (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                   int root, ncclComm_t comm, cudaStream_t stream));
CCL_NCCL_FUNCTION(ncclResult_t, ncclScatter,
                  (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                   int root, ncclComm_t comm, cudaStream_t stream));
CCL_NCCL_FUNCTION(ncclResult_t, ncclSend,
                  (const void* sendbuff, size_t count, ncclDataType_t datatype, int peer,
                   ncclComm_t comm, cudaStream_t stream));
CCL_NCCL_FUNCTION(ncclResult_t, ncclRecv,
                  (void* recvbuff, size_t count, ncclDataType_t datatype, int peer, ncclComm_t comm,
                   cudaStream_t stream));

/* The same with options for the call; NULL: none. */
CCL_NCCL_FUNCTION(ncclResult_t, ncclAllReduceConfig,
                  (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                   ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream,
                   const ncclCollConfig_t* config));
CCL_NCCL_FUNCTION(ncclResult_t, ncclBroadcastConfig,
                  (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                   int root, ncclComm_t comm, cudaStream_t stream, const ncclCollConfig_t* config));
CCL_NCCL_FUNCTION(ncclResult_t, ncclReduceConfig,
                  (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                   ncclRedOp_t op, int root, ncclComm_t comm, cudaStream_t stream,
                   const ncclCollConfig_t* config));
CCL_NCCL_FUNCTION(ncclResult_t, ncclAllGatherConfig,
                  (const void* sendbuff, void* recvbuff, size_t sendcount, ncclDataType_t datatype,
                   ncclComm_t comm, cudaStream_t stream, const ncclCollConfig_t* config));
CCL_NCCL_FUNCTION(ncclResult_t, ncclReduceScatterConfig,
                  (const void* sendbuff, void* recvbuff, size_t recvcount, ncclDataType_t datatype,
                   ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream,
                   const ncclCollConfig_t* config));
CCL_NCCL_FUNCTION(ncclResult_t, ncclAlltoAllConfig,
                  (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                   ncclComm_t comm, cudaStream_t stream, const ncclCollConfig_t* config));
CCL_NCCL_FUNCTION(ncclResult_t, ncclGatherConfig,
                  (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                   int root, ncclComm_t comm, cudaStream_t stream, const ncclCollConfig_t* config));
CCL_NCCL_FUNCTION(ncclResult_t, ncclScatterConfig,
                  (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                   int root, ncclComm_t comm, cudaStream_t stream, const ncclCollConfig_t* config));

/* Groups, of a thread. ncclGroupSimulateEnd ends one without running it and predicts its time, of all
 * its operations. */
CCL_NCCL_FUNCTION(ncclResult_t, ncclGroupStart, (void));
CCL_NCCL_FUNCTION(ncclResult_t, ncclGroupEnd, (void));
CCL_NCCL_FUNCTION(ncclResult_t, ncclGroupSimulateEnd, (ncclSimInfo_t* simInfo));

/* Parameters: the environment variables of ccl.h by their names, "CCL_ALGO"; numbers are numbers, the
 * rest are strings, and a getter of the other kind or too short is ncclInvalidArgument. Strings and
 * tables stay valid until the thread's next call of the same function. ncclParamDumpAll prints to
 * standard error. */
typedef struct ncclParamHandle* ncclParamHandle_t;
CCL_NCCL_FUNCTION(ncclResult_t, ncclParamBind, (ncclParamHandle_t* out, const char* key));
CCL_NCCL_FUNCTION(ncclResult_t, ncclParamGetI8, (ncclParamHandle_t h, int8_t* out));
CCL_NCCL_FUNCTION(ncclResult_t, ncclParamGetI16, (ncclParamHandle_t h, int16_t* out));
CCL_NCCL_FUNCTION(ncclResult_t, ncclParamGetI32, (ncclParamHandle_t h, int32_t* out));
CCL_NCCL_FUNCTION(ncclResult_t, ncclParamGetI64, (ncclParamHandle_t h, int64_t* out));
CCL_NCCL_FUNCTION(ncclResult_t, ncclParamGetU8, (ncclParamHandle_t h, uint8_t* out));
CCL_NCCL_FUNCTION(ncclResult_t, ncclParamGetU16, (ncclParamHandle_t h, uint16_t* out));
CCL_NCCL_FUNCTION(ncclResult_t, ncclParamGetU32, (ncclParamHandle_t h, uint32_t* out));
CCL_NCCL_FUNCTION(ncclResult_t, ncclParamGetU64, (ncclParamHandle_t h, uint64_t* out));
CCL_NCCL_FUNCTION(ncclResult_t, ncclParamGetStr, (ncclParamHandle_t h, const char** out));
CCL_NCCL_FUNCTION(ncclResult_t, ncclParamGet, (ncclParamHandle_t h, void* out, int maxLen, int* len));
CCL_NCCL_FUNCTION(ncclResult_t, ncclParamGetParameter,
                  (const char* key, const char** value, int* valueLen));
CCL_NCCL_FUNCTION(ncclResult_t, ncclParamGetAllParameterKeys, (const char*** table, int* tableLen));
CCL_NCCL_FUNCTION(void, ncclParamDumpAll, (void));

#ifdef __cplusplus
}
#endif

#endif /* NCCL_H_ */
