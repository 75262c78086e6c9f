// The call sequences of NCCL's documentation and examples, on emulated ranks.
#include <sched.h>

#include <thread>
#include <vector>

#include "cuda_runtime.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nccl.h"

namespace {

using testing::HasSubstr;

#define NCCL(call) ASSERT_EQ(call, ncclSuccess) << ncclGetLastError(nullptr)
#define CUDA(call) ASSERT_EQ(call, cudaSuccess) << ncclGetLastError(nullptr)

constexpr int kDevices = 4;
constexpr size_t kCount = 1000;

// Device buffers of one rank.
struct Rank {
  ncclComm_t comm = nullptr;
  cudaStream_t stream = nullptr;
  float *send = nullptr, *receive = nullptr;
  std::vector<float> host = std::vector<float>(kCount);

  void Allocate(size_t count, float value) {
    host.assign(count, value);
    CUDA(cudaMalloc(&send, count * sizeof(float)));
    CUDA(cudaMalloc(&receive, count * sizeof(float)));
    CUDA(cudaMemcpy(send, host.data(), count * sizeof(float), cudaMemcpyHostToDevice));
    CUDA(cudaMemset(receive, 0, count * sizeof(float)));
    CUDA(cudaStreamCreate(&stream));
  }
  // What has been received, once the stream is empty.
  std::vector<float> Received() {
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess) << ncclGetLastError(comm);
    EXPECT_EQ(cudaMemcpy(host.data(), receive, host.size() * sizeof(float), cudaMemcpyDeviceToHost),
              cudaSuccess);
    return host;
  }
  void Free() {
    CUDA(cudaFree(send));
    CUDA(cudaFree(receive));
    CUDA(cudaStreamDestroy(stream));
  }
};

// One thread and all devices of it, as ncclCommInitAll makes them.
class OneThread : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<ncclComm_t> comms(kDevices);
    const std::vector<int> devices = {0, 1, 2, 3};
    NCCL(ncclCommInitAll(comms.data(), kDevices, devices.data()));
    for (int i = 0; i < kDevices; ++i) {
      ranks[static_cast<size_t>(i)].comm = comms[static_cast<size_t>(i)];
      CUDA(cudaSetDevice(i));
      ranks[static_cast<size_t>(i)].Allocate(kCount, static_cast<float>(i + 1));
    }
  }
  void TearDown() override {
    for (size_t i = 0; i < kDevices; ++i) {
      CUDA(cudaSetDevice(static_cast<int>(i)));
      ranks[i].Free();
      NCCL(ncclCommDestroy(ranks[i].comm));
    }
  }
  std::vector<Rank> ranks = std::vector<Rank>(kDevices);
};

TEST_F(OneThread, AllReduceInAGroup) {
  NCCL(ncclGroupStart());
  for (Rank& r : ranks) {
    NCCL(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclSum, r.comm, r.stream));
  }
  NCCL(ncclGroupEnd());
  for (Rank& r : ranks) EXPECT_EQ(r.Received(), std::vector<float>(kCount, 10));
}

TEST_F(OneThread, FinalizeInAGroupBeforeDestroy) {
  NCCL(ncclGroupStart());
  for (Rank& r : ranks) NCCL(ncclBroadcast(r.send, r.receive, kCount, ncclFloat, 2, r.comm, r.stream));
  NCCL(ncclGroupEnd());
  NCCL(ncclGroupStart());
  for (Rank& r : ranks) NCCL(ncclCommFinalize(r.comm));
  NCCL(ncclGroupEnd());
  for (Rank& r : ranks) EXPECT_EQ(r.Received(), std::vector<float>(kCount, 3));
}

// Send and receive: to the next and from the one before, all at once.
TEST_F(OneThread, RingOfMessages) {
  NCCL(ncclGroupStart());
  for (int i = 0; i < kDevices; ++i) {
    Rank& r = ranks[static_cast<size_t>(i)];
    NCCL(ncclSend(r.send, kCount, ncclFloat, (i + 1) % kDevices, r.comm, r.stream));
    NCCL(ncclRecv(r.receive, kCount, ncclFloat, (i + kDevices - 1) % kDevices, r.comm, r.stream));
  }
  NCCL(ncclGroupEnd());
  for (int i = 0; i < kDevices; ++i) {
    const float wanted = static_cast<float>((i + kDevices - 1) % kDevices + 1);
    EXPECT_EQ(ranks[static_cast<size_t>(i)].Received(), std::vector<float>(kCount, wanted));
  }
}

