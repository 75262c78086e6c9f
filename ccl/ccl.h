/* Collective communication on host memory, shaped like NCCL: the same names with the prefix ccl, the
 * same values, the same meaning. Ranks are real (processes or threads) or endpoints of an emulated fabric.
 *
 * Every function returns a cclResult_t. After an error cclGetLastError(comm) says what happened, on
 * which rank, in which operation. A call that is refused with cclInvalidArgument or cclInvalidUsage
 * had no effect, and the communicator stays usable. What an operation under way meets is final for the
 * communicator: every later call returns it, cclCommGetAsyncError too, and what is left is to shrink
 * it with CCL_SHRINK_ABORT, to abort or to destroy it. Other communicators of the world go on.
 *
 * What holds where a function says nothing else. Counts are elements, sizes bytes, times picoseconds;
 * ranks, roots and peers are of the communicator, from 0. It does not block. It is safe to call for
 * different communicators from different threads, and for one of them, with its streams, from one
 * thread at a time; what takes neither is thread-safe. A result is written on success only. Errors:
 * cclInvalidArgument for a null pointer, a handle that is none and a value out of its range;
 * cclInvalidUsage inside a group where it waits or ends something, after cclCommFinalize and
 * cclCommRevoke, and from within a host function; the communicator's first error.
 *
 * Buffers belong to the caller and stay valid and, for inputs, unchanged until the stream has been
 * synchronised; after an abort, a revocation or a cclCommDestroy with work under way, until the last
 * communicator of the world is destroyed. Calls on different communicators may come from different threads. On an emulated
 * backend an endpoint belongs to the thread that created its communicator, or that waits for it:
 * virtual time moves on when every endpoint is blocked in a Synchronize. */
#ifndef CCL_CCL_H_
#define CCL_CCL_H_

#include <limits.h>
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
  cclInProgress = 7,
  cclTimeout = 8,
  cclNumResults = 9
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
  cclSum = 0,
  cclProd = 1,
  cclMax = 2,
  cclMin = 3,
  /* The sum over the number of ranks. Integers are summed, wrapping, and divided, towards zero; so are
   * float32, float64 and bfloat16. float16 and both 8-bit floats, whose sums would overflow, are
   * multiplied by 1 / ranks first and then summed, as all floats are in NCCL. */
  cclAvg = 4,
  cclBand = 5, /* bitwise and, or, exclusive or of integers: NCCL has none, the values are ours */
  cclBor = 6,
  cclBxor = 7,
  cclNumOps = 8,
  cclMaxRedOp = 0x7fffffff /* what cclRedOpCreate... make lies between */
} cclRedOp_t;

typedef enum CCL_ENUM {
  cclScalarDevice = 0,       /* read when an operation starts; valid until it has ended */
  cclScalarHostImmediate = 1 /* read before the function returns */
} cclScalarResidence_t;

/* result[i] = left[i] (op) right[i] for `count` elements; `left` is of lower ranks. `result` may be
 * `left` or `right`, otherwise nothing overlaps. Called on whichever thread of the process makes
 * progress, with parts of a buffer in any order; must neither call ccl functions nor block. */
typedef void (*cclRedOpFunction_t)(const void* left, const void* right, void* result, size_t count,
                                   cclDataType_t type, void* user);

typedef struct cclComm* cclComm_t;
typedef struct cclStream* cclStream_t;
typedef struct cclEvent* cclEvent_t;
typedef void (*cclHostFn_t)(void* userData);

#define CCL_UNIQUE_ID_BYTES 128
typedef struct {
  char internal[CCL_UNIQUE_ID_BYTES];
} cclUniqueId;

/* What is asked of the bits of reductions whose result depends on the order, which is all but built-in
 * ones of integers. */
typedef enum CCL_ENUM {
  cclDeterminismOff = 0,
  cclDeterminismRunToRun = 1,       /* the same call gives the same bits in every run: all do */
  cclDeterminismShapeInvariant = 2  /* bits depend on the order of ranks only, not on count, channels,
                                       algorithm or transport: one left fold in order of rank */
} cclDeterminism_t;

#define CCL_CONFIG_UNDEF_INT INT_MIN

/* Options of a communicator. Initialise with CCL_CONFIG_INITIALIZER; equal on all ranks but for
 * `blocking`, `commName`, `flightFolder` and `flightSignal`. A program that was compiled with an older ccl.h may go on with it. */
