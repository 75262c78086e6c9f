/* C99: every function of nccl.h and cuda_runtime.h, with two emulated ranks on one thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_runtime.h"
#include "nccl.h"

#define EXPECT(condition)                                                             \
  do {                                                                                \
    if (!(condition)) {                                                               \
      fprintf(stderr, "%s:%d: not %s: %s, %s\n", __FILE__, __LINE__, #condition,      \
              ncclGetLastError(NULL), cudaGetErrorName(cudaPeekAtLastError()));       \
      exit(1);                                                                        \
    }                                                                                 \
  } while (0)
#define NCCL(call) EXPECT((call) == ncclSuccess)
#define CUDA(call) EXPECT((call) == cudaSuccess)

enum { kRanks = 2, kCount = 64 };

static ncclComm_t comms[kRanks];
static cudaStream_t streams[kRanks];
static float *in[kRanks], *out[kRanks];

static void Count(void* number) { ++*(int*)number; }

static void Synchronize(void) {
  for (int i = 0; i < kRanks; ++i) CUDA(cudaStreamSynchronize(streams[i]));
}

static void Fill(void) {
  for (int i = 0; i < kRanks; ++i) {
    for (int k = 0; k < kCount; ++k) in[i][k] = (float)(10 * i + k % 5), out[i][k] = -1;
  }
}

/* Runs `call` on rank `i` of both. */
#define ON_ALL(call)                                          \
  do {                                                        \
    Fill();                                                   \
    NCCL(ncclGroupStart());                                   \
    for (int i = 0; i < kRanks; ++i) NCCL(call);              \
    NCCL(ncclGroupEnd());                                     \
    Synchronize();                                            \
  } while (0)

static void Runtime(void) {
  int number = 0, hosted = 0;
  cudaDeviceProp prop;
  void *a = NULL, *b = NULL, *c = NULL, *d = NULL;
  cudaStream_t stream, priority;
  cudaEvent_t untimed;
  CUDA(cudaRuntimeGetVersion(&number));
  CUDA(cudaDriverGetVersion(&number));
  EXPECT(number == CUDART_VERSION);
  CUDA(cudaGetDeviceCount(&number));
  EXPECT(number >= kRanks);
  CUDA(cudaGetDeviceProperties(&prop, 1));
  EXPECT(prop.totalGlobalMem > 0 && prop.name[0] != 0);
  EXPECT(cudaSetDevice(number) == cudaErrorInvalidDevice);
  EXPECT(cudaPeekAtLastError() == cudaErrorInvalidDevice);
  EXPECT(cudaGetLastError() == cudaErrorInvalidDevice && cudaGetLastError() == cudaSuccess);
  EXPECT(strcmp(cudaGetErrorString(cudaSuccess), "no error") == 0);
  CUDA(cudaSetDevice(1));
  CUDA(cudaGetDevice(&number));
  EXPECT(number == 1);
  CUDA(cudaMallocManaged(&a, 8, cudaMemAttachGlobal));
  CUDA(cudaMallocHost(&b, 8));
  CUDA(cudaHostAlloc(&c, 8, cudaHostAllocDefault));
  CUDA(cudaMalloc(&d, 8));
  CUDA(cudaMemset(a, 7, 8));
  CUDA(cudaMemcpy(b, a, 8, cudaMemcpyDeviceToHost));
  CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  CUDA(cudaStreamCreateWithPriority(&priority, cudaStreamDefault, 0));
  CUDA(cudaMemsetAsync(c, 9, 8, stream));
  CUDA(cudaMemcpyAsync(d, c, 8, cudaMemcpyDefault, stream));
  CUDA(cudaEventCreateWithFlags(&untimed, cudaEventDisableTiming));
  CUDA(cudaEventRecord(untimed, stream));
  CUDA(cudaStreamWaitEvent(priority, untimed, 0));
  CUDA(cudaLaunchHostFunc(priority, Count, &hosted));
  CUDA(cudaEventSynchronize(untimed));
  CUDA(cudaEventQuery(untimed));
  CUDA(cudaDeviceSynchronize());
  CUDA(cudaStreamQuery(priority));
  EXPECT(hosted == 1 && ((char*)b)[7] == 7 && ((char*)d)[7] == 9);
  CUDA(cudaEventDestroy(untimed));
  EXPECT(cudaEventDestroy(untimed) == cudaErrorInvalidResourceHandle);
  CUDA(cudaStreamDestroy(stream));
  CUDA(cudaStreamDestroy(priority));
  CUDA(cudaFree(a));
  CUDA(cudaFreeHost(b));
  CUDA(cudaFreeHost(c));
  CUDA(cudaFree(d));
  CUDA(cudaDeviceReset());
}

