// The C API on ranks that are threads, or one thread: long collectives, which fold and copy straight from
// and to the callers' memory, in place and not.
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "ccl/ccl.h"
#include "gtest/gtest.h"

namespace {

constexpr size_t kCounts[] = {1, 1000, (size_t{2} << 20) / 4, (size_t{9} << 20) / 4 + 3};

int32_t Value(int rank, size_t i) { return rank * 1000 + static_cast<int32_t>(i % 983); }

std::vector<int32_t> Filled(int rank, size_t count) {
  std::vector<int32_t> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = Value(rank, i);
  return values;
}

// One rank's buffers of one allreduce, and what comes of them.
struct Call {
  explicit Call(int rank, size_t count, bool in_place)
      : in(Filled(rank, count)), out(in_place ? 0 : count), result(in_place ? in.data() : out.data()) {}
  std::vector<int32_t> in, out;
  int32_t* result;

  void Check(int ranks) const {
    for (size_t i = 0; i < in.size(); ++i) {
      int32_t sum = 0;
      for (int rank = 0; rank < ranks; ++rank) sum += Value(rank, i);
      ASSERT_EQ(result[i], sum) << "element " << i << " of " << in.size();
    }
  }
};

class LocalApi : public testing::TestWithParam<int> {
 protected:
  void OnThreads(const std::function<void(int rank, cclComm_t comm)>& body) {
    cclConfig_t config = CCL_CONFIG_INITIALIZER;
    config.backend = "local:";
    cclUniqueId id;
    ASSERT_EQ(cclGetUniqueId(&id), cclSuccess);
    std::vector<std::thread> threads;
    for (int rank = 0; rank < GetParam(); ++rank) {
      threads.emplace_back([&, rank] {
        cclComm_t comm = nullptr;
        ASSERT_EQ(cclCommInitRankConfig(&comm, GetParam(), id, rank, &config), cclSuccess) << cclGetLastError(nullptr);
        body(rank, comm);
        EXPECT_EQ(cclCommDestroy(comm), cclSuccess);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
};

TEST_P(LocalApi, AllReduceInEverySize) {
  OnThreads([&](int rank, cclComm_t comm) {
    for (size_t count : kCounts) {
      for (const bool in_place : {false, true}) {
        Call call(rank, count, in_place);
        ASSERT_EQ(cclAllReduce(call.in.data(), call.result, count, cclInt32, cclSum, comm, nullptr), cclSuccess);
        ASSERT_EQ(cclCommSynchronize(comm), cclSuccess) << cclGetLastError(comm);
        call.Check(GetParam());
      }
    }
  });
}

TEST_P(LocalApi, BlocksInEverySize) {
  const size_t ranks = static_cast<size_t>(GetParam());
  OnThreads([&](int rank, cclComm_t comm) {
    const size_t self = static_cast<size_t>(rank);
    for (size_t count : kCounts) {
      const std::vector<int32_t> in = Filled(rank, count * ranks);
      std::vector<int32_t> scattered(count), gathered(count * ranks), exchanged(count * ranks);
      std::vector<int32_t> copied = Filled(rank, count);
      ASSERT_EQ(cclReduceScatter(in.data(), scattered.data(), count, cclInt32, cclSum, comm, nullptr), cclSuccess);
      ASSERT_EQ(cclAllGather(in.data(), gathered.data(), count, cclInt32, comm, nullptr), cclSuccess);
      ASSERT_EQ(cclAlltoAll(in.data(), exchanged.data(), count, cclInt32, comm, nullptr), cclSuccess);
      ASSERT_EQ(cclBroadcast(copied.data(), copied.data(), count, cclInt32, GetParam() - 1, comm, nullptr), cclSuccess);
      ASSERT_EQ(cclCommSynchronize(comm), cclSuccess) << cclGetLastError(comm);
      for (size_t i = 0; i < count; ++i) {
        int32_t sum = 0;
        for (int other = 0; other < GetParam(); ++other) sum += Value(other, self * count + i);
        ASSERT_EQ(scattered[i], sum);
        ASSERT_EQ(copied[i], Value(GetParam() - 1, i));
        for (size_t other = 0; other < ranks; ++other) {
          ASSERT_EQ(gathered[other * count + i], Value(static_cast<int>(other), i));
          ASSERT_EQ(exchanged[other * count + i], Value(static_cast<int>(other), self * count + i));
        }
      }
    }
  });
}

// One thread has all ranks, as a process has several devices.
TEST_P(LocalApi, OneThreadHasAllRanks) {
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.backend = "local:";
  std::vector<cclComm_t> comms(static_cast<size_t>(GetParam()));
  ASSERT_EQ(cclCommInitAllConfig(comms.data(), GetParam(), nullptr, &config), cclSuccess) << cclGetLastError(nullptr);
  for (size_t count : kCounts) {
    std::vector<Call> calls;
    for (int rank = 0; rank < GetParam(); ++rank) calls.emplace_back(rank, count, false);
    ASSERT_EQ(cclGroupStart(), cclSuccess);
    for (size_t i = 0; i < comms.size(); ++i) {
      ASSERT_EQ(cclAllReduce(calls[i].in.data(), calls[i].out.data(), count, cclInt32, cclSum, comms[i], nullptr), cclSuccess);
    }
    ASSERT_EQ(cclGroupEnd(), cclSuccess) << cclGetLastError(nullptr);
    for (cclComm_t comm : comms) ASSERT_EQ(cclCommSynchronize(comm), cclSuccess) << cclGetLastError(comm);
    for (Call& call : calls) {
      call.result = call.out.data();
      call.Check(GetParam());
    }
  }
  for (cclComm_t comm : comms) EXPECT_EQ(cclCommDestroy(comm), cclSuccess);
}

// Parts of a job.
TEST_P(LocalApi, Splits) {
  OnThreads([&](int rank, cclComm_t comm) {
    cclComm_t part = nullptr;
    ASSERT_EQ(cclCommSplit(comm, rank % 2, rank, &part, nullptr), cclSuccess) << cclGetLastError(comm);
    int ranks = 0;
    ASSERT_EQ(cclCommCount(part, &ranks), cclSuccess);
    EXPECT_EQ(ranks, (GetParam() + 1 - rank % 2) / 2);
    int32_t one = 1, sum = 0;
    ASSERT_EQ(cclAllReduce(&one, &sum, 1, cclInt32, cclSum, part, nullptr), cclSuccess);
    ASSERT_EQ(cclCommSynchronize(part), cclSuccess) << cclGetLastError(part);
    EXPECT_EQ(sum, ranks);
    EXPECT_EQ(cclCommDestroy(part), cclSuccess);
  });
}

INSTANTIATE_TEST_SUITE_P(Ranks, LocalApi, testing::Values(1, 2, 3, 5));

}  // namespace
