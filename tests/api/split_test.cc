// Communicators made of others.
#include <memory>
#include <thread>
#include <utility>

#include "gmock/gmock.h"
#include "tests/api/ranks.h"

namespace {

using ccl_test::CountOf;
using ccl_test::RankOf;
using ccl_test::Ranks;
using ccl_test::Said;
using ccl_test::Split;
using ccl_test::Sums;
using testing::HasSubstr;

void DestroyAll(const std::vector<cclComm_t>& comms) {
  for (cclComm_t comm : comms) EXPECT_EQ(cclCommDestroy(comm), cclSuccess);
}

TEST(Split, RanksOfAColorAreOrderedByKeyThenByRankAndNoColorGetsNone) {
  Ranks ranks(7);
  const auto color = [](int r) { return r == 3 ? CCL_SPLIT_NOCOLOR : r % 2; };
  const auto key = [](int r) { return r == 6 ? -5 : 0; };
  const std::vector<cclComm_t> parts = Split(ranks.comms, color, key);
  EXPECT_EQ(parts[3], nullptr);
  const std::vector<int> wanted = {1, 0, 2, -1, 3, 1, 0};  // evens: 6 0 2 4; odds: 1 5
  for (size_t r = 0; r < 7; ++r) {
    if (r == 3) continue;
    EXPECT_EQ(RankOf(parts[r]), wanted[r]) << r;
    EXPECT_EQ(CountOf(parts[r]), r % 2 == 0 ? 4 : 2);
  }
  EXPECT_EQ(Sums(parts, {1, 10, 100, 0, 1000, 10000, 100000}),
            (std::vector<int>{101101, 10010, 101101, -1, 101101, 10010, 101101}));
  DestroyAll(parts);
}

TEST(Split, RootsAndPeersAreRanksOfThePart) {
  Ranks ranks(6);
  const std::vector<cclComm_t> parts =
      Split(ranks.comms, [](int r) { return r / 3; }, [](int r) { return -r; });  // reversed
  std::vector<int> data = {0, 1, 2, 3, 4, 5}, got(6, -1);
  cclGroupStart();
  for (size_t r = 0; r < 6; ++r) {
    const int rank = RankOf(parts[r]);
    EXPECT_EQ(rank, 2 - static_cast<int>(r) % 3);
    cclBroadcast(&data[r], &data[r], 1, cclInt, 0, parts[r], nullptr);
    cclSend(&data[r], 1, cclInt, (rank + 1) % 3, parts[r], nullptr);
    cclRecv(&got[r], 1, cclInt, (rank + 2) % 3, parts[r], nullptr);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess) << Said();
  for (cclComm_t comm : parts) ASSERT_EQ(cclCommSynchronize(comm), cclSuccess) << Said();
  EXPECT_EQ(data, (std::vector<int>{2, 2, 2, 5, 5, 5}));
  EXPECT_EQ(got, (std::vector<int>{2, 2, 2, 5, 5, 5}));
  DestroyAll(parts);
}

TEST(Split, NestsAndIsDestroyedInAnyOrder) {
  auto ranks = std::make_unique<Ranks>(8);
  const auto zero = [](int) { return 0; };
  const auto halves = Split(ranks->comms, [](int r) { return r / 4; }, zero);
  const auto pairs = Split(halves, [](int r) { return r % 4 / 2; }, zero);
  const auto again = Split(pairs, zero, zero);
  ranks = nullptr;  // the parents of all go first
  EXPECT_EQ(Sums(pairs, {1, 2, 3, 4, 5, 6, 7, 8}), (std::vector<int>{3, 3, 7, 7, 11, 11, 15, 15}));
  DestroyAll(pairs);
  EXPECT_EQ(Sums(halves, {1, 2, 3, 4, 5, 6, 7, 8}),
            (std::vector<int>{10, 10, 10, 10, 26, 26, 26, 26}));
  EXPECT_EQ(Sums(again, {1, 2, 3, 4, 5, 6, 7, 8}), (std::vector<int>{3, 3, 7, 7, 11, 11, 15, 15}));
  DestroyAll(halves);
  DestroyAll(again);
}

// Operations of a communicator, its part and a part of the part are under way at once, and ranks come
// to them in different orders.
TEST(Split, OperationsOfParentAndPartsStayApart) {
  const int n = 8, count = 1000;
  Ranks ranks(n);
  const auto zero = [](int) { return 0; };
  const auto halves = Split(ranks.comms, [](int r) { return r % 2; }, zero);
  const auto whole = Split(ranks.comms, zero, [](int r) { return -r; });
  std::vector<std::vector<int>> a(n, std::vector<int>(count, 1)), b = a, c = a;
  cclGroupStart();
  for (size_t r = 0; r < n; ++r) {
    const auto at = static_cast<int>(r);
    if (at % 3 == 0) cclCommCompute(ranks.comms[r], 3'000'000);
    if (at % 3 == 1) cclCommCompute(halves[r], 5'000'000);
    cclAllReduce(a[r].data(), a[r].data(), count, cclInt, cclSum, ranks.comms[r], nullptr);
    cclAllReduce(b[r].data(), b[r].data(), count, cclInt, cclSum, halves[r], nullptr);
    cclAllReduce(c[r].data(), c[r].data(), count, cclInt, cclProd, whole[r], nullptr);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess) << Said();
  for (const std::vector<cclComm_t>* comms : {&std::as_const(ranks.comms), &halves, &whole}) {
    for (cclComm_t comm : *comms) ASSERT_EQ(cclCommSynchronize(comm), cclSuccess) << Said();
  }
  for (size_t r = 0; r < n; ++r) {
    EXPECT_EQ(a[r], std::vector<int>(count, n));
    EXPECT_EQ(b[r], std::vector<int>(count, n / 2));
    EXPECT_EQ(c[r], std::vector<int>(count, 1));
  }
  DestroyAll(halves);
  DestroyAll(whole);
}

TEST(Split, SeveralInOneGroupAndByThreads) {
  const int n = 4;
  Ranks ranks(n);
  std::vector<cclComm_t> a(n), b(n);
  cclGroupStart();
  for (size_t r = 0; r < n; ++r) {
    const int rank = static_cast<int>(r);
    cclCommSplit(ranks.comms[r], rank / 2, 0, &a[r], nullptr);
    cclCommSplit(ranks.comms[r], rank % 2, 0, &b[r], nullptr);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess) << Said();
  EXPECT_EQ(Sums(a, {1, 2, 3, 4}), (std::vector<int>{3, 3, 7, 7}));
  EXPECT_EQ(Sums(b, {1, 2, 3, 4}), (std::vector<int>{4, 6, 4, 6}));
  std::vector<std::thread> threads;
  std::vector<int> sums(n);
  for (size_t r = 0; r < n; ++r) {
    threads.emplace_back([&, r] {
      cclComm_t part = nullptr;
      EXPECT_EQ(cclCommSplit(a[r], 0, 0, &part, nullptr), cclSuccess) << Said();
      const int one = 1;
      EXPECT_EQ(cclAllReduce(&one, &sums[r], 1, cclInt, cclSum, part, nullptr), cclSuccess) << Said();
      EXPECT_EQ(cclCommSynchronize(part), cclSuccess) << Said();
      EXPECT_EQ(cclCommDestroy(part), cclSuccess);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sums, std::vector<int>(n, 2));
  DestroyAll(a);
  DestroyAll(b);
}

// Numbers that tell communicators apart come back.
TEST(Split, ManyOneAfterTheOther) {
  Ranks ranks(2);
  for (int i = 0; i < 100'000; ++i) {
    const auto parts = Split(ranks.comms, [](int) { return 0; }, [](int) { return 0; });
    ASSERT_NE(parts[0], nullptr) << i << ": " << Said();
    DestroyAll(parts);
  }
}

TEST(Split, CostsNoVirtualTime) {
  Ranks ranks(4);
  DestroyAll(Split(ranks.comms, [](int r) { return r % 2; }, [](int) { return 0; }));
  int64_t time = -1;
  ASSERT_EQ(cclCommGetTime(ranks.comms[0], &time), cclSuccess);
  EXPECT_EQ(time, 0);
}

TEST(Split, PhantomWorldsAndPresetsOfThousandsOfRanks) {
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.phantom = 1;
  Ranks ranks(384, "emulated:cloudmatrix384", config);
  const auto nodes = Split(ranks.comms, [](int r) { return r / 8; }, [](int) { return 0; });
  const auto rails = Split(ranks.comms, [](int r) { return r % 8; }, [](int) { return 0; });
  for (const std::vector<cclComm_t>* comms : {&nodes, &rails}) {
    cclGroupStart();
    for (cclComm_t comm : *comms) {
      cclAllReduce(nullptr, nullptr, 1 << 16, cclFloat, cclSum, comm, nullptr);
    }
    ASSERT_EQ(cclGroupEnd(), cclSuccess) << Said();
    for (cclComm_t comm : *comms) ASSERT_EQ(cclCommSynchronize(comm), cclSuccess) << Said();
  }
  DestroyAll(nodes);
  DestroyAll(rails);
}

TEST(Split, ARankThatNeverSplitsIsADeadlockThatNamesIt) {
  Ranks ranks(3);
  cclComm_t part = nullptr;
  EXPECT_EQ(cclCommSplit(ranks.comms[0], 0, 0, &part, nullptr), cclInvalidUsage);
  EXPECT_EQ(part, nullptr);
  EXPECT_THAT(Said(), HasSubstr("rank 0 in split: waits for 1 2"));
}

TEST(Split, BadInputIsNamedAndLeavesTheParentUsable) {
  Ranks ranks(2);
  cclComm_t part = nullptr;
  EXPECT_EQ(cclCommSplit(ranks.comms[0], -2, 0, &part, nullptr), cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("color -2"));
  EXPECT_EQ(cclCommSplit(ranks.comms[0], 0, 0, nullptr, nullptr), cclInvalidArgument);
  EXPECT_EQ(cclCommSplit(nullptr, 0, 0, &part, nullptr), cclInvalidArgument);
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.algorithms = "allreduce:@rong";
  EXPECT_EQ(cclCommSplit(ranks.comms[0], 0, 0, &part, &config), cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("rong"));
  // Configurations that differ are an error for both.
  config.algorithms = "allreduce:@ring";
  std::vector<cclComm_t> parts(2);
  cclGroupStart();
  cclCommSplit(ranks.comms[0], 0, 0, &parts[0], nullptr);
  cclCommSplit(ranks.comms[1], 0, 0, &parts[1], &config);
  EXPECT_EQ(cclGroupEnd(), cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("rank 1 has another configuration than rank 0"));
  EXPECT_EQ(parts, (std::vector<cclComm_t>{nullptr, nullptr}));
  EXPECT_EQ(Sums(ranks.comms, {1, 2}), (std::vector<int>{3, 3}));
}

TEST(Shrink, TheRanksThatStayGoOnWithoutTheOthers) {
  Ranks ranks(5);
  const int exclude[] = {1, 3};
  std::vector<cclComm_t> rest(5);
  cclGroupStart();
  for (size_t r : {0, 2, 4}) {
    EXPECT_EQ(cclCommShrink(ranks.comms[r], exclude, 2, &rest[r], nullptr, CCL_SHRINK_DEFAULT),
              cclSuccess);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess) << Said();
  EXPECT_EQ(RankOf(rest[4]), 2);
  EXPECT_EQ(Sums(rest, {1, 0, 2, 0, 4}), (std::vector<int>{7, -1, 7, -1, 7}));
  // The parent is as it was.
  EXPECT_EQ(Sums(ranks.comms, {1, 1, 1, 1, 1}), std::vector<int>(5, 5));
  DestroyAll(rest);
}

TEST(Shrink, WithAbortItWorksOnACommunicatorThatHasFailed) {
  Ranks ranks(3);
  const int one = 1, two = 2;
  std::vector<int> sums(3);
  cclGroupStart();
  for (size_t r : {0, 1}) cclAllReduce(&one, &sums[r], 1, cclInt, cclSum, ranks.comms[r], nullptr);
  ASSERT_EQ(cclGroupEnd(), cclSuccess);
  EXPECT_EQ(cclCommSynchronize(ranks.comms[0]), cclInvalidUsage);  // rank 2 does not come
  cclResult_t error = cclSuccess;
  ASSERT_EQ(cclCommGetAsyncError(ranks.comms[1], &error), cclSuccess);
  EXPECT_EQ(error, cclInvalidUsage);
  std::vector<cclComm_t> rest(3);
  cclGroupStart();
  for (size_t r : {0, 1}) {
    EXPECT_EQ(cclCommShrink(ranks.comms[r], &two, 1, &rest[r], nullptr, CCL_SHRINK_ABORT), cclSuccess);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess) << Said();
  EXPECT_EQ(Sums(rest, {1, 2, 0}), (std::vector<int>{3, 3, -1}));
  DestroyAll(rest);
}

TEST(Shrink, BadInputIsNamed) {
  Ranks ranks(3);
  cclComm_t rest = nullptr;
  const int self = 0, far = 7;
  EXPECT_EQ(cclCommShrink(ranks.comms[0], &self, 1, &rest, nullptr, 0), cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("excludes itself"));
  EXPECT_EQ(cclCommShrink(ranks.comms[0], &far, 1, &rest, nullptr, 0), cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("rank 7"));
  EXPECT_EQ(cclCommShrink(ranks.comms[0], nullptr, 0, &rest, nullptr, 0), cclInvalidArgument);
  EXPECT_EQ(cclCommShrink(ranks.comms[0], &far, 1, &rest, nullptr, 2), cclInvalidArgument);
}

}  // namespace
