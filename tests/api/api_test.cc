#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "ccl/ccl.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

using testing::HasSubstr;

struct Ranks {
  explicit Ranks(int n, const char* backend = "emulated:crossbar", const char* algorithms = nullptr,
                 bool phantom = false)
      : comms(n) {
    cclConfig_t config = CCL_CONFIG_INITIALIZER;
    config.backend = backend;
    config.algorithms = algorithms;
    config.phantom = phantom;
    result = cclCommInitAllConfig(comms.data(), n, nullptr, &config);
  }
  ~Ranks() {
    if (result != cclSuccess) return;
    for (cclComm_t comm : comms) cclCommDestroy(comm);
  }
  cclResult_t Synchronize() {
    for (cclComm_t comm : comms) {
      if (cclResult_t r = cclCommSynchronize(comm); r != cclSuccess) return r;
    }
    return cclSuccess;
  }
  std::vector<cclComm_t> comms;
  cclResult_t result;
};

TEST(Api, AllReduceInAGroup) {
  Ranks ranks(3);
  ASSERT_EQ(ranks.result, cclSuccess) << cclGetLastError(nullptr);
  std::vector<std::vector<double>> data(3, std::vector<double>(100));
  for (int r = 0; r < 3; ++r) data[r].assign(100, r + 1);
  ASSERT_EQ(cclGroupStart(), cclSuccess);
  for (int r = 0; r < 3; ++r) {
    ASSERT_EQ(cclAllReduce(data[r].data(), data[r].data(), 100, cclDouble, cclSum, ranks.comms[r],
                           nullptr),
              cclSuccess);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess);
  ASSERT_EQ(ranks.Synchronize(), cclSuccess) << cclGetLastError(nullptr);
  for (int r = 0; r < 3; ++r) EXPECT_EQ(data[r], std::vector<double>(100, 6));
  int64_t time = 0;
  ASSERT_EQ(cclCommGetTime(ranks.comms[0], &time), cclSuccess);
  EXPECT_GT(time, 1'000'000);  // the crossbar's microsecond
}