static void Collectives(void) {
  const ncclCollConfig_t options = NCCL_COLLCONFIG_INITIALIZER;
  ncclSimInfo_t simulated = NCCL_SIM_INFO_INITIALIZER;
  ON_ALL(ncclAllReduce(in[i], out[i], kCount, ncclFloat, ncclSum, comms[i], streams[i]));
  EXPECT(out[0][1] == 12 && out[1][1] == 12);
  ON_ALL(ncclAllReduceConfig(in[i], out[i], kCount, ncclFloat, ncclMax, comms[i], streams[i], &options));
  EXPECT(out[0][2] == 12);
  ON_ALL(ncclBroadcast(in[i], out[i], kCount, ncclFloat, 1, comms[i], streams[i]));
  EXPECT(out[0][3] == 13);
  ON_ALL(ncclBroadcastConfig(in[i], out[i], kCount, ncclFloat, 0, comms[i], streams[i], NULL));
  EXPECT(out[1][3] == 3);
  ON_ALL(ncclBcast(in[i], kCount, ncclFloat, 1, comms[i], streams[i]));
  EXPECT(in[0][4] == 14);
  ON_ALL(ncclReduce(in[i], out[i], kCount, ncclFloat, ncclProd, 1, comms[i], streams[i]));
  EXPECT(out[1][1] == 11 && out[0][1] == -1);
  ON_ALL(ncclReduceConfig(in[i], out[i], kCount, ncclFloat, ncclMin, 0, comms[i], streams[i], &options));
  EXPECT(out[0][1] == 1);
  ON_ALL(ncclAllGather(in[i], out[i], kCount / 2, ncclFloat, comms[i], streams[i]));
  EXPECT(out[0][kCount / 2] == 10);
  ON_ALL(ncclAllGatherConfig(in[i], out[i], kCount / 2, ncclFloat, comms[i], streams[i], &options));
  EXPECT(out[1][1] == 1);
  ON_ALL(ncclReduceScatter(in[i], out[i], kCount / 2, ncclFloat, ncclAvg, comms[i], streams[i]));
  EXPECT(out[0][1] == 6);
  ON_ALL(ncclReduceScatterConfig(in[i], out[i], kCount / 2, ncclFloat, ncclSum, comms[i], streams[i],
                                 &options));
  EXPECT(out[1][0] == 14);
  ON_ALL(ncclAlltoAll(in[i], out[i], kCount / 2, ncclFloat, comms[i], streams[i]));
  EXPECT(out[0][kCount / 2] == 10);
  ON_ALL(ncclAlltoAllConfig(in[i], out[i], kCount / 2, ncclFloat, comms[i], streams[i], &options));
  EXPECT(out[1][0] == 2);
  ON_ALL(ncclGather(in[i], out[i], kCount / 2, ncclFloat, 0, comms[i], streams[i]));
  EXPECT(out[0][kCount / 2] == 10 && out[1][0] == -1);
  ON_ALL(ncclGatherConfig(in[i], out[i], kCount / 2, ncclFloat, 1, comms[i], streams[i], &options));
  EXPECT(out[1][kCount / 2] == 10);
  ON_ALL(ncclScatter(in[i], out[i], kCount / 2, ncclFloat, 0, comms[i], streams[i]));
  EXPECT(out[1][0] == 2);
  ON_ALL(ncclScatterConfig(in[i], out[i], kCount / 2, ncclFloat, 1, comms[i], streams[i], &options));
  EXPECT(out[0][0] == 10);
  Fill();
  NCCL(ncclGroupStart());
  NCCL(ncclSend(in[0], kCount, ncclFloat, 1, comms[0], streams[0]));
  NCCL(ncclRecv(out[1], kCount, ncclFloat, 0, comms[1], streams[1]));
  NCCL(ncclGroupEnd());
  Synchronize();
  EXPECT(out[1][3] == 3);
  out[1][3] = -1;
  NCCL(ncclGroupStart());
  for (int i = 0; i < kRanks; ++i) {
    NCCL(ncclAllReduce(in[i], out[i], kCount, ncclFloat, ncclSum, comms[i], streams[i]));
    NCCL(ncclSend(in[i], kCount, ncclFloat, 1 - i, comms[i], streams[i]));
    NCCL(ncclRecv(out[i], kCount, ncclFloat, 1 - i, comms[i], streams[i]));
  }
  NCCL(ncclGroupSimulateEnd(&simulated));
  EXPECT(simulated.estimatedTime > 0.1f && simulated.estimatedTime < 1000);
  EXPECT(out[1][3] == -1);
}