typedef struct {
  size_t size;           /* set by the initialiser: the version of this struct */
  unsigned int magic;
  const char* backend;   /* "mpi:", "tcp:", "shm:", "local:", "emulated:FABRIC?ranks=N&engine=E&trace=FILE&pace=X&set=KEY=VALUE";
                            NULL: the environment's CCL_BACKEND, else mpi: under mpirun, else
                            emulated:crossbar */
  const char* algorithms; /* overrides as in CCL_ALGO, which they go before; NULL: none */
  int phantom;           /* 1: buffers are not touched and may be NULL; emulated backends only */
  /* Since 0.2. CCL_CONFIG_UNDEF_INT and NULL: the default, or the parent's. */
  int blocking;          /* 1 (default): calls that make or end a communicator return when they are
                            done; 0: they return cclInProgress, and cclCommGetAsyncError tells. The first
                            communicator of real ranks, cclCommInitRank's, waits for them all the same */
  const char* commName;  /* for reports */
  int trafficClass;      /* 0..255: accepted, no effect, because no transport has traffic classes */
  int minChannels, maxChannels; /* pieces that a vector is cut in (`channels` of a call) by what the
                            planner chooses lie between; 0: as suits. The least is at most the most, also
                            where the environment has set one of them. A call that says `channels` or an
                            algorithm, and rules, go before */
  int deterministic;     /* cclDeterminism_t; default: off. CCL_DETERMINISTIC (off, run-to-run,
                            shape-invariant) goes before it */
  int timeoutMs;         /* of an operation, in real time, from its start; then cclTimeout says what it
                            waits for. 0 (default): none */
  int abortOnTimeout;    /* 1: what has taken too long is dropped then */
  int check;             /* 1: calls are compared between ranks, and a disagreement is cclInvalidUsage
                            on all of them that names two ranks and both calls. Default: on emulated
                            backends, where it is free; on real ones every collective waits for an
                            allgather of 64 bytes first */
  int splitShare, shrinkShare; /* accepted, no effect: communicators of a world share all they can */
  const char* flightFolder; /* where the communicator's last operations are written to, as by
                            cclCommDumpFlight, when one fails or takes too long, once a rank, as
                            flight-HOST-PROCESS-rRANK-N.json. NULL: nowhere */
  int flightSignal;      /* SIGUSR1, SIGUSR2 or SIGHUP: the process writes those files, anew, when it gets
                            this signal, whose handler is the library's while the communicator lives.
                            0 (default): none */
} cclConfig_t;
#define CCL_CONFIG_INITIALIZER                                                                        \
  {                                                                                                   \
    sizeof(cclConfig_t), 0xcc1cafeu, NULL, NULL, 0, CCL_CONFIG_UNDEF_INT, NULL, CCL_CONFIG_UNDEF_INT, \
        CCL_CONFIG_UNDEF_INT, CCL_CONFIG_UNDEF_INT, CCL_CONFIG_UNDEF_INT, CCL_CONFIG_UNDEF_INT,       \
        CCL_CONFIG_UNDEF_INT, CCL_CONFIG_UNDEF_INT, CCL_CONFIG_UNDEF_INT, CCL_CONFIG_UNDEF_INT, NULL, \
        CCL_CONFIG_UNDEF_INT                                                                          \
  }

/* CCL_VERSION_CODE of the library. */
CCL_API cclResult_t cclGetVersion(int* version);
/* A static text, for any value. */
CCL_API const char* cclGetErrorString(cclResult_t result);
/* The last error of this thread, whatever the communicator; "" when there was none. The text stays
 * valid until the thread's next failing call. */
CCL_API const char* cclGetLastError(cclComm_t comm);

/* The options that there are, numbered from 0, and what they are where a program states nothing: for
 * people; `cclbench options` prints them. Past the last, and where a variable of the environment is not
 * understood, cclInvalidArgument. The texts, none of them NULL, stay valid until the thread's next
 * cclGetOption. Thread-safe. */
typedef struct {
  const char* field;    /* of cclConfig_t; "" for none */
  const char* variable; /* of the environment; "" for none */
  const char* value;
  const char* origin;   /* "default" or "environment" */
  const char* meaning;
} cclOption_t;
CCL_API cclResult_t cclGetOption(int number, cclOption_t* option);

/* A name under which ranks find each other, CCL_UNIQUE_ID_BYTES of them; rank 0 makes it and hands it to
 * the others. Where CCL_BACKEND is tcp: or shm: it says where the ranks meet, at a port that this opens, and
 * has the secret that lets them in: a rank of the process that made it takes part, and it makes one
 * communicator. For any other backend any id does. Errors: cclInvalidArgument of such a URL, cclSystemError of the network. Thread-safe. */
CCL_API cclResult_t cclGetUniqueId(cclUniqueId* id);