// The collectives that are written with messages: one to all, all to one, all to all, neighbours.
TEST_F(OneThread, ScatterGatherAllToAllOfMessages) {
  const size_t part = kCount / kDevices;
  NCCL(ncclGroupStart());
  for (int i = 0; i < kDevices; ++i) {
    Rank& r = ranks[static_cast<size_t>(i)];
    if (i == 0) {
      for (int peer = 0; peer < kDevices; ++peer) {
        NCCL(ncclSend(r.send + static_cast<size_t>(peer) * part, part, ncclFloat, peer, r.comm, r.stream));
      }
    }
    NCCL(ncclRecv(r.receive, part, ncclFloat, 0, r.comm, r.stream));
  }
  NCCL(ncclGroupEnd());
  for (Rank& r : ranks) EXPECT_EQ(r.Received()[part - 1], 1);
  NCCL(ncclGroupStart());
  for (Rank& r : ranks) {
    for (int peer = 0; peer < kDevices; ++peer) {
      const size_t at = static_cast<size_t>(peer) * part;
      NCCL(ncclSend(r.send + at, part, ncclFloat, peer, r.comm, r.stream));
      NCCL(ncclRecv(r.receive + at, part, ncclFloat, peer, r.comm, r.stream));
    }
  }
  NCCL(ncclGroupEnd());
  for (Rank& r : ranks) {
    const std::vector<float> received = r.Received();
    for (size_t k = 0; k < kCount; ++k) ASSERT_EQ(received[k], static_cast<float>(k / part + 1));
  }
}

// The null stream is the device's own, and a copy waits for it.
TEST_F(OneThread, NullStream) {
  NCCL(ncclGroupStart());
  for (Rank& r : ranks) NCCL(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclMax, r.comm, nullptr));
  NCCL(ncclGroupEnd());
  CUDA(cudaSetDevice(3));
  CUDA(cudaMemcpy(ranks[3].host.data(), ranks[3].receive, 4, cudaMemcpyDeviceToHost));
  EXPECT_EQ(ranks[3].host[0], 4);
  for (int i = 0; i < kDevices; ++i) {
    CUDA(cudaSetDevice(i));
    CUDA(cudaStreamSynchronize(nullptr));
  }
}

// Copies and sums in the order of the stream, timed by events.
TEST_F(OneThread, CopiesAndEventsOfAStream) {
  std::vector<std::vector<float>> host(kDevices, std::vector<float>(kCount, 5));
  cudaEvent_t begin, end;
  CUDA(cudaEventCreate(&begin));
  CUDA(cudaEventCreate(&end));
  CUDA(cudaEventRecord(begin, ranks[0].stream));
  for (size_t i = 0; i < kDevices; ++i) {
    Rank& r = ranks[i];
    CUDA(cudaMemcpyAsync(r.send, host[i].data(), kCount * 4, cudaMemcpyHostToDevice, r.stream));
  }
  NCCL(ncclGroupStart());
  for (Rank& r : ranks) NCCL(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclSum, r.comm, r.stream));
  NCCL(ncclGroupEnd());
  for (size_t i = 0; i < kDevices; ++i) {
    Rank& r = ranks[i];
    CUDA(cudaMemcpyAsync(host[i].data(), r.receive, kCount * 4, cudaMemcpyDeviceToHost, r.stream));
  }
  CUDA(cudaEventRecord(end, ranks[0].stream));
  float ms = -1;
  EXPECT_EQ(cudaEventElapsedTime(&ms, begin, end), cudaErrorNotReady);
  while (cudaEventQuery(end) == cudaErrorNotReady) continue;
  CUDA(cudaEventElapsedTime(&ms, begin, end));
  EXPECT_GT(ms, 0.0005);
  EXPECT_LT(ms, 1);
  for (size_t i = 0; i < kDevices; ++i) {
    CUDA(cudaStreamSynchronize(ranks[i].stream));
    EXPECT_EQ(host[i], std::vector<float>(kCount, 20));
  }
  CUDA(cudaEventDestroy(begin));
  CUDA(cudaEventDestroy(end));
}