static void Reductions(void) {
  ncclRedOp_t ops[kRanks];
  float factor = 0.5f;
  for (int i = 0; i < kRanks; ++i) {
    NCCL(ncclRedOpCreatePreMulSum(&ops[i], &factor, ncclFloat, ncclScalarHostImmediate, comms[i]));
  }
  ON_ALL(ncclAllReduce(in[i], out[i], kCount, ncclFloat, ops[i], comms[i], streams[i]));
  EXPECT(out[0][1] == 6);
  for (int i = 0; i < kRanks; ++i) NCCL(ncclRedOpDestroy(ops[i], comms[i]));
}

static void Communicators(void) {
  ncclComm_t halves[kRanks], rest, joined[kRanks], config_joined;
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  ncclUniqueId id;
  ncclResult_t state;
  uint64_t bytes = 0;
  void* handle;
  void* memory;
  int number, excluded = 1;
  NCCL(ncclGetVersion(&number));
  EXPECT(number == NCCL_VERSION_CODE && number == NCCL_VERSION(2, 31, 2));
  EXPECT(strlen(ncclGetErrorString(ncclInvalidUsage)) > 0);
  NCCL(ncclCommCount(comms[1], &number));
  EXPECT(number == kRanks);
  NCCL(ncclCommUserRank(comms[1], &number));
  EXPECT(number == 1);
  NCCL(ncclCommCuDevice(comms[1], &number));
  EXPECT(number == 1);
  NCCL(ncclCommGetAsyncError(comms[0], &state));
  EXPECT(state == ncclSuccess);
  NCCL(ncclCommMemStats(comms[0], ncclStatGpuMemPersist, &bytes));
  EXPECT(bytes > 0);
  NCCL(ncclCommSuspend(comms[0], NCCL_SUSPEND_MEM));
  NCCL(ncclCommResume(comms[0]));
  NCCL(ncclMemAlloc(&memory, 4096));
  NCCL(ncclCommRegister(comms[0], memory, 4096, &handle));
  NCCL(ncclCommDeregister(comms[0], handle));
  NCCL(ncclMemFree(memory));

  NCCL(ncclGroupStart());
  for (int i = 0; i < kRanks; ++i) NCCL(ncclCommSplit(comms[i], i, 0, &halves[i], NULL));
  NCCL(ncclGroupEnd());
  NCCL(ncclCommCuDevice(halves[1], &number));
  EXPECT(number == 1);
  NCCL(ncclCommShrink(comms[0], &excluded, 1, &rest, &config, NCCL_SHRINK_DEFAULT));
  NCCL(ncclCommCount(rest, &number));
  EXPECT(number == 1);
  NCCL(ncclCommRevoke(rest, NCCL_REVOKE_DEFAULT));
  NCCL(ncclCommAbort(rest));
  NCCL(ncclGroupStart());
  for (int i = 0; i < kRanks; ++i) NCCL(ncclCommFinalize(halves[i]));
  NCCL(ncclGroupEnd());
  for (int i = 0; i < kRanks; ++i) NCCL(ncclCommDestroy(halves[i]));

  NCCL(ncclGetUniqueId(&id));
  NCCL(ncclGroupStart());
  NCCL(ncclCommInitRank(&joined[0], kRanks, id, 0));
  NCCL(ncclCommInitRankScalable(&joined[1], kRanks, 1, 1, &id, NULL));
  NCCL(ncclGroupEnd());
  for (int i = 0; i < kRanks; ++i) NCCL(ncclCommDestroy(joined[i]));
  NCCL(ncclGetUniqueId(&id));
  config.commName = "alone";
  NCCL(ncclCommInitRankConfig(&config_joined, 1, id, 0, &config));
  EXPECT(ncclCommGetUniqueId(config_joined, &id) == ncclInvalidUsage);
  EXPECT(ncclCommGrow(config_joined, 2, &id, -1, &rest, NULL) == ncclInvalidUsage);
  EXPECT(strstr(ncclGetLastError(config_joined), "does not grow") != NULL);
  NCCL(ncclCommDestroy(config_joined));
}