/* Joins a communicator of `nranks` as `rank`. Emulated: ranks are threads of this process that use
 * one id, or one thread between cclGroupStart and cclGroupEnd. MPI: `rank` is that of MPI.
 * local: ranks are threads of this process that use one id, in real time.
 * tcp: and shm:, ranks are processes or threads, which meet by the id, or without one (of zeros, say) by
 * RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and CCL_SECRET; cclRemoteError says who has not come in time.
 * A rank joins a communicator once: to join again, even after cclCommDestroy, takes another id while
 * other ranks live on (cclInvalidUsage). A configuration unlike the other ranks' is
 * cclInvalidArgument. Emulated, it does not wait for the others; else it does. Thread-safe. Errors
 * besides: what the backend's URL or the fabric lacks, cclSystemError and cclRemoteError of MPI; *comm is
 * null then. */
CCL_API cclResult_t cclCommInitRank(cclComm_t* comm, int nranks, cclUniqueId id, int rank);
CCL_API cclResult_t cclCommInitRankConfig(cclComm_t* comm, int nranks, cclUniqueId id, int rank,
                                          const cclConfig_t* config);
/* All `ndev` ranks for this thread, of an emulated world or of any whose ranks may be threads (local:, shm:,
 * tcp:), into an array of so many. `devlist` is not used and may be NULL. Thread-safe; on an error nothing is made. In real time
 * a thread of its own for every rank is faster. */
CCL_API cclResult_t cclCommInitAll(cclComm_t* comms, int ndev, const int* devlist);
CCL_API cclResult_t cclCommInitAllConfig(cclComm_t* comms, int ndev, const int* devlist,
                                         const cclConfig_t* config);

/* Splits a communicator: the ranks of one color (0 or more) become one, ordered by key, then by rank;
 * a rank with CCL_SPLIT_NOCOLOR takes part and gets NULL. Collective over the ranks of `comm`, which
 * has no operation under way; one thread with several of its ranks splits them in one group. `config`
 * may be NULL: that of `comm`; its backend and phantom are not used. Splits of splits, in any order of
 * destruction, also before the parent's. Blocks unless configured otherwise; then it returns
 * cclInProgress, and so does cclCommGetAsyncError of the new communicator (of `comm` for a rank
 * without color) until it is there. One thread a communicator.
 * Errors: a negative color; configurations that differ; cclInvalidUsage when the world has no numbers
 * left for another communicator (some hundred over MPI) or a rank never comes. */
#define CCL_SPLIT_NOCOLOR -1
CCL_API cclResult_t cclCommSplit(cclComm_t comm, int color, int key, cclComm_t* newcomm,
                                 const cclConfig_t* config);
/* A communicator of the ranks of `comm` that are not among the `excludeRanksCount` in
 * `excludeRanksList`, in their order. Only these call. CCL_SHRINK_DEFAULT: no operation is under way,
 * and `comm` stays as it is. CCL_SHRINK_ABORT: operations of the rank are aborted first, whatever
 * state `comm` is in; it can only be destroyed then. Otherwise like cclCommSplit. */
#define CCL_SHRINK_DEFAULT 0
#define CCL_SHRINK_ABORT 1
CCL_API cclResult_t cclCommShrink(cclComm_t comm, const int* excludeRanksList, int excludeRanksCount,
                                  cclComm_t* newcomm, const cclConfig_t* config, int shrinkFlags);
/* Stops the rank's operations under way, whose waiters get cclInvalidUsage, and refuses new ones.
 * Split, shrink and destroy remain. Local: every rank revokes for itself. From any thread; `flags` is
 * 0. */
CCL_API cclResult_t cclCommRevoke(cclComm_t comm, int revokeFlags);
/* Waits for everything on all of the rank's streams; afterwards there are no more operations. Not
 * after cclCommRevoke. A non-blocking communicator returns cclInProgress until that is so. */
CCL_API cclResult_t cclCommFinalize(cclComm_t comm);
/* Waits for nothing, unlike NCCL's: outstanding work of this rank is dropped (call cclCommFinalize
 * before, to have it done). Streams of the communicator can only be destroyed then. */
CCL_API cclResult_t cclCommDestroy(cclComm_t comm);
/* Ends a communicator whose operations may never end, from any thread: who waits for them in another
 * thread returns with cclInvalidUsage first. Local; peers learn of it by their own waiting. */
CCL_API cclResult_t cclCommAbort(cclComm_t comm);
/* The number of ranks, and this one's, 0 .. count - 1. */
CCL_API cclResult_t cclCommCount(cclComm_t comm, int* count);
CCL_API cclResult_t cclCommUserRank(cclComm_t comm, int* rank);
/* `error`: cclInProgress while the communicator is being made or finalised, which this moves on; else
 * cclSuccess, or the first error of the communicator or its world. In virtual time a thread that asks
 * while a communicator is being finalised counts as waiting: when everybody waits, the clock moves to
 * the next event. */