// Two communicators on one stream run in its order.
TEST_F(OneThread, CommunicatorsOfASplitShareStreams) {
  std::vector<ncclComm_t> halves(kDevices);
  NCCL(ncclGroupStart());
  for (int i = 0; i < kDevices; ++i) {
    const size_t at = static_cast<size_t>(i);
    NCCL(ncclCommSplit(ranks[at].comm, i / 2, -i, &halves[at], nullptr));
  }
  NCCL(ncclGroupEnd());
  int rank = -1, device = -1;
  NCCL(ncclCommUserRank(halves[3], &rank));
  NCCL(ncclCommCuDevice(halves[3], &device));
  EXPECT_EQ(rank, 0);
  EXPECT_EQ(device, 3);
  NCCL(ncclGroupStart());
  for (size_t i = 0; i < kDevices; ++i) {
    Rank& r = ranks[i];
    NCCL(ncclAllReduce(r.send, r.send, kCount, ncclFloat, ncclSum, r.comm, r.stream));
    NCCL(ncclAllReduce(r.send, r.send, kCount, ncclFloat, ncclSum, halves[i], r.stream));
    NCCL(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclSum, r.comm, r.stream));
  }
  NCCL(ncclGroupEnd());
  for (Rank& r : ranks) EXPECT_EQ(r.Received(), std::vector<float>(kCount, 80));
  for (ncclComm_t half : halves) NCCL(ncclCommDestroy(half));
}

TEST_F(OneThread, PreMulSumAndAverage) {
  const float half = 0.5;
  std::vector<ncclRedOp_t> ops(kDevices);
  for (size_t i = 0; i < kDevices; ++i) {
    NCCL(ncclRedOpCreatePreMulSum(&ops[i], const_cast<float*>(&half), ncclFloat, ncclScalarHostImmediate,
                                  ranks[i].comm));
  }
  NCCL(ncclGroupStart());
  for (size_t i = 0; i < kDevices; ++i) {
    Rank& r = ranks[i];
    NCCL(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ops[i], r.comm, r.stream));
    NCCL(ncclAllReduce(r.send, r.send, kCount, ncclFloat, ncclAvg, r.comm, r.stream));
  }
  NCCL(ncclGroupEnd());
  for (size_t i = 0; i < kDevices; ++i) NCCL(ncclRedOpDestroy(ops[i], ranks[i].comm));
  for (Rank& r : ranks) {
    EXPECT_EQ(r.Received(), std::vector<float>(kCount, 5));
    EXPECT_EQ(r.send[0], 2.5);
  }
}

// One rank is not there any more: the others make a communicator without it.
TEST_F(OneThread, ShrinkGoesOnWithoutARank) {
  int excluded = 2;
  std::vector<ncclComm_t> rest(kDevices);
  NCCL(ncclGroupStart());
  for (size_t i = 0; i < kDevices; ++i) {
    if (i == 2) continue;
    NCCL(ncclCommShrink(ranks[i].comm, &excluded, 1, &rest[i], nullptr, NCCL_SHRINK_ABORT));
  }
  NCCL(ncclGroupEnd());
  NCCL(ncclGroupStart());
  for (size_t i = 0; i < kDevices; ++i) {
    if (i == 2) continue;
    Rank& r = ranks[i];
    NCCL(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclSum, rest[i], r.stream));
  }
  NCCL(ncclGroupEnd());
  for (size_t i = 0; i < kDevices; ++i) {
    if (i == 2) continue;
    EXPECT_EQ(ranks[i].Received(), std::vector<float>(kCount, 7));
    NCCL(ncclCommDestroy(rest[i]));
  }
}

// The device that waits polls its stream and the communicator, as where a failure is looked for.
TEST_F(OneThread, PollingMakesProgress) {
  NCCL(ncclGroupStart());
  for (Rank& r : ranks) NCCL(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclSum, r.comm, r.stream));
  NCCL(ncclGroupEnd());
  for (Rank& r : ranks) {
    for (cudaError_t state = cudaErrorNotReady; state != cudaSuccess;) {
      state = cudaStreamQuery(r.stream);
      ASSERT_TRUE(state == cudaSuccess || state == cudaErrorNotReady) << cudaGetErrorString(state);
      ncclResult_t error = ncclInternalError;
      NCCL(ncclCommGetAsyncError(r.comm, &error));
      ASSERT_EQ(error, ncclSuccess);
      sched_yield();
    }
    EXPECT_EQ(r.receive[0], 10);
  }
}