static void Windows(void) {
  ncclWindow_t windows[kRanks];
  void* memory;
  NCCL(ncclGroupStart());
  for (int i = 0; i < kRanks; ++i) {
    NCCL(ncclCommWindowRegister(comms[i], out[i], kCount * sizeof(float), &windows[i], NCCL_WIN_COLL_SYMMETRIC));
  }
  NCCL(ncclGroupEnd());
  Fill();
  for (int i = 0; i < kRanks; ++i) {
    ncclWaitSignalDesc_t both = {2, 1 - i, 0, 0};
    NCCL(ncclWinGetUserPtr(comms[i], windows[i], &memory));
    EXPECT(memory == out[i]);
    NCCL(ncclPutSignal(in[i], 4, ncclFloat, 1 - i, windows[i], 8 * sizeof(float), 0, 0, 0, comms[i],
                       streams[i]));
    NCCL(ncclSignal(1 - i, 0, 0, 0, comms[i], streams[i]));
    NCCL(ncclWaitSignal(1, &both, comms[i], streams[i]));
  }
  Synchronize();
  EXPECT(out[0][8] == 10 && out[0][11] == 13 && out[1][8] == 0 && out[1][11] == 3 && out[1][12] == -1);
  for (int i = 0; i < kRanks; ++i) NCCL(ncclCommWindowDeregister(comms[i], windows[i]));
}

static void Parameters(void) {
  ncclParamHandle_t number, text;
  const char *value, **table;
  char bytes[8];
  int8_t i8; int16_t i16; int32_t i32; int64_t i64;
  uint8_t u8; uint16_t u16; uint32_t u32; uint64_t u64;
  int n = 0;
  setenv("CCL_TIMEOUT_MS", "300", 1);
  NCCL(ncclParamBind(&number, "CCL_TIMEOUT_MS"));
  NCCL(ncclParamBind(&text, "CCL_DETERMINISTIC"));
  EXPECT(ncclParamBind(&text, "NO_SUCH") == ncclInvalidArgument);
  NCCL(ncclParamGetI16(number, &i16));
  NCCL(ncclParamGetI32(number, &i32));
  NCCL(ncclParamGetI64(number, &i64));
  NCCL(ncclParamGetU16(number, &u16));
  NCCL(ncclParamGetU32(number, &u32));
  NCCL(ncclParamGetU64(number, &u64));
  EXPECT(i16 == 300 && i32 == 300 && i64 == 300 && u16 == 300 && u32 == 300 && u64 == 300);
  EXPECT(ncclParamGetI8(number, &i8) == ncclInvalidArgument);
  EXPECT(ncclParamGetU8(number, &u8) == ncclInvalidArgument);
  EXPECT(ncclParamGetI32(text, &i32) == ncclInvalidArgument);
  NCCL(ncclParamGet(number, bytes, (int)sizeof bytes, &n));
  EXPECT(n == 8);
  unsetenv("CCL_TIMEOUT_MS");
  NCCL(ncclParamGetStr(text, &value));
  EXPECT(strcmp(value, "off") == 0);
  NCCL(ncclParamGetParameter("CCL_TIMEOUT_MS", &value, &n));
  EXPECT(strcmp(value, "0") == 0 && n == 1);
  NCCL(ncclParamGetAllParameterKeys(&table, &n));
  EXPECT(n > 10 && strncmp(table[0], "CCL_", 4) == 0);
  ncclParamDumpAll();
}