CCL_API cclResult_t cclCommGetAsyncError(cclComm_t comm, cclResult_t* error);
/* Picoseconds: virtual time on an emulated backend, a monotonic clock otherwise. */
CCL_API cclResult_t cclCommGetTime(cclComm_t comm, int64_t* picoseconds);
/* Bytes of memory. Persist: of the communicator; Total: with the scratch of operations that have not
 * ended. There is nothing to suspend: the other two are 0. */
typedef enum CCL_ENUM {
  cclStatMemSuspend = 0,
  cclStatMemSuspended = 1,
  cclStatMemPersist = 2,
  cclStatMemTotal = 3
} cclCommMemStat_t;
CCL_API cclResult_t cclCommMemStats(cclComm_t comm, cclCommMemStat_t stat, uint64_t* value);
/* Writes the communicator's last 64 operations (arguments, algorithm, times, state, and of those under
 * way what they wait for; predicted times and tags) to a file, as JSON; `cclbench flight` reads those of all ranks and says what
 * went wrong first. From any thread, also after an error. Nothing is recorded where a process has more
 * than 4096 ranks. */
CCL_API cclResult_t cclCommDumpFlight(cclComm_t comm, const char* path);
/* Waits for everything on the communicator's own stream (the one that NULL stands for), as
 * cclStreamSynchronize does. */
CCL_API cclResult_t cclCommSynchronize(cclComm_t comm);

/* Memory for buffers, in `size` bytes, at a multiple of 4096; 0 bytes are NULL. Not tied to a communicator,
 * and any other memory will do, but the ranks of one host reach this where it lies: collectives of a few
 * MiB and more on buffers that all come from here copy no operands. It is freed when nothing that uses it is
 * under way. After a fork it is the parent's and the child's in common. cclSystemError when there is none;
 * cclInvalidArgument to free what is not, or no longer, from here. Thread-safe. */
CCL_API cclResult_t cclMemAlloc(void** ptr, size_t size);
CCL_API cclResult_t cclMemFree(void* ptr);
/* Says that `size` bytes at `buff` will be used often. Host memory needs no registration: a hint, whose
 * handle lives until it is given back or the communicator is destroyed. cclInvalidArgument for a null
 * or empty buffer and for a handle that is none of the communicator's. */
CCL_API cclResult_t cclCommRegister(cclComm_t comm, void* buff, size_t size, void** handle);
CCL_API cclResult_t cclCommDeregister(cclComm_t comm, void* handle);

/* Windows: memory of a rank that the other ranks of a communicator put bytes into, without its taking
 * part. Signals tell it so. What waits for signals sees the bytes of the puts that they came with.
 *
 * Register: collective; all ranks register `size` bytes of their own, in the same order, and get handles
 * of one window. Local, does not block: a put waits until its peer has registered. `buff` is the
 * caller's, from anywhere, and stays valid until Deregister. `winFlags`: CCL_WIN_DEFAULT, or any of
 * CCL_WIN_COLL_SYMMETRIC and CCL_WIN_STRICT_ORDERING, which ask for nothing that is not so anyhow.
 * Deregister: collective, in the same order, not inside a group. On real ranks it waits for the rank's
 * operations and returns when all ranks have called it and what they had put has arrived; on emulated
 * ones it returns at once, and a later put into it is an error. Windows that are still there when a
 * communicator is destroyed go with it.
 * WinGetUserPtr: `buff` of the rank.
 *
 * Emulated ranks: a put is one message, which the fabric charges as any other. Real ranks: two, which
 * the peer's process takes in whenever it makes progress, and it does while a window is open, by a
 * thread that does not sleep then (see cclStreamQuery for where there is none: then inside calls).
 *
 * cclInvalidArgument: null or empty buffers, unknown flags, a window of another communicator or one that
 * has been deregistered. cclInvalidUsage, when it comes to light, and final for the communicator: sizes
 * that differ between ranks, a put into what the peer has deregistered. One thread a communicator. */
typedef struct cclWindow* cclWindow_t;
#define CCL_WIN_DEFAULT 0x00
#define CCL_WIN_COLL_SYMMETRIC 0x01
#define CCL_WIN_STRICT_ORDERING 0x02
CCL_API cclResult_t cclCommWindowRegister(cclComm_t comm, void* buff, size_t size, cclWindow_t* win,
                                          int winFlags);
CCL_API cclResult_t cclCommWindowDeregister(cclComm_t comm, cclWindow_t win);
CCL_API cclResult_t cclWinGetUserPtr(cclComm_t comm, cclWindow_t win, void** ptr);
/* PutSignal: `count` elements of `localbuff` to the bytes from `peerWinOffset` on of the peer's part of
 * the window, and then a signal; `peer` may be the rank itself. On real ranks done when `localbuff` may
 * be used again, on emulated ones when the bytes are there. Signal: without bytes. WaitSignal: what
 * follows on the stream starts when `opCnt` signals have come from each `peer` under `sigIdx` and `ctx`,
 * which are used up by it; a rank whose signals nobody waits for loses nothing. Puts and signals of one
 * stream to one peer arrive in order. `sigIdx` and `ctx`: 0 .. 65535, the same on both sides; `flags`: 0.
 * They do not block, queue on the stream (NULL: the communicator's own) and may stand in groups.
 * cclInvalidArgument: a range outside of the window, a peer or number that there is not, a null buffer;
 * cclInvalidUsage: signals where the rank has no window. */
