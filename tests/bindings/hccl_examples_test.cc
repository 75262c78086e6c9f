// The call sequences of HCCL's documentation, on emulated ranks: a thread a rank, as its samples have a
// thread or a process a device.
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "acl/acl.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hccl/hccl.h"
#include "tests/temporary_folder.h"

namespace {

using testing::HasSubstr;

#define HCCL(call) ASSERT_EQ(call, HCCL_SUCCESS) << aclGetRecentErrMsg()
#define ACL(call) ASSERT_EQ(call, ACL_SUCCESS) << aclGetRecentErrMsg()

constexpr uint32_t kRanks = 4;
constexpr uint64_t kCount = 1000;

void OnThreads(uint32_t ranks, const std::function<void(uint32_t)>& body) {
  std::vector<std::thread> threads;
  for (uint32_t rank = 0; rank < ranks; ++rank) threads.emplace_back(body, rank);
  for (std::thread& thread : threads) thread.join();
}

// Sums the ranks of a communicator and destroys what it has made.
void SumOn(HcclComm comm, uint32_t rank, uint32_t ranks) {
  aclrtStream stream = nullptr;
  void *device = nullptr, *host = nullptr;
  const size_t bytes = kCount * sizeof(float);
  ACL(aclrtCreateStream(&stream));
  ACL(aclrtMalloc(&device, bytes, ACL_MEM_MALLOC_HUGE_FIRST));
  ACL(aclrtMallocHost(&host, bytes));
  auto* numbers = static_cast<float*>(host);
  for (uint64_t k = 0; k < kCount; ++k) numbers[k] = static_cast<float>(rank + k % 3);
  ACL(aclrtMemcpyAsync(device, bytes, host, bytes, ACL_MEMCPY_HOST_TO_DEVICE, stream));
  HCCL(HcclAllReduce(device, device, kCount, HCCL_DATA_TYPE_FP32, HCCL_REDUCE_SUM, comm, stream));
  ACL(aclrtMemcpyAsync(host, bytes, device, bytes, ACL_MEMCPY_DEVICE_TO_HOST, stream));
  ACL(aclrtSynchronizeStream(stream));
  EXPECT_EQ(numbers[4], static_cast<float>(ranks * (ranks - 1) / 2 + ranks));
  ACL(aclrtDestroyStream(stream));
  ACL(aclrtFree(device));
  ACL(aclrtFreeHost(host));
}

TEST(Samples, InitAllThenAThreadEach) {
  ACL(aclInit(nullptr));
  std::vector<int32_t> devices = {0, 1, 2, 3};
  std::vector<HcclComm> comms(kRanks);
  HCCL(HcclCommInitAll(kRanks, devices.data(), comms.data()));
  OnThreads(kRanks, [&](uint32_t rank) {
    ACL(aclrtSetDevice(static_cast<int32_t>(rank)));
    SumOn(comms[rank], rank, kRanks);
    HCCL(HcclCommDestroy(comms[rank]));
    ACL(aclrtResetDevice(static_cast<int32_t>(rank)));
  });
  ACL(aclFinalize());
}

TEST(Samples, RootInfo) {
  HcclRootInfo info;
  HCCL(HcclGetRootInfo(&info));
  OnThreads(kRanks, [&](uint32_t rank) {
    HcclCommConfig config;
    HcclCommConfigInit(&config);
    config.hcclBufferSize = 400;
    config.hcclDeterministic = 1;
    std::snprintf(config.hcclCommName, COMM_NAME_MAX_LENGTH, "sample");
    HcclComm comm = nullptr;
    ACL(aclrtSetDevice(static_cast<int32_t>(rank)));
    HCCL(HcclCommInitRootInfoConfig(kRanks, &info, rank, &config, &comm));
    char name[COMM_NAME_MAX_LENGTH];
    HCCL(HcclGetCommName(comm, name));
    EXPECT_STREQ(name, "sample");
    SumOn(comm, rank, kRanks);
    HCCL(HcclCommDestroy(comm));
  });
}

// Ranks of some and in another order: only they call.
TEST(Samples, SubCommunicators) {
  HcclRootInfo info;
  HCCL(HcclGetRootInfo(&info));
  OnThreads(kRanks, [&](uint32_t rank) {
    HcclComm comm = nullptr, sub = nullptr, all = nullptr;
    ACL(aclrtSetDevice(static_cast<int32_t>(rank)));
    HCCL(HcclCommInitRootInfo(kRanks, &info, rank, &comm));
    std::vector<uint32_t> odd = {3, 1}, even = {0, 2}, turned = {3, 2, 1, 0};
    HcclCommConfig config;
    HcclCommConfigInit(&config);
    const uint32_t place = rank % 2 == 1 ? (rank == 3 ? 0 : 1) : rank / 2;
    HCCL(HcclCreateSubCommConfig(&comm, 2, rank % 2 == 1 ? odd.data() : even.data(), rank % 2, place, &config,
                                 &sub));
    uint32_t own = 9, size = 9;
    HCCL(HcclGetRankId(sub, &own));
    HCCL(HcclGetRankSize(sub, &size));
    EXPECT_EQ(own, place);
    EXPECT_EQ(size, 2u);
    SumOn(sub, place, 2);
    HCCL(HcclCreateSubCommConfig(&comm, kRanks, turned.data(), 5, 3 - rank, nullptr, &all));
    SumOn(all, 3 - rank, kRanks);
    EXPECT_EQ(HcclCreateSubCommConfig(&comm, 2, odd.data(), 0, 7, nullptr, &sub), HCCL_E_PARA);
    HCCL(HcclCommDestroy(all));
    HCCL(HcclCommDestroy(comm));
  });
}

// One server of 2, as version 1.0, and two super pods, as 1.2.
const char kTable10[] = R"({"status": "completed", "version": "1.0", "server_count": "1",
  "server_list": [{"server_id": "node_0", "device": [
    {"device_id": "0", "device_ip": "192.168.1.8", "device_port": "16667", "rank_id": "0"},
    {"device_id": "1", "device_ip": "192.168.1.9", "device_port": "16667", "rank_id": "1"}]}]})";
