/* C99: every function of hccl.h and acl.h, with two emulated ranks on one thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acl/acl.h"
#include "hccl/hccl.h"
#include "hccl/hccl_types.h"

#define EXPECT(condition)                                                                         \
  do {                                                                                            \
    if (!(condition)) {                                                                           \
      fprintf(stderr, "%s:%d: not %s: %s\n", __FILE__, __LINE__, #condition, aclGetRecentErrMsg()); \
      exit(1);                                                                                    \
    }                                                                                             \
  } while (0)
#define HCCL(call) EXPECT((call) == HCCL_SUCCESS)
#define ACL(call) EXPECT((call) == ACL_SUCCESS)

enum { kRanks = 2, kCount = 64 };

static HcclComm comms[kRanks];
static aclrtStream streams[kRanks];
static float *in[kRanks], *out[kRanks];

static void Fill(void) {
  for (int i = 0; i < kRanks; ++i) {
    for (int k = 0; k < kCount; ++k) in[i][k] = (float)(10 * i + k % 5), out[i][k] = -1;
  }
}

#define ON_ALL(call)                                                             \
  do {                                                                           \
    Fill();                                                                      \
    for (int i = 0; i < kRanks; ++i) HCCL(call);                                 \
    for (int i = 0; i < kRanks; ++i) ACL(aclrtSynchronizeStream(streams[i]));    \
  } while (0)

static void Runtime(void) {
  int32_t a, b, c;
  uint32_t count;
  aclrtRunMode mode;
  aclrtContext mine, before;
  aclrtStream stream, other;
  aclrtStreamStatus state;
  aclrtEvent event;
  aclrtEventStatus reached;
  aclrtEventRecordedStatus recorded;
  void *device, *host;
  ACL(aclInit(NULL));
  EXPECT(aclInit(NULL) == ACL_ERROR_REPEAT_INITIALIZE);
  ACL(aclrtGetVersion(&a, &b, &c));
  ACL(aclrtGetRunMode(&mode));
  EXPECT(mode == ACL_HOST && strlen(aclrtGetSocName()) > 0);
  ACL(aclrtGetDeviceCount(&count));
  EXPECT(count >= kRanks);
  EXPECT(aclrtSetDevice((int32_t)count) == ACL_ERROR_INVALID_DEVICE);
  EXPECT(strstr(aclGetRecentErrMsg(), "CCL_DEVICES") != NULL);
  ACL(aclrtSetDevice(0));
  ACL(aclrtGetCurrentContext(&before));
  ACL(aclrtCreateContext(&mine, 1));
  ACL(aclrtGetDevice(&a));
  EXPECT(a == 1);
  ACL(aclrtSetCurrentContext(before));
  ACL(aclrtGetDevice(&a));
  EXPECT(a == 0);
  ACL(aclrtDestroyContext(mine));
  EXPECT(aclrtSetCurrentContext(mine) == ACL_ERROR_INVALID_RESOURCE_HANDLE);

  ACL(aclrtMalloc(&device, 16, ACL_MEM_MALLOC_HUGE_FIRST));
  ACL(aclrtMallocHost(&host, 16));
  ACL(aclrtMemset(device, 16, 3, 16));
  ACL(aclrtMemcpy(host, 16, device, 16, ACL_MEMCPY_DEVICE_TO_HOST));
  EXPECT(((char*)host)[15] == 3);
  EXPECT(aclrtMemcpy(host, 16, device, 17, ACL_MEMCPY_DEVICE_TO_HOST) == ACL_ERROR_INVALID_PARAM);
  ACL(aclrtCreateStream(&stream));
  ACL(aclrtCreateStreamWithConfig(&other, 0, ACL_STREAM_FAST_LAUNCH));
  ACL(aclrtMemsetAsync(device, 16, 4, 16, stream));
  ACL(aclrtMemcpyAsync(host, 16, device, 16, ACL_MEMCPY_DEVICE_TO_HOST, stream));
  ACL(aclrtCreateEventWithFlag(&event, ACL_EVENT_SYNC));
  ACL(aclrtRecordEvent(event, stream));
  ACL(aclrtStreamWaitEvent(other, event));
  ACL(aclrtSynchronizeEvent(event));
  ACL(aclrtQueryEvent(event, &reached));
  ACL(aclrtQueryEventStatus(event, &recorded));
  EXPECT(reached == ACL_EVENT_STATUS_COMPLETE && recorded == ACL_EVENT_RECORDED_STATUS_COMPLETE);
  ACL(aclrtResetEvent(event, stream));
  ACL(aclrtStreamQuery(stream, &state));
  EXPECT(state == ACL_STREAM_STATUS_COMPLETE && ((char*)host)[0] == 4);
  ACL(aclrtSynchronizeStreamWithTimeout(stream, 1000));
  ACL(aclrtSynchronizeDevice());
  ACL(aclrtDestroyEvent(event));
  ACL(aclrtDestroyStream(stream));
  ACL(aclrtDestroyStreamForce(other));
  ACL(aclrtFree(device));
  ACL(aclrtFreeHost(host));
  ACL(aclrtResetDevice(0));
  ACL(aclrtResetDeviceForce(1));
}

static void Collectives(void) {
  const uint64_t counts[kRanks] = {kCount / 4, 3 * kCount / 4}, displs[kRanks] = {0, kCount / 4};
  const uint64_t matrix[kRanks * kRanks] = {1, 2, 3, 4};
  const uint64_t twos[kRanks] = {2, 2}, places[kRanks] = {0, 2};
  const HcclDataType type = HCCL_DATA_TYPE_FP32;
  ON_ALL(HcclAllReduce(in[i], out[i], kCount, type, HCCL_REDUCE_SUM, comms[i], streams[i]));
  EXPECT(out[0][1] == 12 && out[1][1] == 12);
  ON_ALL(HcclBroadcast(in[i], kCount, type, 1, comms[i], streams[i]));
  EXPECT(in[0][3] == 13);
  ON_ALL(HcclReduce(in[i], out[i], kCount, type, HCCL_REDUCE_MAX, 1, comms[i], streams[i]));
  EXPECT(out[1][2] == 12 && out[0][2] == -1);
  ON_ALL(HcclReduceScatter(in[i], out[i], kCount / 2, type, HCCL_REDUCE_SUM, comms[i], streams[i]));
  EXPECT(out[1][0] == 14);
  ON_ALL(HcclScatter(in[i], out[i], kCount / 2, type, 0, comms[i], streams[i]));
  EXPECT(out[1][0] == 2);
  ON_ALL(HcclAllGather(in[i], out[i], kCount / 2, type, comms[i], streams[i]));
  EXPECT(out[0][kCount / 2] == 10);
  ON_ALL(HcclReduceScatterV(in[i], counts, displs, out[i], counts[i], type, HCCL_REDUCE_SUM, comms[i],
                            streams[i]));
  EXPECT(out[1][0] == 12 && out[0][kCount / 4] == -1);
  ON_ALL(HcclAllGatherV(in[i], counts[i], out[i], counts, displs, type, comms[i], streams[i]));
  EXPECT(out[0][kCount / 4] == 10);
  ON_ALL(HcclAlltoAll(in[i], kCount / 2, type, out[i], kCount / 2, type, comms[i], streams[i]));
  EXPECT(out[0][kCount / 2] == 10);
  ON_ALL(HcclAlltoAllV(in[i], twos, places, type, out[i], twos, places, type, comms[i], streams[i]));
  EXPECT(out[1][0] == 2 && out[1][2] == 12 && out[1][4] == -1);
  ON_ALL(HcclAlltoAllVC(in[i], matrix, type, out[i], type, comms[i], streams[i]));
  EXPECT(out[0][0] == 0 && out[0][1] == 10 && out[1][0] == 1 && out[1][2] == 13 && out[1][6] == -1);
  ON_ALL(i == 0 ? HcclSend(in[0], kCount, type, 1, comms[0], streams[0])
                : HcclRecv(out[1], kCount, type, 0, comms[1], streams[1]));
  EXPECT(out[1][4] == 4);
  Fill();
  for (uint32_t i = 0; i < kRanks; ++i) {
    HcclSendRecvItem items[2] = {{HCCL_SEND, in[i], kCount, type, 1 - i},
                                 {HCCL_RECV, out[i], kCount, type, 1 - i}};
    HCCL(HcclBatchSendRecv(items, 2, comms[i], streams[i]));
  }
  ON_ALL(HcclBarrier(comms[i], streams[i]));
}

static void Communicators(void) {
  HcclRootInfo info;
  HcclComm joined[kRanks], configured, tabled[2], sub;
  HcclCommConfig config;
  HcclConfigValue value;
  HcclResult error;
  uint32_t number, first[1] = {0};
  char name[COMM_NAME_MAX_LENGTH], path[] = "hccl_rank_table.XXXXXX";
  const char* table =
      "{\"status\":\"completed\",\"version\":\"1.0\",\"server_count\":\"1\",\"server_list\":[{\"server_id\":"
      "\"a\",\"device\":[{\"device_id\":\"1\",\"rank_id\":\"0\"}]}]}";
  FILE* file;
  HCCL(HcclGetRankSize(comms[1], &number));
  EXPECT(number == kRanks);
  HCCL(HcclGetRankId(comms[1], &number));
  EXPECT(number == 1);
  HCCL(HcclGetCommAsyncError(comms[0], &error));
  EXPECT(error == HCCL_SUCCESS && strcmp(HcclGetErrorString(error), "no error") == 0);
  EXPECT(HcclGetCommConfigCapability() & (1u << HCCL_COMM_CONFIG_COMM_NAME));
  HCCL(HcclCommSuspend(comms[0]));
  EXPECT(HcclBarrier(comms[0], streams[0]) == HCCL_E_SUSPENDING);
  HCCL(HcclCommResume(comms[0]));
  HCCL(HcclCommSetMemoryRange(comms[0], in[0], 128, 0, 0));
  HCCL(HcclCommActivateCommMemory(comms[0], in[0] + 8, 64, 0, NULL, 0));
  EXPECT(HcclCommActivateCommMemory(comms[0], in[0] + 8, 640, 0, NULL, 0) == HCCL_E_NOT_FOUND);
  HCCL(HcclCommDeactivateCommMemory(comms[0], in[0] + 8));
  HCCL(HcclCommUnsetMemoryRange(comms[0], in[0]));

  HCCL(HcclGetRootInfo(&info));
  for (uint32_t i = 0; i < kRanks; ++i) HCCL(HcclCommInitRootInfo(kRanks, &info, i, &joined[i]));
  HCCL(HcclCreateSubCommConfig(&joined[1], 0, NULL, 0xffffffffu, 0, NULL, &sub));
  EXPECT(sub == NULL);
  HcclCommConfigInit(&config);
  strcpy(config.hcclCommName, "one of two");
  HCCL(HcclCreateSubCommConfig(&joined[0], 1, first, 7, 0, &config, &sub));
  HCCL(HcclGetCommName(sub, name));
  EXPECT(strcmp(name, "one of two") == 0);
  HCCL(HcclCommDestroy(sub));
  for (int i = 0; i < kRanks; ++i) HCCL(HcclCommDestroy(joined[i]));

  value.value = 1;
  HCCL(HcclSetConfig(HCCL_DETERMINISTIC, value));
  value.value = 0;
  HCCL(HcclGetConfig(HCCL_DETERMINISTIC, &value));
  EXPECT(value.value == 1);
  value.value = 0;
  HCCL(HcclSetConfig(HCCL_DETERMINISTIC, value));
  HCCL(HcclGetRootInfo(&info));
  config.hcclDeterministic = 2;
  HCCL(HcclCommInitRootInfoConfig(1, &info, 0, &config, &configured));
  HCCL(HcclCommDestroy(configured));

  EXPECT(close(mkstemp(path)) == 0);
  file = fopen(path, "w");
  EXPECT(file != NULL && fputs(table, file) >= 0 && fclose(file) == 0);
  ACL(aclrtSetDevice(1));
  HCCL(HcclCommInitClusterInfo(path, 0, &tabled[0]));
  HCCL(HcclCommDestroy(tabled[0]));
  HCCL(HcclCommInitClusterInfoConfig(path, 0, &config, &tabled[1]));
  HCCL(HcclCommDestroy(tabled[1]));
  EXPECT(HcclCommInitClusterInfo("no such file", 0, &tabled[0]) == HCCL_E_OPEN_FILE_FAILURE);
  remove(path);
}

int main(void) {
  int32_t devices[kRanks] = {0, 1};
  aclrtEvent begin, end;
  float ms = -1;
  Runtime();
  HCCL(HcclCommInitAll(kRanks, devices, comms));
  for (int i = 0; i < kRanks; ++i) {
    ACL(aclrtSetDevice(i));
    ACL(aclrtCreateStream(&streams[i]));
    ACL(aclrtMalloc((void**)&in[i], kCount * sizeof(float), ACL_MEM_MALLOC_NORMAL_ONLY));
    ACL(aclrtMalloc((void**)&out[i], kCount * sizeof(float), ACL_MEM_MALLOC_NORMAL_ONLY));
  }
  ACL(aclrtCreateEvent(&begin));
  ACL(aclrtCreateEvent(&end));
  ACL(aclrtRecordEvent(begin, streams[1]));
  Collectives();
  ACL(aclrtRecordEvent(end, streams[1]));
  ACL(aclrtSynchronizeStream(streams[1]));
  ACL(aclrtEventElapsedTime(&ms, begin, end));
  EXPECT(ms > 0.001 && ms < 10);
  Communicators();
  for (int i = 0; i < kRanks; ++i) {
    ACL(aclrtSetDevice(i));
    HCCL(HcclCommDestroy(comms[i]));
    ACL(aclrtDestroyStream(streams[i]));
    ACL(aclrtFree(in[i]));
    ACL(aclrtFree(out[i]));
  }
  ACL(aclrtDestroyEvent(begin));
  ACL(aclrtDestroyEvent(end));
  ACL(aclFinalize());
  EXPECT(aclFinalize() == ACL_ERROR_UNINITIALIZE);
  return 0;
}