/* The twins are the same functions. */
typedef void (*Function)(void);
static const Function kTwins[][2] = {
    {(Function)ncclMemAlloc, (Function)pncclMemAlloc},
    {(Function)ncclMemFree, (Function)pncclMemFree},
    {(Function)ncclGetVersion, (Function)pncclGetVersion},
    {(Function)ncclGetErrorString, (Function)pncclGetErrorString},
    {(Function)ncclGetLastError, (Function)pncclGetLastError},
    {(Function)ncclGetUniqueId, (Function)pncclGetUniqueId},
    {(Function)ncclCommInitRankConfig, (Function)pncclCommInitRankConfig},
    {(Function)ncclCommInitRank, (Function)pncclCommInitRank},
    {(Function)ncclCommInitAll, (Function)pncclCommInitAll},
    {(Function)ncclCommInitRankScalable, (Function)pncclCommInitRankScalable},
    {(Function)ncclCommSplit, (Function)pncclCommSplit},
    {(Function)ncclCommShrink, (Function)pncclCommShrink},
    {(Function)ncclCommGetUniqueId, (Function)pncclCommGetUniqueId},
    {(Function)ncclCommGrow, (Function)pncclCommGrow},
    {(Function)ncclCommFinalize, (Function)pncclCommFinalize},
    {(Function)ncclCommDestroy, (Function)pncclCommDestroy},
    {(Function)ncclCommAbort, (Function)pncclCommAbort},
    {(Function)ncclCommRevoke, (Function)pncclCommRevoke},
    {(Function)ncclCommGetAsyncError, (Function)pncclCommGetAsyncError},
    {(Function)ncclCommCount, (Function)pncclCommCount},
    {(Function)ncclCommCuDevice, (Function)pncclCommCuDevice},
    {(Function)ncclCommUserRank, (Function)pncclCommUserRank},
    {(Function)ncclCommSuspend, (Function)pncclCommSuspend},
    {(Function)ncclCommResume, (Function)pncclCommResume},
    {(Function)ncclCommMemStats, (Function)pncclCommMemStats},
    {(Function)ncclCommRegister, (Function)pncclCommRegister},
    {(Function)ncclCommDeregister, (Function)pncclCommDeregister},
    {(Function)ncclRedOpCreatePreMulSum, (Function)pncclRedOpCreatePreMulSum},
    {(Function)ncclRedOpDestroy, (Function)pncclRedOpDestroy},
    {(Function)ncclReduce, (Function)pncclReduce},
    {(Function)ncclBcast, (Function)pncclBcast},
    {(Function)ncclBroadcast, (Function)pncclBroadcast},
    {(Function)ncclAllReduce, (Function)pncclAllReduce},
    {(Function)ncclReduceScatter, (Function)pncclReduceScatter},
    {(Function)ncclAllGather, (Function)pncclAllGather},
    {(Function)ncclAlltoAll, (Function)pncclAlltoAll},
    {(Function)ncclGather, (Function)pncclGather},
    {(Function)ncclScatter, (Function)pncclScatter},
    {(Function)ncclSend, (Function)pncclSend},
    {(Function)ncclRecv, (Function)pncclRecv},
    {(Function)ncclAllReduceConfig, (Function)pncclAllReduceConfig},
    {(Function)ncclBroadcastConfig, (Function)pncclBroadcastConfig},
    {(Function)ncclReduceConfig, (Function)pncclReduceConfig},
    {(Function)ncclAllGatherConfig, (Function)pncclAllGatherConfig},
    {(Function)ncclReduceScatterConfig, (Function)pncclReduceScatterConfig},
    {(Function)ncclAlltoAllConfig, (Function)pncclAlltoAllConfig},
    {(Function)ncclGatherConfig, (Function)pncclGatherConfig},
    {(Function)ncclScatterConfig, (Function)pncclScatterConfig},
    {(Function)ncclCommWindowRegister, (Function)pncclCommWindowRegister},
    {(Function)ncclCommWindowDeregister, (Function)pncclCommWindowDeregister},
    {(Function)ncclWinGetUserPtr, (Function)pncclWinGetUserPtr},
    {(Function)ncclPutSignal, (Function)pncclPutSignal},
    {(Function)ncclSignal, (Function)pncclSignal},
    {(Function)ncclWaitSignal, (Function)pncclWaitSignal},
    {(Function)ncclGroupStart, (Function)pncclGroupStart},
    {(Function)ncclGroupEnd, (Function)pncclGroupEnd},
    {(Function)ncclGroupSimulateEnd, (Function)pncclGroupSimulateEnd},
    {(Function)ncclParamBind, (Function)pncclParamBind},
    {(Function)ncclParamGetI8, (Function)pncclParamGetI8},
    {(Function)ncclParamGetI16, (Function)pncclParamGetI16},
    {(Function)ncclParamGetI32, (Function)pncclParamGetI32},
    {(Function)ncclParamGetI64, (Function)pncclParamGetI64},
    {(Function)ncclParamGetU8, (Function)pncclParamGetU8},
    {(Function)ncclParamGetU16, (Function)pncclParamGetU16},
    {(Function)ncclParamGetU32, (Function)pncclParamGetU32},
    {(Function)ncclParamGetU64, (Function)pncclParamGetU64},
    {(Function)ncclParamGetStr, (Function)pncclParamGetStr},
    {(Function)ncclParamGet, (Function)pncclParamGet},
    {(Function)ncclParamGetParameter, (Function)pncclParamGetParameter},
    {(Function)ncclParamGetAllParameterKeys, (Function)pncclParamGetAllParameterKeys},
    {(Function)ncclParamDumpAll, (Function)pncclParamDumpAll},
};