typedef struct {
  int opCnt;  /* signals to wait for */
  int peer;
  int sigIdx;
  int ctx;
} cclWaitSignalDesc_t;
CCL_API cclResult_t cclPutSignal(const void* localbuff, size_t count, cclDataType_t datatype, int peer,
                                 cclWindow_t peerWin, size_t peerWinOffset, int sigIdx, int ctx,
                                 unsigned int flags, cclComm_t comm, cclStream_t stream);
CCL_API cclResult_t cclSignal(int peer, int sigIdx, int ctx, unsigned int flags, cclComm_t comm,
                              cclStream_t stream);
CCL_API cclResult_t cclWaitSignal(int nDesc, const cclWaitSignalDesc_t* signalDescs, cclComm_t comm,
                                  cclStream_t stream);

/* In-order queues of one rank's operations; several of a communicator run side by side. Destroying one
 * drops what is queued; null is nothing. It may outlive its communicator, to be destroyed. */
CCL_API cclResult_t cclStreamCreate(cclComm_t comm, cclStream_t* stream);
CCL_API cclResult_t cclStreamDestroy(cclStream_t stream);
/* Blocks until the stream is empty. Errors: what keeps an operation from ending, which is final for the
 * communicator: a deadlock (cclInvalidUsage), a timeout, a rank that has died; an abort by another
 * thread (cclInvalidUsage). */
CCL_API cclResult_t cclStreamSynchronize(cclStream_t stream);
/* cclSuccess when the stream is empty, else cclInProgress. Virtual time does not move on: on an
 * emulated backend only Synchronize makes progress. On a real one operations progress without being
 * asked, by a thread of the library's own while nobody waits; where the program has started MPI below
 * MPI_THREAD_MULTIPLE, only inside calls, and below MPI_THREAD_SERIALIZED only inside those of the
 * thread that made the communicator: calls of others are cclInvalidUsage. */
CCL_API cclResult_t cclStreamQuery(cclStream_t stream);
/* Likewise, for programs that ask in a loop until the stream is empty. In virtual time it counts as
 * waiting, for a millisecond at most: when every endpoint waits, the clock moves to the next event. */
CCL_API cclResult_t cclStreamPoll(cclStream_t stream);
/* The rank computes for so long: virtual time on an emulated backend, nothing on a real one. */
CCL_API cclResult_t cclStreamCompute(cclStream_t stream, int64_t picoseconds);
CCL_API cclResult_t cclCommCompute(cclComm_t comm, int64_t picoseconds);

/* Events: points in a stream that other streams and the program wait for and read the time of. `stream`
 * may be NULL, the communicator's own. An event that has never been recorded counts as reached; of one
 * that is recorded again the last recording counts, from the call on. Work that is dropped (abort,
 * revoke, destroy) reaches its events without a time. A thread at a time for one event. */
CCL_API cclResult_t cclEventCreate(cclEvent_t* event);
CCL_API cclResult_t cclEventDestroy(cclEvent_t event); /* what waits for it goes on waiting */
CCL_API cclResult_t cclEventRecord(cclEvent_t event, cclComm_t comm, cclStream_t stream);
/* What is queued on the stream from now on starts when the event, of any communicator of the same
 * world, has been reached. Does not block. */
CCL_API cclResult_t cclStreamWaitEvent(cclComm_t comm, cclStream_t stream, cclEvent_t event);
CCL_API cclResult_t cclEventSynchronize(cclEvent_t event); /* blocks, as cclStreamSynchronize does */
CCL_API cclResult_t cclEventQuery(cclEvent_t event); /* cclSuccess when reached, else cclInProgress */
/* `picoseconds` between two recorded events, of virtual time on an emulated backend;
 * cclInProgress when one has not been reached. */
CCL_API cclResult_t cclEventElapsedTime(int64_t* picoseconds, cclEvent_t start, cclEvent_t end);
/* Calls `function(userData)` in the order of the stream, on whichever thread drives the world, which
 * stands still meanwhile; takes no virtual time. The function calls nothing of ccl
 * (cclInvalidUsage). */
CCL_API cclResult_t cclLaunchHostFunc(cclComm_t comm, cclStream_t stream, cclHostFn_t function,
                                      void* userData);