// An operation that cannot end is in progress until its communicator is aborted; others go on.
TEST_F(OneThread, AbortOfAStuckOperation) {
  Rank& r = ranks[0];
  NCCL(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclSum, r.comm, r.stream));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(cudaStreamQuery(r.stream), cudaErrorNotReady);
  for (Rank& each : ranks) {
    NCCL(ncclCommAbort(each.comm));
    each.comm = nullptr;
  }
  CUDA(cudaStreamSynchronize(r.stream));
  int value = 0;
  EXPECT_EQ(ncclCommCount(r.comm, &value), ncclInvalidArgument);
}

TEST_F(OneThread, ErrorContract) {
  Rank& r = ranks[0];
  // An argument: no effect.
  EXPECT_EQ(ncclAllReduce(r.send, r.receive, kCount, ncclNumTypes, ncclSum, r.comm, r.stream),
            ncclInvalidArgument);
  EXPECT_THAT(ncclGetLastError(r.comm), HasSubstr("unknown data type 12"));
  EXPECT_EQ(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclNumOps, r.comm, r.stream),
            ncclInvalidArgument);
  EXPECT_EQ(ncclBroadcast(r.send, r.receive, kCount, ncclFloat, 9, r.comm, r.stream), ncclInvalidArgument);
  EXPECT_EQ(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclSum, nullptr, r.stream),
            ncclInvalidArgument);
  EXPECT_THAT(ncclGetLastError(r.comm), HasSubstr("communicator is null"));
  int no_stream = 0;
  EXPECT_EQ(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclSum, r.comm,
                          reinterpret_cast<cudaStream_t>(&no_stream)),
            ncclInvalidArgument);
  EXPECT_EQ(cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(&no_stream)),
            cudaErrorInvalidResourceHandle);
  ncclCollConfig_t options = NCCL_COLLCONFIG_INITIALIZER;
  options.algSelection = "NVLS";
  EXPECT_EQ(ncclAllReduceConfig(r.send, r.receive, kCount, ncclFloat, ncclSum, r.comm, r.stream, &options),
            ncclInvalidArgument);
  options.magic = 0;
  EXPECT_EQ(ncclAllReduceConfig(r.send, r.receive, kCount, ncclFloat, ncclSum, r.comm, r.stream, &options),
            ncclInvalidArgument);
  EXPECT_EQ(ncclGroupEnd(), ncclInvalidUsage);
  ncclComm_t comms[2];
  const int twice[] = {1, 1}, far[] = {0, 1 << 20};
  EXPECT_EQ(ncclCommInitAll(comms, 2, twice), ncclInvalidUsage);
  EXPECT_EQ(ncclCommInitAll(comms, 2, far), ncclUnhandledCudaError);
  EXPECT_THAT(ncclGetLastError(nullptr), HasSubstr("CCL_DEVICES"));
  // An error inside a group comes from its end too, and nothing starts.
  NCCL(ncclGroupStart());
  EXPECT_EQ(ncclBroadcast(r.send, r.receive, kCount, ncclFloat, 9, r.comm, r.stream), ncclInvalidArgument);
  NCCL(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclSum, r.comm, r.stream));
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);  // empty still
  EXPECT_EQ(ncclGroupEnd(), ncclInvalidArgument);
  // And all of them are as usable as before.
  NCCL(ncclGroupStart());
  options = NCCL_COLLCONFIG_INITIALIZER;
  options.algSelection = "ring_ll128";
  for (Rank& each : ranks) {
    NCCL(ncclAllReduceConfig(each.send, each.receive, kCount, ncclFloat, ncclSum, each.comm, each.stream,
                             &options));
  }
  NCCL(ncclGroupEnd());
  for (Rank& each : ranks) EXPECT_EQ(each.Received()[0], 10);
}