const char kTable12[] = R"({"status": "completed", "version": "1.2", "server_count": "2",
  "server_list": [
    {"server_id": "node_0", "host_ip": "10.0.0.1", "device": [
      {"device_id": "0", "super_device_id": "0", "device_ip": "192.168.1.6", "rank_id": "0"},
      {"device_id": "1", "super_device_id": "1", "device_ip": "192.168.1.7", "rank_id": "1"}]},
    {"server_id": "node_1", "host_ip": "10.0.0.2", "device": [
      {"device_id": "0", "super_device_id": "2", "device_ip": "192.168.2.6", "rank_id": "2"},
      {"device_id": "1", "super_device_id": "3", "device_ip": "192.168.2.7", "rank_id": "3"}]}],
  "super_pod_list": [{"super_pod_id": "0", "server_list": [{"server_id": "node_0"}]},
                     {"super_pod_id": "1", "server_list": [{"server_id": "node_1"}]}]})";

class RankTables : public testing::Test {
 protected:
  std::string Write(const std::string& text) {
    const std::string path = folder.path() + "/table.json";
    std::ofstream(path) << text;
    return path;
  }
  // What is wrong with a table, for rank 0 on device 0.
  std::string Wrong(const std::string& text) {
    HcclComm comm = nullptr;
    EXPECT_EQ(aclrtSetDevice(0), ACL_SUCCESS);
    EXPECT_EQ(HcclCommInitClusterInfo(Write(text).c_str(), 0, &comm), HCCL_E_PARA) << text;
    return aclGetRecentErrMsg();
  }
  static std::string With(std::string text, const std::string& from, const std::string& to) {
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }
  TemporaryFolder folder;
};

TEST_F(RankTables, BothVersionsAreRead) {
  for (const char* table : {kTable10, kTable12}) {
    const std::string path = Write(table);
    const uint32_t ranks = table == kTable10 ? 2 : 4;
    OnThreads(ranks, [&](uint32_t rank) {
      HcclComm comm = nullptr;
      ACL(aclrtSetDevice(static_cast<int32_t>(rank % 2)));
      HCCL(HcclCommInitClusterInfo(path.c_str(), rank, &comm));
      uint32_t size = 0;
      HCCL(HcclGetRankSize(comm, &size));
      EXPECT_EQ(size, ranks);
      SumOn(comm, rank, ranks);
      HCCL(HcclCommDestroy(comm));
    });
  }
}

TEST_F(RankTables, ErrorsNameWhatIsWrong) {
  EXPECT_THAT(Wrong("{"), HasSubstr("no JSON"));
  EXPECT_THAT(Wrong("[]"), HasSubstr("no 'status'"));
  EXPECT_THAT(Wrong(With(kTable10, "completed", "initializing")), HasSubstr("not 'completed'"));
  EXPECT_THAT(Wrong(With(kTable10, "\"1.0\"", "\"3.0\"")), HasSubstr("version is '3.0'"));
  EXPECT_THAT(Wrong(With(kTable10, "\"1.0\"", "1.0")), HasSubstr("'version' is no string"));
  EXPECT_THAT(Wrong(With(kTable10, "\"1\",", "\"7\",")), HasSubstr("server_count 7 and lists 1"));
  EXPECT_THAT(Wrong(With(kTable10, "\"rank_id\": \"1\"", "\"rank_id\": \"0\"")), HasSubstr("rank 0 is there twice"));
  EXPECT_THAT(Wrong(With(kTable10, "\"rank_id\": \"1\"", "\"rank_id\": \"x\"")), HasSubstr("'x', no number"));
  EXPECT_THAT(Wrong(With(kTable10, "\"rank_id\": \"1\"", "\"rank_id\": \"2\"")), HasSubstr("one piece"));
  EXPECT_THAT(Wrong(With(kTable10, "\"device_id\": \"1\"", "\"device_id\": \"0\"")), HasSubstr("device 0 twice"));
  EXPECT_THAT(Wrong(With(kTable12, "\"rank_id\": \"1\"", "\"rank_id\": \"3\"")), HasSubstr("one piece"));
  EXPECT_THAT(Wrong(With(kTable12, "\"node_1\", \"host", "\"node_0\", \"host")), HasSubstr("listed twice"));
  EXPECT_THAT(Wrong(With(kTable12, "[{\"server_id\": \"node_1\"}]", "[{\"server_id\": \"node_9\"}]")),
              HasSubstr("node_9', which is not listed"));
  HcclComm comm = nullptr;
  const std::string path = Write(kTable10);
  ACL(aclrtSetDevice(0));
  EXPECT_EQ(HcclCommInitClusterInfo(path.c_str(), 1, &comm), HCCL_E_PARA);
  EXPECT_THAT(aclGetRecentErrMsg(), HasSubstr("rank 1 on device 1, the current one is 0"));
  EXPECT_EQ(HcclCommInitClusterInfo(path.c_str(), 2, &comm), HCCL_E_PARA);
  EXPECT_THAT(aclGetRecentErrMsg(), HasSubstr("no rank 2"));
  EXPECT_EQ(HcclCommInitClusterInfo("/no/such/file", 0, &comm), HCCL_E_OPEN_FILE_FAILURE);
  EXPECT_EQ(HcclCommInitClusterInfo(nullptr, 0, &comm), HCCL_E_PTR);
}

