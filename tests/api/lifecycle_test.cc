// How communicators are configured, how they end, and those that do not block.
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "gmock/gmock.h"
#include "tests/api/ranks.h"

namespace {

using ccl_test::CountOf;
using ccl_test::Ranks;
using ccl_test::Said;
using ccl_test::Sums;
using testing::HasSubstr;

TEST(Config, OlderSizesAreAcceptedAndNewerAreNot) {
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.backend = "emulated:crossbar";
  config.blocking = 77;  // beyond what an old caller knows
  config.size = offsetof(cclConfig_t, blocking);
  cclComm_t comm = nullptr;
  EXPECT_EQ(cclCommInitAllConfig(&comm, 1, nullptr, &config), cclSuccess) << Said();
  EXPECT_EQ(cclCommDestroy(comm), cclSuccess);
  config.size = sizeof config;
  EXPECT_EQ(cclCommInitAllConfig(&comm, 1, nullptr, &config), cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("blocking is 77"));
  config.size = sizeof config + 8;
  EXPECT_EQ(cclCommInitAllConfig(&comm, 1, nullptr, &config), cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("newer ccl.h"));
  config.size = 8;
  EXPECT_EQ(cclCommInitAllConfig(&comm, 1, nullptr, &config), cclInvalidArgument);
  cclConfig_t channels = CCL_CONFIG_INITIALIZER;
  channels.minChannels = 4, channels.maxChannels = 2;
  EXPECT_EQ(cclCommInitAllConfig(&comm, 1, nullptr, &channels), cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("minChannels is 4"));
}

TEST(Config, BoundsThatTheEnvironmentTurnsRoundAreAnError) {
  const auto refused = [](int least, int most) {
    cclConfig_t config = CCL_CONFIG_INITIALIZER;
    config.backend = "emulated:crossbar";
    if (least > 0) config.minChannels = least;
    if (most > 0) config.maxChannels = most;
    cclComm_t comm = nullptr;
    EXPECT_EQ(cclCommInitAllConfig(&comm, 1, nullptr, &config), cclInvalidArgument);
    EXPECT_THAT(Said(), testing::AllOf(HasSubstr("CCL_MIN_CHANNELS) is 4"), HasSubstr("CCL_MAX_CHANNELS), 2")));
  };
  setenv("CCL_MIN_CHANNELS", "4", 1);
  refused(0, 2);
  setenv("CCL_MAX_CHANNELS", "2", 1);
  refused(0, 0);
  unsetenv("CCL_MIN_CHANNELS");
  refused(4, 0);
  unsetenv("CCL_MAX_CHANNELS");
}

TEST(Lifecycle, FinalizeWaitsForAllStreamsAndTakesNoMore) {
  Ranks ranks(2);
  std::vector<cclStream_t> streams(2);
  std::vector<int> in = {1, 2}, out(2);
  cclGroupStart();
  for (size_t r = 0; r < 2; ++r) {
    ASSERT_EQ(cclStreamCreate(ranks.comms[r], &streams[r]), cclSuccess);
    cclAllReduce(&in[r], &out[r], 1, cclInt, cclSum, ranks.comms[r], streams[r]);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess);
  for (cclComm_t comm : ranks.comms) EXPECT_EQ(cclCommFinalize(comm), cclSuccess) << Said();
  EXPECT_EQ(out, (std::vector<int>{3, 3}));
  EXPECT_EQ(cclBarrier(ranks.comms[0], nullptr), cclInvalidUsage);
  EXPECT_THAT(Said(), HasSubstr("finalised"));
  EXPECT_EQ(cclCommFinalize(ranks.comms[0]), cclInvalidUsage);
  cclResult_t error = cclInProgress;
  EXPECT_EQ(cclCommGetAsyncError(ranks.comms[0], &error), cclSuccess);
  EXPECT_EQ(error, cclSuccess);
  for (cclStream_t stream : streams) cclStreamDestroy(stream);
}

TEST(Lifecycle, ARevokedCommunicatorCanBeSplitButNotUsed) {
  Ranks ranks(2);
  int one = 1, sum = 0;
  ASSERT_EQ(cclAllReduce(&one, &sum, 1, cclInt, cclSum, ranks.comms[0], nullptr), cclSuccess);
  for (cclComm_t comm : ranks.comms) ASSERT_EQ(cclCommRevoke(comm, 0), cclSuccess);
  EXPECT_EQ(cclCommRevoke(ranks.comms[0], 1), cclInvalidArgument);
  EXPECT_EQ(cclAllReduce(&one, &sum, 1, cclInt, cclSum, ranks.comms[0], nullptr), cclInvalidUsage);
  EXPECT_THAT(Said(), HasSubstr("revoked"));
  EXPECT_EQ(cclCommFinalize(ranks.comms[0]), cclInvalidUsage);
  cclResult_t error = cclInProgress;
  EXPECT_EQ(cclCommGetAsyncError(ranks.comms[0], &error), cclSuccess);
  EXPECT_EQ(error, cclSuccess);
  const auto parts = ccl_test::Split(ranks.comms, [](int) { return 0; }, [](int) { return 0; });
  EXPECT_EQ(Sums(parts, {3, 4}), (std::vector<int>{7, 7}));
  for (cclComm_t comm : parts) cclCommDestroy(comm);
}

// Rank 1 belongs to this thread, which never waits: the world is not known to be stuck.
TEST(Lifecycle, AnotherThreadAbortsAStuckOperation) {
  cclUniqueId id;
  ASSERT_EQ(cclGetUniqueId(&id), cclSuccess);
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.backend = "emulated:crossbar";
  cclComm_t comms[2];
  for (int r = 0; r < 2; ++r) {
    ASSERT_EQ(cclCommInitRankConfig(&comms[r], 2, id, r, &config), cclSuccess) << Said();
  }
  int one = 1, sum = 0;
  cclResult_t result = cclSuccess;
  std::string said;
  std::thread stuck([&] {
    EXPECT_EQ(cclAllReduce(&one, &sum, 1, cclInt, cclSum, comms[0], nullptr), cclSuccess);
    result = cclCommSynchronize(comms[0]);
    said = Said();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // else it finds it aborted already
  EXPECT_EQ(cclCommAbort(comms[0]), cclSuccess);
  stuck.join();
  EXPECT_EQ(result, cclInvalidUsage);
  EXPECT_THAT(said, HasSubstr("aborted"));
  EXPECT_EQ(cclCommAbort(comms[1]), cclSuccess);
}

TEST(Poll, AskingInALoopMovesVirtualTime) {
  Ranks ranks(2);
  std::vector<cclStream_t> streams(2);
  int one = 1, sums[2] = {};
  for (size_t r = 0; r < 2; ++r) ASSERT_EQ(cclStreamCreate(ranks.comms[r], &streams[r]), cclSuccess);
  ASSERT_EQ(cclAllReduce(&one, &sums[0], 1, cclInt, cclSum, ranks.comms[0], streams[0]), cclSuccess);
  // Alone it cannot end, which is no deadlock yet.
  for (int i = 0; i < 5; ++i) EXPECT_EQ(cclStreamPoll(streams[0]), cclInProgress) << Said();
  ASSERT_EQ(cclAllReduce(&one, &sums[1], 1, cclInt, cclSum, ranks.comms[1], streams[1]), cclSuccess);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(cclStreamQuery(streams[1]), cclInProgress);
  int asked = 0;
  while (cclStreamPoll(streams[1]) == cclInProgress && asked < 1000) ++asked;
  EXPECT_GT(asked, 0);
  EXPECT_EQ(sums[1], 2);
  EXPECT_EQ(cclStreamQuery(streams[1]), cclSuccess);
  cclGroupStart();
  EXPECT_EQ(cclStreamPoll(streams[0]), cclInvalidUsage);
  EXPECT_EQ(cclGroupEnd(), cclSuccess);
  EXPECT_EQ(cclStreamPoll(nullptr), cclInvalidArgument);
  for (cclStream_t stream : streams) cclStreamDestroy(stream);
}

TEST(Poll, ThreadsThatAskMeet) {
  cclUniqueId id;
  ASSERT_EQ(cclGetUniqueId(&id), cclSuccess);
  std::vector<std::thread> threads;
  for (int r = 0; r < 3; ++r) {
    threads.emplace_back([&id, r] {
      cclConfig_t config = CCL_CONFIG_INITIALIZER;
      config.backend = "emulated:crossbar";
      cclComm_t comm = nullptr;
      cclStream_t stream = nullptr;
      ASSERT_EQ(cclCommInitRankConfig(&comm, 3, id, r, &config), cclSuccess) << Said();
      ASSERT_EQ(cclStreamCreate(comm, &stream), cclSuccess);
      int in = r, sum = 0;
      ASSERT_EQ(cclAllReduce(&in, &sum, 1, cclInt, cclSum, comm, stream), cclSuccess);
      cclResult_t state = cclInProgress;
      while (state == cclInProgress) state = cclStreamPoll(stream);
      EXPECT_EQ(state, cclSuccess) << Said();
      EXPECT_EQ(sum, 3);
      cclStreamDestroy(stream);
      cclCommDestroy(comm);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(NonBlocking, ASplitIsInProgressUntilAllHaveCome) {
  Ranks ranks(3);
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  std::vector<cclComm_t> parts(3);
  cclResult_t error = cclSuccess;
  EXPECT_EQ(cclCommSplit(ranks.comms[0], 5, 0, &parts[0], &config), cclInProgress);
  ASSERT_NE(parts[0], nullptr);
  EXPECT_EQ(cclCommGetAsyncError(parts[0], &error), cclSuccess);
  EXPECT_EQ(error, cclInProgress);
  int count = 0;
  EXPECT_EQ(cclCommCount(parts[0], &count), cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("still being made"));
  // One without color waits for the others by its parent.
  EXPECT_EQ(cclCommSplit(ranks.comms[1], CCL_SPLIT_NOCOLOR, 0, &parts[1], &config), cclSuccess);
  EXPECT_EQ(parts[1], nullptr);
  EXPECT_EQ(cclCommGetAsyncError(ranks.comms[1], &error), cclSuccess);
  EXPECT_EQ(error, cclInProgress);
  EXPECT_EQ(cclCommSplit(ranks.comms[2], 5, 0, &parts[2], &config), cclSuccess) << Said();
  for (cclComm_t comm : {parts[0], ranks.comms[1], parts[2]}) {
    EXPECT_EQ(cclCommGetAsyncError(comm, &error), cclSuccess);
    EXPECT_EQ(error, cclSuccess) << Said();
  }
  EXPECT_EQ(CountOf(parts[0]), 2);
  EXPECT_EQ(Sums(parts, {1, 0, 2}), (std::vector<int>{3, -1, 3}));
  for (cclComm_t comm : parts) cclCommDestroy(comm);
}

TEST(NonBlocking, OneThatIsNeverMadeCanBeDestroyed) {
  Ranks ranks(2);
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  cclComm_t part = nullptr;
  EXPECT_EQ(cclCommSplit(ranks.comms[0], 0, 0, &part, &config), cclInProgress);
  EXPECT_EQ(cclCommAbort(part), cclSuccess);
}

TEST(NonBlocking, FinalizeIsPolled) {
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  Ranks ranks(2, "emulated:crossbar", config);
  std::vector<int> in = {1, 2}, out(2);
  cclGroupStart();
  for (size_t r = 0; r < 2; ++r) {
    cclAllReduce(&in[r], &out[r], 1, cclInt, cclSum, ranks.comms[r], nullptr);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess);
  EXPECT_EQ(cclCommFinalize(ranks.comms[0]), cclInProgress);
  EXPECT_EQ(cclCommFinalize(ranks.comms[1]), cclInProgress);
  for (cclComm_t comm : ranks.comms) {
    cclResult_t error = cclInProgress;
    for (int polls = 0; error == cclInProgress && polls < 1000; ++polls) {
      ASSERT_EQ(cclCommGetAsyncError(comm, &error), cclSuccess);
    }
    EXPECT_EQ(error, cclSuccess) << Said();
  }
  EXPECT_EQ(out, (std::vector<int>{3, 3}));
}

TEST(MemStats, ScratchOfOperationsIsCounted) {
  Ranks ranks(4);
  uint64_t persists = 0, before = 0, during = 0, suspended = 1;
  cclComm_t comm = ranks.comms[0];
  ASSERT_EQ(cclCommMemStats(comm, cclStatMemPersist, &persists), cclSuccess);
  ASSERT_EQ(cclCommMemStats(comm, cclStatMemTotal, &before), cclSuccess);
  EXPECT_EQ(persists, before);
  EXPECT_GT(persists, 0u);
  std::vector<float> data(1 << 16);
  ASSERT_EQ(cclAllReduce(data.data(), data.data(), data.size(), cclFloat, cclSum, comm, nullptr),
            cclSuccess);
  ASSERT_EQ(cclCommMemStats(comm, cclStatMemTotal, &during), cclSuccess);
  EXPECT_GT(during, before);
  ASSERT_EQ(cclCommMemStats(comm, cclStatMemSuspended, &suspended), cclSuccess);
  EXPECT_EQ(suspended, 0u);
  EXPECT_EQ(cclCommMemStats(comm, static_cast<cclCommMemStat_t>(9), &persists), cclInvalidArgument);
}

}  // namespace
