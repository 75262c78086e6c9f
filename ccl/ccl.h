/* Collective communication on host memory, shaped like NCCL: the same names with the prefix ccl, the
 * same values, the same meaning. Ranks are real (MPI processes) or endpoints of an emulated fabric.
 *
 * Every function returns a cclResult_t. After an error cclGetLastError(comm) says what happened, on
 * which rank, in which operation. cclInvalidArgument and cclInvalidUsage leave the communicator
 * usable; every other error is final for the communicator.
 *
 * Buffers belong to the caller and stay valid and, for inputs, unchanged until the stream has been
 * synchronised; after a cclCommDestroy with work under way, until the last communicator of the world
 * is destroyed. Calls on different communicators may come from different threads. On an emulated
 * backend an endpoint belongs to the thread that created its communicator, or that waits for it:
 * virtual time moves on when every endpoint is blocked in a Synchronize. */
#ifndef CCL_CCL_H_
#define CCL_CCL_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CCL_API __attribute__((visibility("default")))
#else
#define CCL_API
#endif

/* A caller may pass any int: an unknown value is an error, never undefined. */
#ifdef __cplusplus
#define CCL_ENUM : int
extern "C" {
#else
#define CCL_ENUM
#endif

#define CCL_MAJOR 0
#define CCL_MINOR 1
#define CCL_PATCH 0
#define CCL_VERSION_CODE (CCL_MAJOR * 10000 + CCL_MINOR * 100 + CCL_PATCH)

typedef enum CCL_ENUM {
  cclSuccess = 0,
  cclUnhandledBackendError = 1,
  cclSystemError = 2,
  cclInternalError = 3,
  cclInvalidArgument = 4,
  cclInvalidUsage = 5,
  cclRemoteError = 6,
  cclInProgress = 7
} cclResult_t;

typedef enum CCL_ENUM {
  cclInt8 = 0, cclChar = 0,
  cclUint8 = 1,
  cclInt32 = 2, cclInt = 2,
  cclUint32 = 3,
  cclInt64 = 4,
  cclUint64 = 5,
  cclFloat16 = 6, cclHalf = 6,
  cclFloat32 = 7, cclFloat = 7,
  cclFloat64 = 8, cclDouble = 8,
  cclBfloat16 = 9,
  cclFloat8e4m3 = 10, /* no infinities: what is too large becomes 448 */
  cclFloat8e5m2 = 11,
  cclInt16 = 12,      /* NCCL has none: this value and the next are ours */
  cclUint16 = 13,
  cclNumTypes = 14
} cclDataType_t;

typedef enum CCL_ENUM {
  cclSum = 0, cclProd = 1, cclMax = 2, cclMin = 3, cclAvg = 4, cclNumOps = 5
} cclRedOp_t;

typedef struct cclComm* cclComm_t;
typedef struct cclStream* cclStream_t;

#define CCL_UNIQUE_ID_BYTES 128
typedef struct {
  char internal[CCL_UNIQUE_ID_BYTES];
} cclUniqueId;

/* Options of a communicator. Initialise with CCL_CONFIG_INITIALIZER; equal on all ranks. */
typedef struct {
  size_t size;           /* set by the initialiser: the version of this struct */
  unsigned int magic;
  const char* backend;   /* "mpi:", "emulated:FABRIC?ranks=N&engine=E&trace=FILE&pace=X&set=KEY=VALUE";
                            NULL: the environment's CCL_BACKEND, else mpi: under mpirun, else
                            emulated:crossbar */
  const char* algorithms; /* overrides as in CCL_ALGO, which they go before; NULL: none */
  int phantom;           /* 1: buffers are not touched and may be NULL; emulated backends only */
} cclConfig_t;
#define CCL_CONFIG_INITIALIZER \
  { sizeof(cclConfig_t), 0xcc1cafeu, NULL, NULL, 0 }

CCL_API cclResult_t cclGetVersion(int* version);
CCL_API const char* cclGetErrorString(cclResult_t result);
/* The last error of this thread, whatever the communicator; "" when there was none. The text stays
 * valid until the thread's next failing call. */
CCL_API const char* cclGetLastError(cclComm_t comm);

/* A name under which ranks find each other; rank 0 makes it and hands it to the others. */
CCL_API cclResult_t cclGetUniqueId(cclUniqueId* id);

/* Joins a communicator of `nranks` as `rank`. Emulated: ranks are threads of this process that use
 * one id, or one thread between cclGroupStart and cclGroupEnd. MPI: `rank` is that of MPI.
 * A rank joins a communicator once: to join again, even after cclCommDestroy, takes another id while
 * other ranks live on (cclInvalidUsage). A configuration unlike the other ranks' is
 * cclInvalidArgument. */
CCL_API cclResult_t cclCommInitRank(cclComm_t* comm, int nranks, cclUniqueId id, int rank);
CCL_API cclResult_t cclCommInitRankConfig(cclComm_t* comm, int nranks, cclUniqueId id, int rank,
                                          const cclConfig_t* config);
/* All `ndev` ranks of an emulated world for this thread. `devlist` is not used and may be NULL. */
CCL_API cclResult_t cclCommInitAll(cclComm_t* comms, int ndev, const int* devlist);
CCL_API cclResult_t cclCommInitAllConfig(cclComm_t* comms, int ndev, const int* devlist,
                                         const cclConfig_t* config);
/* Waits for nothing; outstanding work of this rank is dropped. */
CCL_API cclResult_t cclCommDestroy(cclComm_t comm);
CCL_API cclResult_t cclCommCount(cclComm_t comm, int* count);
CCL_API cclResult_t cclCommUserRank(cclComm_t comm, int* rank);
/* cclSuccess, or the world's first error. */
CCL_API cclResult_t cclCommGetAsyncError(cclComm_t comm, cclResult_t* error);
/* Picoseconds: virtual time on an emulated backend, a monotonic clock otherwise. */
CCL_API cclResult_t cclCommGetTime(cclComm_t comm, int64_t* picoseconds);
/* Waits for everything on the communicator's own stream (the one that NULL stands for). */
CCL_API cclResult_t cclCommSynchronize(cclComm_t comm);

/* In-order queues of one rank's operations. */
CCL_API cclResult_t cclStreamCreate(cclComm_t comm, cclStream_t* stream);
CCL_API cclResult_t cclStreamDestroy(cclStream_t stream);
CCL_API cclResult_t cclStreamSynchronize(cclStream_t stream);
/* cclSuccess when the stream is empty, else cclInProgress. Virtual time does not move on: on an
 * emulated backend only Synchronize makes progress. */
CCL_API cclResult_t cclStreamQuery(cclStream_t stream);
/* The rank computes for so long: virtual time on an emulated backend, nothing on a real one. */
CCL_API cclResult_t cclStreamCompute(cclStream_t stream, int64_t picoseconds);
CCL_API cclResult_t cclCommCompute(cclComm_t comm, int64_t picoseconds);

/* Operations between cclGroupStart and cclGroupEnd start together; errors come back from
 * cclGroupEnd. Groups nest. A thread that drives several ranks needs one. */
CCL_API cclResult_t cclGroupStart(void);
CCL_API cclResult_t cclGroupEnd(void);

/* Collectives return when they are queued. Counts are elements and NCCL's: of the whole vector for
 * allreduce, broadcast and reduce; of one rank's block for the others. In place: sendbuff ==
 * recvbuff, or the block of the rank within the larger buffer, as in NCCL. */
CCL_API cclResult_t cclAllReduce(const void* sendbuff, void* recvbuff, size_t count,
                                 cclDataType_t type, cclRedOp_t op, cclComm_t comm,
                                 cclStream_t stream);
CCL_API cclResult_t cclBroadcast(const void* sendbuff, void* recvbuff, size_t count,
                                 cclDataType_t type, int root, cclComm_t comm, cclStream_t stream);
CCL_API cclResult_t cclReduce(const void* sendbuff, void* recvbuff, size_t count,
                              cclDataType_t type, cclRedOp_t op, int root, cclComm_t comm,
                              cclStream_t stream);
CCL_API cclResult_t cclAllGather(const void* sendbuff, void* recvbuff, size_t sendcount,
                                 cclDataType_t type, cclComm_t comm, cclStream_t stream);
CCL_API cclResult_t cclReduceScatter(const void* sendbuff, void* recvbuff, size_t recvcount,
                                     cclDataType_t type, cclRedOp_t op, cclComm_t comm,
                                     cclStream_t stream);
CCL_API cclResult_t cclAlltoAll(const void* sendbuff, void* recvbuff, size_t count,
                                cclDataType_t type, cclComm_t comm, cclStream_t stream);
CCL_API cclResult_t cclGather(const void* sendbuff, void* recvbuff, size_t count,
                              cclDataType_t type, int root, cclComm_t comm, cclStream_t stream);
CCL_API cclResult_t cclScatter(const void* sendbuff, void* recvbuff, size_t count,
                               cclDataType_t type, int root, cclComm_t comm, cclStream_t stream);
CCL_API cclResult_t cclBarrier(cclComm_t comm, cclStream_t stream);
CCL_API cclResult_t cclSend(const void* sendbuff, size_t count, cclDataType_t type, int peer,
                            cclComm_t comm, cclStream_t stream);
CCL_API cclResult_t cclRecv(void* recvbuff, size_t count, cclDataType_t type, int peer,
                            cclComm_t comm, cclStream_t stream);

#ifdef __cplusplus
}
#endif

#endif /* CCL_CCL_H_ */