TEST(Errors, HaveHcclsResults) {
  int32_t device = 0;
  HcclComm comm = nullptr;
  HCCL(HcclCommInitAll(1, &device, &comm));
  float x = 1;
  const HcclDataType fp32 = HCCL_DATA_TYPE_FP32;
  EXPECT_EQ(HcclAllReduce(&x, &x, 1, fp32, HCCL_REDUCE_SUM, nullptr, nullptr), HCCL_E_PTR);
  EXPECT_EQ(HcclAllReduce(nullptr, &x, 1, fp32, HCCL_REDUCE_SUM, comm, nullptr), HCCL_E_PTR);
  EXPECT_EQ(HcclAllReduce(&x, &x, 1, HCCL_DATA_TYPE_INT128, HCCL_REDUCE_SUM, comm, nullptr), HCCL_E_NOT_SUPPORT);
  EXPECT_EQ(HcclAllReduce(&x, &x, 1, HCCL_DATA_TYPE_RESERVED, HCCL_REDUCE_SUM, comm, nullptr), HCCL_E_PARA);
  EXPECT_EQ(HcclAllReduce(&x, &x, 1, fp32, HCCL_REDUCE_RESERVED, comm, nullptr), HCCL_E_PARA);
  EXPECT_EQ(HcclBroadcast(&x, 1, fp32, 5, comm, nullptr), HCCL_E_PARA);
  EXPECT_EQ(HcclAlltoAll(&x, 1, fp32, &x, 2, fp32, comm, nullptr), HCCL_E_PARA);
  HcclSendRecvItem wrong = {HCCL_SEND_RECV_RESERVED, &x, 1, fp32, 0};
  EXPECT_EQ(HcclBatchSendRecv(&wrong, 1, comm, nullptr), HCCL_E_PARA);
  EXPECT_THAT(aclGetRecentErrMsg(), HasSubstr("item 0 neither sends nor receives"));
  HCCL(HcclBarrier(comm, nullptr));  // as usable as before
  ACL(aclrtSynchronizeStream(nullptr));
  HcclCommConfig config = {};
  EXPECT_EQ(HcclCommInitRootInfoConfig(1, nullptr, 0, &config, &comm), HCCL_E_PTR);
  HcclComm again = comm;
  HCCL(HcclCommDestroy(comm));
  EXPECT_EQ(HcclCommDestroy(again), HCCL_E_PARA);
  int32_t twice[] = {1, 1};
  std::vector<HcclComm> comms(2);
  EXPECT_EQ(HcclCommInitAll(2, twice, comms.data()), HCCL_E_PARA);
}

// What never ends is found by a timeout, and the stream can be thrown away.
TEST(Errors, Timeout) {
  HcclRootInfo info;
  HCCL(HcclGetRootInfo(&info));
  HcclComm comms[2];
  for (uint32_t i = 0; i < 2; ++i) HCCL(HcclCommInitRootInfo(2, &info, i, &comms[i]));
  aclrtStream stream = nullptr;
  ACL(aclrtCreateStream(&stream));
  float x = 1;
  HCCL(HcclRecv(&x, 1, HCCL_DATA_TYPE_FP32, 1, comms[0], stream));
  EXPECT_EQ(aclrtSynchronizeStreamWithTimeout(stream, 20), ACL_ERROR_RT_STREAM_SYNC_TIMEOUT);
  EXPECT_THAT(aclGetRecentErrMsg(), HasSubstr("after 20 ms"));
  ACL(aclrtDestroyStreamForce(stream));
  for (HcclComm comm : comms) HCCL(HcclCommDestroy(comm));
}

}  // namespace