// One device a thread; the id is shared.
TEST(Threads, OneDeviceEach) {
  ncclUniqueId id;
  NCCL(ncclGetUniqueId(&id));
  std::vector<std::thread> threads;
  for (int i = 0; i < kDevices; ++i) {
    threads.emplace_back([&id, i] {
      Rank r;
      CUDA(cudaSetDevice(i));
      NCCL(ncclCommInitRank(&r.comm, kDevices, id, i));
      r.Allocate(kCount, static_cast<float>(i + 1));
      NCCL(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclSum, r.comm, r.stream));
      EXPECT_EQ(r.Received(), std::vector<float>(kCount, 10));
      // And again, with a thread that asks instead of waiting.
      NCCL(ncclReduceScatter(r.send, r.receive, kCount / kDevices, ncclFloat, ncclMax, r.comm, r.stream));
      while (cudaStreamQuery(r.stream) == cudaErrorNotReady) continue;
      EXPECT_EQ(r.Received()[0], 4);
      r.Free();
      NCCL(ncclCommDestroy(r.comm));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Several devices a thread: communicators are made in a group.
TEST(Threads, SeveralDevicesEach) {
  ncclUniqueId id;
  NCCL(ncclGetUniqueId(&id));
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&id, t] {
      std::vector<Rank> ranks(2);
      NCCL(ncclGroupStart());
      for (int i = 0; i < 2; ++i) {
        CUDA(cudaSetDevice(t * 2 + i));
        NCCL(ncclCommInitRank(&ranks[static_cast<size_t>(i)].comm, 4, id, t * 2 + i));
      }
      NCCL(ncclGroupEnd());
      for (int i = 0; i < 2; ++i) {
        CUDA(cudaSetDevice(t * 2 + i));
        ranks[static_cast<size_t>(i)].Allocate(kCount, static_cast<float>(t * 2 + i));
      }
      NCCL(ncclGroupStart());
      for (Rank& r : ranks) {
        NCCL(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclSum, r.comm, r.stream));
      }
      NCCL(ncclGroupEnd());
      for (Rank& r : ranks) EXPECT_EQ(r.Received(), std::vector<float>(kCount, 6));
      for (Rank& r : ranks) {
        r.Free();
        NCCL(ncclCommDestroy(r.comm));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Communicators that do not block: made, used and finalised by asking.
TEST(Threads, NonBlockingCommunicators) {
  ncclUniqueId id;
  NCCL(ncclGetUniqueId(&id));
  const auto settled = [](ncclComm_t comm) {
    ncclResult_t state = ncclInProgress;
    while (state == ncclInProgress) {
      EXPECT_EQ(ncclCommGetAsyncError(comm, &state), ncclSuccess) << ncclGetLastError(comm);
    }
    return state;
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
      config.blocking = 0;
      config.netName = "emulated:crossbar";
      config.commName = "asks";
      Rank r;
      CUDA(cudaSetDevice(i));
      ncclResult_t result = ncclCommInitRankConfig(&r.comm, 3, id, i, &config);
      ASSERT_TRUE(result == ncclSuccess || result == ncclInProgress);
      ASSERT_EQ(settled(r.comm), ncclSuccess);
      r.Allocate(kCount, static_cast<float>(i));
      NCCL(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclSum, r.comm, r.stream));
      result = ncclCommFinalize(r.comm);
      ASSERT_TRUE(result == ncclSuccess || result == ncclInProgress) << ncclGetLastError(r.comm);
      ASSERT_EQ(settled(r.comm), ncclSuccess);
      EXPECT_EQ(r.receive[kCount - 1], 3);
      NCCL(ncclCommDestroy(r.comm));
      r.Free();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Another thread aborts what never ends; the one that waits returns with an error.
TEST(Threads, AbortWhileAnotherWaits) {
  ncclUniqueId id;
  NCCL(ncclGetUniqueId(&id));
  Rank r;
  ncclComm_t other = nullptr;
  NCCL(ncclGroupStart());
  NCCL(ncclCommInitRank(&r.comm, 2, id, 0));
  NCCL(ncclCommInitRank(&other, 2, id, 1));
  NCCL(ncclGroupEnd());
  r.Allocate(kCount, 1);
  cudaError_t ended = cudaSuccess;
  std::thread waits([&] {
    NCCL(ncclAllReduce(r.send, r.receive, kCount, ncclFloat, ncclSum, r.comm, r.stream));
    ended = cudaStreamSynchronize(r.stream);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // else there may be nothing yet
  NCCL(ncclCommAbort(r.comm));
  waits.join();
  EXPECT_EQ(ended, cudaErrorLaunchFailure);
  NCCL(ncclCommAbort(other));
  r.Free();
}

}  // namespace