/* Operations between cclGroupStart and cclGroupEnd start together, at the end of the outermost group of
 * the thread. An error of a call comes back at once and, the first, from cclGroupEnd: then nothing of the
 * group starts. cclGroupEnd blocks only while communicators are made in it. A thread that drives several
 * ranks needs one: the calls of all ranks start at one instant, and a split or shrink waits for all of
 * them. Thread-safe: every thread has its own. */
CCL_API cclResult_t cclGroupStart(void);
CCL_API cclResult_t cclGroupEnd(void);
/* Ends a group like cclGroupEnd but starts nothing: how long its operations, collectives, messages and
 * computing, are predicted to take. Those of one rank add up, because they share its ports; the rank of
 * this process that takes longest counts. Local, does not block; the group is dropped, and the
 * communicators are as if nothing had been asked for. An inner group's time is 0. Errors: those of
 * cclGroupEnd; cclInvalidUsage without a group and for one that makes communicators;
 * cclInvalidArgument for an info that is null or not initialised, which drops the group too. */
typedef struct {
  size_t size;           /* the next three are set by the initialiser */
  unsigned int magic;
  unsigned int version;
  float estimatedTime;   /* microseconds */
} cclSimInfo_t;
#define CCL_SIM_INFO_INITIALIZER { sizeof(cclSimInfo_t), 0x74685283u, 1, 0 }
CCL_API cclResult_t cclGroupSimulateEnd(cclSimInfo_t* info);

/* Reductions beyond cclRedOp_t's, of one communicator: another one's is cclInvalidArgument. All ranks
 * make them alike. Local; not while another thread calls on the communicator. Operations that have
 * been queued end as they began, even if the reduction is destroyed. An error leaves *op as it was.
 *
 * PreMulSum: the sum of every rank's contribution times its scalar, of host memory and of type `type`,
 * the only one it reduces; ranks may have different scalars. Products are rounded once.
 * Create: a function. It is associative. Not `commutative`, it is only run by algorithms that fold in
 * order of rank: one that is forced and does not is cclInvalidArgument, naming those that do. */
CCL_API cclResult_t cclRedOpCreatePreMulSum(cclRedOp_t* op, void* scalar, cclDataType_t type,
                                            cclScalarResidence_t residence, cclComm_t comm);
CCL_API cclResult_t cclRedOpCreate(cclRedOp_t* op, cclRedOpFunction_t function, void* user,
                                   int commutative, cclComm_t comm);
CCL_API cclResult_t cclRedOpDestroy(cclRedOp_t op, cclComm_t comm);

/* Options of one call, equal on all ranks. Initialise with CCL_CALL_CONFIG_INITIALIZER. Where a
 * function takes one, NULL is all defaults. */
typedef struct {
  size_t size;           /* the next three are set by the initialiser */
  unsigned int magic;
  unsigned int version;
  const char* algorithm; /* as in CCL_ALGO: "ring", "hier(two_shot+nhr)*4"; NULL: the planner chooses */
  int forceAlgorithm;    /* 1: one that cannot run is cclInvalidArgument; 0: then the planner chooses */
  int channels;          /* pieces that the vector is cut in, over channels side by side or one after
                            the other as the algorithm does; 0: what suits it */
  int deterministic;     /* cclDeterminism_t; CCL_CONFIG_UNDEF_INT: the communicator's. An algorithm that
                            is forced and is of another class is cclInvalidArgument, naming others */
  uint64_t profilerTag;  /* of yours: in flight records and what `cclbench flight` says of them */
} cclCallConfig_t;
#define CCL_CALL_CONFIG_INITIALIZER \
  { sizeof(cclCallConfig_t), 0xca11cafeu, 1, NULL, 1, 0, CCL_CONFIG_UNDEF_INT, 0 }

/* Collectives return when they are queued. Counts are elements and NCCL's: of the whole vector for
 * allreduce, broadcast and reduce; of one rank's block for the others. In place: sendbuff ==
 * recvbuff, or the block of the rank within the larger buffer, as in NCCL (not AlltoAll). A buffer that a
 * rank does not have in a collective may be NULL. They do not block; errors of arguments come back at
 * once, those of the operation from whoever waits for it. With n ranks the larger buffers are n * count
 * elements, block r that of rank r:
 *
 *   AllReduce, Scan, Exscan   count -> count             AllGather      count -> n * count
 *   Broadcast                 count at root -> count     ReduceScatter  n * count -> count
 *   Reduce                    count -> count at root     AlltoAll       n * count -> n * count
 *   Gather                    count -> n * count at root Scatter        n * count at root -> count */
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
/* Scans: of rank r the fold of what ranks 0 .. r contribute, or, exclusive, of ranks 0 .. r - 1: then
 * rank 0 has no result and recvbuff is untouched there. In place: sendbuff == recvbuff. */