int main(void) {
  cudaEvent_t begin, end;
  float ms = -1;
  Runtime();
  NCCL(ncclCommInitAll(comms, kRanks, NULL));
  for (int i = 0; i < kRanks; ++i) {
    CUDA(cudaSetDevice(i));
    CUDA(cudaStreamCreate(&streams[i]));
    CUDA(cudaMalloc((void**)&in[i], kCount * sizeof(float)));
    CUDA(cudaMalloc((void**)&out[i], kCount * sizeof(float)));
  }
  CUDA(cudaEventCreate(&begin));
  CUDA(cudaEventCreate(&end));
  CUDA(cudaEventRecord(begin, streams[1]));
  Collectives();
  CUDA(cudaEventRecord(end, streams[1]));
  CUDA(cudaStreamSynchronize(streams[1]));
  CUDA(cudaEventElapsedTime(&ms, begin, end));
  EXPECT(ms > 0.001 && ms < 10); /* virtual: some 17 operations of microseconds */
  Reductions();
  Communicators();
  Windows();
  Parameters();
  for (size_t i = 0; i < sizeof kTwins / sizeof kTwins[0]; ++i) EXPECT(kTwins[i][0] == kTwins[i][1]);
  for (int i = 0; i < kRanks; ++i) {
    CUDA(cudaSetDevice(i));
    NCCL(ncclCommDestroy(comms[i]));
    CUDA(cudaStreamDestroy(streams[i]));
    CUDA(cudaFree(in[i]));
    CUDA(cudaFree(out[i]));
  }
  CUDA(cudaEventDestroy(begin));
  CUDA(cudaEventDestroy(end));
  return 0;
}