TEST(Api, ThreadsWithAUniqueId) {
  const int n = 4;
  cclUniqueId id;
  ASSERT_EQ(cclGetUniqueId(&id), cclSuccess);
  std::vector<int> sums(n);
  std::vector<std::thread> threads;
  for (int r = 0; r < n; ++r) {
    threads.emplace_back([&, r] {
      cclConfig_t config = CCL_CONFIG_INITIALIZER;
      config.backend = "emulated:crossbar";
      cclComm_t comm;
      ASSERT_EQ(cclCommInitRankConfig(&comm, n, id, r, &config), cclSuccess)
          << cclGetLastError(nullptr);
      const int mine = r + 1;
      for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(cclAllReduce(&mine, &sums[r], 1, cclInt, cclSum, comm, nullptr), cclSuccess);
        EXPECT_EQ(cclCommSynchronize(comm), cclSuccess) << cclGetLastError(comm);
      }
      EXPECT_EQ(cclCommDestroy(comm), cclSuccess);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sums, std::vector<int>(n, 10));
}

// Joins `rank` of `n` on the calling thread, which may be that of several ranks.
cclResult_t Join(cclComm_t* comm, int n, const cclUniqueId& id, int rank,
                 const char* backend = "emulated:crossbar", const char* algorithms = nullptr) {
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.backend = backend;
  config.algorithms = algorithms;
  return cclCommInitRankConfig(comm, n, id, rank, &config);
}

TEST(Api, ARankJoinsOnce) {
  for (int n : {1, 2}) {
    cclUniqueId id;
    ASSERT_EQ(cclGetUniqueId(&id), cclSuccess);
    std::vector<cclComm_t> comms(n);
    for (int r = 0; r < n; ++r) {
      ASSERT_EQ(Join(&comms[r], n, id, r), cclSuccess) << cclGetLastError(nullptr);
    }
    cclComm_t again;
    EXPECT_EQ(Join(&again, n, id, n - 1), cclInvalidUsage);
    EXPECT_EQ(again, nullptr);
    EXPECT_THAT(std::string(cclGetLastError(nullptr)),
                HasSubstr("rank " + std::to_string(n - 1) + " has already joined"));
    // The others are none the worse for it.
    std::vector<int> in(n, 1), out(n);
    ASSERT_EQ(cclGroupStart(), cclSuccess);
    for (int r = 0; r < n; ++r) {
      cclAllReduce(&in[r], &out[r], 1, cclInt, cclSum, comms[r], nullptr);
    }
    ASSERT_EQ(cclGroupEnd(), cclSuccess);
    for (cclComm_t comm : comms) EXPECT_EQ(cclCommSynchronize(comm), cclSuccess);
    EXPECT_EQ(out, std::vector<int>(n, n));
    for (cclComm_t comm : comms) cclCommDestroy(comm);
  }
}

TEST(Api, ARankThatHasLeftDoesNotComeBackWhileOthersLiveOn) {
  cclUniqueId id;
  ASSERT_EQ(cclGetUniqueId(&id), cclSuccess);
  cclComm_t comms[2], again;
  for (int r = 0; r < 2; ++r) ASSERT_EQ(Join(&comms[r], 2, id, r), cclSuccess);
  ASSERT_EQ(cclCommDestroy(comms[1]), cclSuccess);
  EXPECT_EQ(Join(&again, 2, id, 1), cclInvalidUsage);
  EXPECT_THAT(std::string(cclGetLastError(nullptr)), HasSubstr("rank 1 has left"));
  ASSERT_EQ(cclCommDestroy(comms[0]), cclSuccess);
  // The world has ended: the id is as good as new.
  for (int r = 0; r < 2; ++r) ASSERT_EQ(Join(&comms[r], 2, id, r), cclSuccess);
  for (cclComm_t comm : comms) cclCommDestroy(comm);
}

TEST(Api, ConfigurationsThatDifferNameTheRankAndBoth) {
  cclUniqueId id;
  ASSERT_EQ(cclGetUniqueId(&id), cclSuccess);
  cclComm_t comms[2];
  ASSERT_EQ(Join(&comms[0], 2, id, 0, "emulated:crossbar", "allreduce:@ring"), cclSuccess);
  const auto expect = [&](cclResult_t result, const char* what, const char* here,
                          const char* there) {
    EXPECT_EQ(result, cclInvalidArgument);
    for (const char* part : {"rank 1", what, here, "rank 0", there}) {
      EXPECT_THAT(std::string(cclGetLastError(nullptr)), HasSubstr(part));
    }
  };
  expect(Join(&comms[1], 2, id, 1, "emulated:cloudmatrix384", "allreduce:@ring"), "backend",
         "'emulated:cloudmatrix384'", "'emulated:crossbar'");
  expect(Join(&comms[1], 2, id, 1, "emulated:crossbar", "allreduce:@nhr"), "algorithms",
         "'allreduce:@nhr'", "'allreduce:@ring'");
  expect(Join(&comms[1], 3, id, 1, "emulated:crossbar", "allreduce:@ring"), "nranks", "'3'", "'2'");
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.backend = "emulated:crossbar";
  config.algorithms = "allreduce:@ring";
  config.phantom = 1;
  expect(cclCommInitRankConfig(&comms[1], 2, id, 1, &config), "phantom", "'1'", "'0'");
  // Corrected, the rank may join.
  ASSERT_EQ(Join(&comms[1], 2, id, 1, "emulated:crossbar", "allreduce:@ring"), cclSuccess);
  for (cclComm_t comm : comms) cclCommDestroy(comm);
}

// Nobody leaves a barrier before the last has come.
TEST(Api, ABarrierHoldsEverybodyUntilTheLastComes) {
  const int n = 3;
  Ranks ranks(n);
  std::vector<int64_t> left(n);
  std::vector<std::thread> threads;
  for (int r = 0; r < n; ++r) {
    threads.emplace_back([&, r] {
      if (r == 1) {
        EXPECT_EQ(cclCommCompute(ranks.comms[r], 50'000'000), cclSuccess);
      }
      EXPECT_EQ(cclBarrier(ranks.comms[r], nullptr), cclSuccess);
      EXPECT_EQ(cclCommSynchronize(ranks.comms[r]), cclSuccess) << cclGetLastError(nullptr);
      cclCommGetTime(ranks.comms[r], &left[r]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int64_t time : left) EXPECT_GE(time, 50'000'000);
}

TEST(Api, SendAndReceiveInAGroup) {
  Ranks ranks(2);
  int a = 1, b = 2, from_a = 0, from_b = 0;
  ASSERT_EQ(cclGroupStart(), cclSuccess);
  EXPECT_EQ(cclSend(&a, 1, cclInt, 1, ranks.comms[0], nullptr), cclSuccess);
  EXPECT_EQ(cclRecv(&from_b, 1, cclInt, 1, ranks.comms[0], nullptr), cclSuccess);
  EXPECT_EQ(cclSend(&b, 1, cclInt, 0, ranks.comms[1], nullptr), cclSuccess);
  EXPECT_EQ(cclRecv(&from_a, 1, cclInt, 0, ranks.comms[1], nullptr), cclSuccess);
  ASSERT_EQ(cclGroupEnd(), cclSuccess);
  ASSERT_EQ(ranks.Synchronize(), cclSuccess) << cclGetLastError(nullptr);
  EXPECT_EQ(from_a, 1);
  EXPECT_EQ(from_b, 2);
}

TEST(Api, BadInputIsNamedAndLeavesTheCommunicatorUsable) {
  Ranks ranks(2);
  cclComm_t comm = ranks.comms[1];
  float data[8] = {};
  const auto expect = [&](cclResult_t result, const char* text) {
    EXPECT_EQ(result, cclInvalidArgument);
    EXPECT_THAT(std::string(cclGetLastError(comm)), HasSubstr(text));
  };
  expect(cclAllReduce(nullptr, data, 4, cclFloat, cclSum, comm, nullptr), "send buffer is null");
  expect(cclAllReduce(data, nullptr, 4, cclFloat, cclSum, comm, nullptr), "receive buffer is null");
  expect(cclAllReduce(data, data, static_cast<size_t>(-1), cclFloat, cclSum, comm, nullptr),
         "negative or too large");
  expect(cclAllReduce(data, data, 4, static_cast<cclDataType_t>(77), cclSum, comm, nullptr),
         "unknown data type 77");
  expect(cclAllReduce(data, data, 4, cclFloat, static_cast<cclRedOp_t>(9), comm, nullptr),
         "unknown reduction 9");
  expect(cclBroadcast(data, data, 4, cclFloat, 2, comm, nullptr), "root 2 is not in 0..1");
  expect(cclSend(data, 4, cclFloat, -1, comm, nullptr), "peer -1");
  expect(cclAllReduce(data, data + 1, 4, cclFloat, cclSum, comm, nullptr), "overlap");
  expect(cclAllGather(data, data, 4, cclFloat, comm, nullptr), "the rank's block");
  expect(cclAllReduce(data, data, 4, cclFloat, cclSum, nullptr, nullptr), "communicator is null");
  ASSERT_EQ(cclGroupStart(), cclSuccess);
  for (cclComm_t c : ranks.comms) {
    EXPECT_EQ(cclBroadcast(data, data, 0, cclFloat, 0, c, nullptr), cclSuccess);
    EXPECT_EQ(cclBarrier(c, nullptr), cclSuccess);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess);
  EXPECT_EQ(ranks.Synchronize(), cclSuccess) << cclGetLastError(nullptr);
}

TEST(Api, WorldErrorsNameTheCause) {
  Ranks unknown(2, "emulated:crosbar");
  EXPECT_NE(unknown.result, cclSuccess);
  EXPECT_THAT(std::string(cclGetLastError(nullptr)), HasSubstr("crossbar"));
  Ranks scheme(2, "udp:");
  EXPECT_NE(scheme.result, cclSuccess);
  Ranks rule(2, "emulated:crossbar", "allreduce:@rong");
  EXPECT_NE(rule.result, cclSuccess);
  EXPECT_THAT(std::string(cclGetLastError(nullptr)), HasSubstr("rong"));
}

TEST(Api, ARankThatNeverComesIsADeadlockAtOnce) {
  Ranks ranks(2);
  int one = 1, sum = 0;
  ASSERT_EQ(cclAllReduce(&one, &sum, 1, cclInt, cclSum, ranks.comms[0], nullptr), cclSuccess);
  EXPECT_EQ(cclCommSynchronize(ranks.comms[0]), cclInvalidUsage);
  EXPECT_THAT(std::string(cclGetLastError(nullptr)), HasSubstr("deadlock"));
}

TEST(Api, ComputeOverlapsWithCommunicationOnAnotherStream) {
  Ranks ranks(2, "emulated:crossbar", nullptr, true);
  std::vector<cclStream_t> streams(2);
  for (int r = 0; r < 2; ++r) {
    ASSERT_EQ(cclStreamCreate(ranks.comms[r], &streams[r]), cclSuccess);
  }
  ASSERT_EQ(cclGroupStart(), cclSuccess);
  for (int r = 0; r < 2; ++r) {
    EXPECT_EQ(cclStreamCompute(streams[r], 50'000'000), cclSuccess);
    EXPECT_EQ(cclAllReduce(nullptr, nullptr, 1 << 20, cclFloat, cclSum, ranks.comms[r], nullptr),
              cclSuccess);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess);
  for (int r = 0; r < 2; ++r) ASSERT_EQ(cclStreamSynchronize(streams[r]), cclSuccess);
  int64_t time = 0;
  cclCommGetTime(ranks.comms[0], &time);
  EXPECT_EQ(time, 50'000'000);  // the allreduce is hidden
  ASSERT_EQ(ranks.Synchronize(), cclSuccess);
  for (int r = 0; r < 2; ++r) cclStreamDestroy(streams[r]);
}

// Ranks that reach two streams' operations in different orders must not mix them up.
TEST(Api, OperationsOnTwoStreamsStayApartWhenRanksAreSkewed) {
  const int n = 4, count = 4096;
  Ranks ranks(n, "emulated:crossbar", "allreduce:@ring");
  std::vector<std::vector<float>> a(n, std::vector<float>(count, 1)), b = a;
  std::vector<int> sent(n), got(n, -1), sent2(n), got2(n, -1);
  std::vector<cclStream_t> streams(n);
  ASSERT_EQ(cclGroupStart(), cclSuccess);
  for (int r = 0; r < n; ++r) {
    cclComm_t comm = ranks.comms[r];
    b[r].assign(count, 100);
    sent[r] = r, sent2[r] = 10 + r;
    ASSERT_EQ(cclStreamCreate(comm, &streams[r]), cclSuccess);
    if (r % 2 == 1) cclCommCompute(comm, 5'000'000);
    cclAllReduce(a[r].data(), a[r].data(), count, cclFloat, cclSum, comm, nullptr);
    cclAllReduce(b[r].data(), b[r].data(), count, cclFloat, cclSum, comm, streams[r]);
    cclSend(&sent[r], 1, cclInt, (r + 1) % n, comm, nullptr);
    cclRecv(&got[r], 1, cclInt, (r + n - 1) % n, comm, nullptr);
    cclSend(&sent2[r], 1, cclInt, (r + 1) % n, comm, streams[r]);
    cclRecv(&got2[r], 1, cclInt, (r + n - 1) % n, comm, streams[r]);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess);
  ASSERT_EQ(ranks.Synchronize(), cclSuccess) << cclGetLastError(nullptr);
  for (int r = 0; r < n; ++r) {
    ASSERT_EQ(cclStreamSynchronize(streams[r]), cclSuccess);
    EXPECT_EQ(a[r], std::vector<float>(count, n));
    EXPECT_EQ(b[r], std::vector<float>(count, 100 * n));
    EXPECT_EQ(got[r], (r + n - 1) % n);
    EXPECT_EQ(got2[r], 10 + (r + n - 1) % n);
    cclStreamDestroy(streams[r]);
  }
}

TEST(Api, ARejectedGroupCanBeCorrected) {
  const int n = 4;
  Ranks ranks(n);
  std::vector<int> in(n, 1), out(n);
  for (bool wrong : {true, false}) {
    ASSERT_EQ(cclGroupStart(), cclSuccess);
    for (int r = 0; r < n; ++r) {
      cclAllReduce(wrong && r == 3 ? nullptr : &in[r], &out[r], 1, cclInt, cclSum, ranks.comms[r],
                   nullptr);
    }
    EXPECT_EQ(cclGroupEnd(), wrong ? cclInvalidArgument : cclSuccess);
  }
  ASSERT_EQ(ranks.Synchronize(), cclSuccess) << cclGetLastError(nullptr);
  EXPECT_EQ(out, std::vector<int>(n, n));
}

TEST(Api, SendsOnTwoStreamsPairInTheOrderOfTheCalls) {
  Ranks ranks(2);
  cclStream_t s1, s2;
  ASSERT_EQ(cclStreamCreate(ranks.comms[0], &s1), cclSuccess);
  ASSERT_EQ(cclStreamCreate(ranks.comms[0], &s2), cclSuccess);
  const int sent[3] = {10, 20, 30};
  std::vector<int> got(3);
  cclGroupStart();
  cclSend(&sent[0], 1, cclInt, 1, ranks.comms[0], s1);
  cclSend(&sent[1], 1, cclInt, 1, ranks.comms[0], s2);
  cclSend(&sent[2], 1, cclInt, 1, ranks.comms[0], s1);
  for (int i = 0; i < 3; ++i) cclRecv(&got[i], 1, cclInt, 0, ranks.comms[1], nullptr);
  ASSERT_EQ(cclGroupEnd(), cclSuccess);
  ASSERT_EQ(ranks.Synchronize(), cclSuccess) << cclGetLastError(nullptr);
  EXPECT_EQ(got, (std::vector<int>{10, 20, 30}));
  cclStreamDestroy(s1);
  cclStreamDestroy(s2);
}

TEST(Api, AStreamMayOutliveItsCommunicator) {
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.backend = "emulated:crossbar";
  cclComm_t comm;
  ASSERT_EQ(cclCommInitAllConfig(&comm, 1, nullptr, &config), cclSuccess);
  cclStream_t stream;
  ASSERT_EQ(cclStreamCreate(comm, &stream), cclSuccess);
  cclGroupStart();
  EXPECT_EQ(cclCommDestroy(comm), cclInvalidUsage);
  cclGroupEnd();
  ASSERT_EQ(cclCommDestroy(comm), cclSuccess);
  EXPECT_EQ(cclStreamSynchronize(stream), cclInvalidArgument);
  EXPECT_EQ(cclStreamDestroy(stream), cclSuccess);
}

TEST(Api, WorkersMayDriveWhatTheMainThreadMade) {
  const int n = 3;
  Ranks ranks(n);
  std::vector<int> in(n, 1), out(n);
  std::vector<std::thread> threads;
  for (int r = 0; r < n; ++r) {
    threads.emplace_back([&, r] {
      EXPECT_EQ(cclAllReduce(&in[r], &out[r], 1, cclInt, cclSum, ranks.comms[r], nullptr),
                cclSuccess);
      EXPECT_EQ(cclCommSynchronize(ranks.comms[r]), cclSuccess) << cclGetLastError(nullptr);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(out, std::vector<int>(n, n));
}

TEST(Api, TooLongAComputeAndTooLargeACountAreErrors) {
  Ranks ranks(2);
  EXPECT_EQ(cclCommCompute(ranks.comms[0], INT64_MAX), cclInvalidArgument);
  float x = 0;
  EXPECT_EQ(cclAllReduce(&x, &x, size_t{1} << 55, cclFloat, cclSum, ranks.comms[0], nullptr),
            cclInvalidArgument);
  EXPECT_THAT(std::string(cclGetLastError(nullptr)), HasSubstr("too large"));
}

TEST(Api, GroupEndWithoutStartAndWaitingInAGroupAreMisuse) {
  EXPECT_EQ(cclGroupEnd(), cclInvalidUsage);
  Ranks ranks(1);
  cclGroupStart();
  EXPECT_EQ(cclCommSynchronize(ranks.comms[0]), cclInvalidUsage);
  cclGroupEnd();
}

TEST(Api, OptionsAreListedAsTheyCount) {
  setenv("CCL_TIMEOUT_MS", "250", 1);
  bool found = false;
  int number = 0;
  cclOption_t option;
  for (; cclGetOption(number, &option) == cclSuccess; ++number) {
    EXPECT_STRNE(option.meaning, "");
    EXPECT_TRUE(option.field[0] != '\0' || option.variable[0] != '\0');
    if (std::string(option.variable) != "CCL_TIMEOUT_MS") continue;
    found = true;
    EXPECT_STREQ(option.value, "250");
    EXPECT_STREQ(option.origin, "environment");
    EXPECT_STREQ(option.field, "timeoutMs");
  }
  EXPECT_TRUE(found);
  EXPECT_GT(number, 15);
  EXPECT_EQ(cclGetOption(number, &option), cclInvalidArgument);
  EXPECT_THAT(std::string(cclGetLastError(nullptr)), HasSubstr("there is no option"));
  EXPECT_EQ(cclGetOption(-1, &option), cclInvalidArgument);
  EXPECT_EQ(cclGetOption(0, nullptr), cclInvalidArgument);
  setenv("CCL_TIMEOUT_MS", "soon", 1);
  EXPECT_EQ(cclGetOption(0, &option), cclInvalidArgument);
  EXPECT_THAT(std::string(cclGetLastError(nullptr)), HasSubstr("CCL_TIMEOUT_MS is 'soon'"));
  unsetenv("CCL_TIMEOUT_MS");
}

TEST(Api, OptionsDoNotShowSecrets) {
  setenv("CCL_BACKEND", "tcp:?secret=c0ffee&shm=no", 1);
  setenv("CCL_SECRET", "c0ffee", 1);
  cclOption_t option;
  bool found = false;
  for (int number = 0; cclGetOption(number, &option) == cclSuccess; ++number) {
    EXPECT_EQ(std::string(option.value).find("c0ffee"), std::string::npos) << option.variable;
    if (std::string(option.variable) != "CCL_BACKEND") continue;
    found = true;
    EXPECT_STREQ(option.value, "tcp:?secret=(not shown)&shm=no");
  }
  EXPECT_TRUE(found);
  unsetenv("CCL_BACKEND");
  unsetenv("CCL_SECRET");
}

}  // namespace