CCL_API cclResult_t cclScan(const void* sendbuff, void* recvbuff, size_t count, cclDataType_t type,
                            cclRedOp_t op, cclComm_t comm, cclStream_t stream);
CCL_API cclResult_t cclExscan(const void* sendbuff, void* recvbuff, size_t count,
                              cclDataType_t type, cclRedOp_t op, cclComm_t comm,
                              cclStream_t stream);

/* The v-forms: every block has a count, and a displacement within its buffer, in elements. Arrays have
 * one entry a rank and are read during the call; NULL displacements: one block behind the other. What
 * a rank gets into the blocks of its receive buffer must not overlap. In place: the smaller buffer is
 * the rank's block of the larger one (not AlltoAllV).
 *
 * Of AllGatherV and ReduceScatterV all ranks pass the same counts. Of the others a rank knows its own
 * rows and columns only: the arrays count at the root of GatherV and ScatterV, and what one rank sends
 * and another expects is compared when it arrives: a difference is an error that names both. Their
 * algorithms are those whose messages go straight from one to the other. */
CCL_API cclResult_t cclAllGatherV(const void* sendbuff, size_t sendcount, void* recvbuff,
                                  const size_t* recvcounts, const size_t* displs,
                                  cclDataType_t type, cclComm_t comm, cclStream_t stream);
CCL_API cclResult_t cclReduceScatterV(const void* sendbuff, const size_t* sendcounts,
                                      const size_t* displs, void* recvbuff, size_t recvcount,
                                      cclDataType_t type, cclRedOp_t op, cclComm_t comm,
                                      cclStream_t stream);
CCL_API cclResult_t cclAlltoAllV(const void* sendbuff, const size_t* sendcounts,
                                 const size_t* sdispls, void* recvbuff, const size_t* recvcounts,
                                 const size_t* rdispls, cclDataType_t type, cclComm_t comm,
                                 cclStream_t stream);
CCL_API cclResult_t cclGatherV(const void* sendbuff, size_t sendcount, void* recvbuff,
                               const size_t* recvcounts, const size_t* displs, cclDataType_t type,
                               int root, cclComm_t comm, cclStream_t stream);
CCL_API cclResult_t cclScatterV(const void* sendbuff, const size_t* sendcounts,
                                const size_t* displs, void* recvbuff, size_t recvcount,
                                cclDataType_t type, int root, cclComm_t comm, cclStream_t stream);

/* The same, each with options for the call. */
CCL_API cclResult_t cclAllReduceConfig(const void* sendbuff, void* recvbuff, size_t count,
                                       cclDataType_t type, cclRedOp_t op, cclComm_t comm,
                                       cclStream_t stream, const cclCallConfig_t* config);
CCL_API cclResult_t cclBroadcastConfig(const void* sendbuff, void* recvbuff, size_t count,
                                       cclDataType_t type, int root, cclComm_t comm,
                                       cclStream_t stream, const cclCallConfig_t* config);
CCL_API cclResult_t cclReduceConfig(const void* sendbuff, void* recvbuff, size_t count,
                                    cclDataType_t type, cclRedOp_t op, int root, cclComm_t comm,
                                    cclStream_t stream, const cclCallConfig_t* config);
CCL_API cclResult_t cclAllGatherConfig(const void* sendbuff, void* recvbuff, size_t sendcount,
                                       cclDataType_t type, cclComm_t comm, cclStream_t stream,
                                       const cclCallConfig_t* config);
CCL_API cclResult_t cclReduceScatterConfig(const void* sendbuff, void* recvbuff, size_t recvcount,
                                           cclDataType_t type, cclRedOp_t op, cclComm_t comm,
                                           cclStream_t stream, const cclCallConfig_t* config);
CCL_API cclResult_t cclAlltoAllConfig(const void* sendbuff, void* recvbuff, size_t count,
                                      cclDataType_t type, cclComm_t comm, cclStream_t stream,
                                      const cclCallConfig_t* config);
CCL_API cclResult_t cclGatherConfig(const void* sendbuff, void* recvbuff, size_t count,
                                    cclDataType_t type, int root, cclComm_t comm,
                                    cclStream_t stream, const cclCallConfig_t* config);
CCL_API cclResult_t cclScatterConfig(const void* sendbuff, void* recvbuff, size_t count,
                                     cclDataType_t type, int root, cclComm_t comm,
                                     cclStream_t stream, const cclCallConfig_t* config);
CCL_API cclResult_t cclBarrierConfig(cclComm_t comm, cclStream_t stream,
                                     const cclCallConfig_t* config);
CCL_API cclResult_t cclScanConfig(const void* sendbuff, void* recvbuff, size_t count,
                                  cclDataType_t type, cclRedOp_t op, cclComm_t comm,
                                  cclStream_t stream, const cclCallConfig_t* config);
CCL_API cclResult_t cclExscanConfig(const void* sendbuff, void* recvbuff, size_t count,
                                    cclDataType_t type, cclRedOp_t op, cclComm_t comm,
                                    cclStream_t stream, const cclCallConfig_t* config);
CCL_API cclResult_t cclAllGatherVConfig(const void* sendbuff, size_t sendcount, void* recvbuff,
                                        const size_t* recvcounts, const size_t* displs,
                                        cclDataType_t type, cclComm_t comm, cclStream_t stream,
                                        const cclCallConfig_t* config);
CCL_API cclResult_t cclReduceScatterVConfig(const void* sendbuff, const size_t* sendcounts,
                                            const size_t* displs, void* recvbuff, size_t recvcount,
                                            cclDataType_t type, cclRedOp_t op, cclComm_t comm,
                                            cclStream_t stream, const cclCallConfig_t* config);
CCL_API cclResult_t cclAlltoAllVConfig(const void* sendbuff, const size_t* sendcounts,
                                       const size_t* sdispls, void* recvbuff,
                                       const size_t* recvcounts, const size_t* rdispls,
                                       cclDataType_t type, cclComm_t comm, cclStream_t stream,
                                       const cclCallConfig_t* config);
CCL_API cclResult_t cclGatherVConfig(const void* sendbuff, size_t sendcount, void* recvbuff,
                                     const size_t* recvcounts, const size_t* displs,
                                     cclDataType_t type, int root, cclComm_t comm,
                                     cclStream_t stream, const cclCallConfig_t* config);
CCL_API cclResult_t cclScatterVConfig(const void* sendbuff, const size_t* sendcounts,
                                      const size_t* displs, void* recvbuff, size_t recvcount,
                                      cclDataType_t type, int root, cclComm_t comm,
                                      cclStream_t stream, const cclCallConfig_t* config);

/* Messages between two ranks: the k-th send from a to b meets the k-th receive. `count` elements of the
 * same type on both sides; a difference is an error that names both. A rank may send to itself. They do not
 * block; sends and receives that wait for each other are in one group, or on streams of their own. */
CCL_API cclResult_t cclSend(const void* sendbuff, size_t count, cclDataType_t type, int peer,
                            cclComm_t comm, cclStream_t stream);
CCL_API cclResult_t cclRecv(void* recvbuff, size_t count, cclDataType_t type, int peer,
                            cclComm_t comm, cclStream_t stream);

/* What the planner would choose for a call and why; nothing runs. Local, does not block. `count`,
 * `type`, `op`, `root` and `config` as in the call; of a v-form `count` is the elements of all blocks,
 * and AlltoAllV, GatherV and ScatterV are chosen by latency alone, because ranks know their own rows
 * only. An algorithm that cannot run is the error that the call would give. Strings and candidates stay
 * valid until the thread's next cclExplain. */
typedef enum CCL_ENUM {
  cclCollAllReduce = 0,
  cclCollReduceScatter = 1,
  cclCollAllGather = 2,
  cclCollBroadcast = 3,
  cclCollReduce = 4,
  cclCollAlltoAll = 5,
  cclCollGather = 6,
  cclCollScatter = 7,
  cclCollBarrier = 8,
  cclCollScan = 9,
  cclCollExscan = 10,
  cclCollAllGatherV = 11,
  cclCollReduceScatterV = 12,
  cclCollAlltoAllV = 13,
  cclCollGatherV = 14,
  cclCollScatterV = 15,
  cclNumColls = 16
} cclCollective_t;
typedef struct {
  const char* algorithm;        /* as in CCL_ALGO */
  double microseconds;          /* predicted; infinite where there is no formula */
  cclDeterminism_t determinism; /* the class of its bits */
} cclCandidate_t;
typedef struct {
  size_t size;           /* the next three are set by the initialiser */
  unsigned int magic;
  unsigned int version;
  cclCandidate_t choice;
  int forced;            /* 1: asked for by the call, the program or the environment, which `reason`
                            names; then there are no candidates */
  const char* reason;    /* in words */
  size_t candidateCount;
  const cclCandidate_t* candidates; /* fastest first: the choice is the first */
  const char* text;      /* all of it, a line a candidate */
} cclExplanation_t;
#define CCL_EXPLANATION_INITIALIZER \
  { sizeof(cclExplanation_t), 0xe4b1a1eu, 1, { NULL, 0, cclDeterminismOff }, 0, NULL, 0, NULL, NULL }
CCL_API cclResult_t cclExplain(cclComm_t comm, cclCollective_t collective, size_t count,
                               cclDataType_t type, cclRedOp_t op, int root,
                               const cclCallConfig_t* config, cclExplanation_t* explanation);

#ifdef __cplusplus
}
#endif

#endif /* CCL_CCL_H_ */
