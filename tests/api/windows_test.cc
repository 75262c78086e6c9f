// Puts and signals of emulated ranks.
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "tests/api/ranks.h"

namespace {

using ccl_test::Ranks;
using ccl_test::Said;
using ccl_test::Split;
using ccl_test::Sums;
using testing::HasSubstr;

// A window of every rank of a communicator.
struct Windowed {
  explicit Windowed(const std::vector<cclComm_t>& of, size_t size = 4096)
      : comms(of), memory(of.size(), std::vector<char>(size)), windows(of.size()) {
    for (size_t r = 0; r < comms.size(); ++r) {
      EXPECT_EQ(cclCommWindowRegister(comms[r], memory[r].data(), size, &windows[r], CCL_WIN_COLL_SYMMETRIC),
                cclSuccess) << Said();
    }
  }
  const std::vector<cclComm_t> comms;
  std::vector<std::vector<char>> memory;
  std::vector<cclWindow_t> windows;
};

cclResult_t Wait(cclComm_t comm, int peer, int count, int index = 0) {
  const cclWaitSignalDesc_t wish = {count, peer, index, 0};
  return cclWaitSignal(1, &wish, comm, nullptr);
}

int64_t TimeOf(cclComm_t comm) {
  int64_t time = -1;
  EXPECT_EQ(cclCommGetTime(comm, &time), cclSuccess);
  return time;
}

TEST(Windows, WhatIsPutIsThereWhenItsSignalHasCome) {
  const int n = 4;
  Ranks ranks(n, "emulated:cloudmatrix384?ranks=4");
  Windowed w(ranks.comms);
  std::vector<std::vector<int>> data(n, std::vector<int>(8));
  for (int round = 0; round < 3; ++round) {
    cclGroupStart();
    for (int r = 0; r < n; ++r) {
      for (int& x : data[r]) x = 100 * round + r;
      // To everybody, the rank itself included, at the sender's place.
      for (int peer = 0; peer < n; ++peer) {
        EXPECT_EQ(cclPutSignal(data[r].data(), 8, cclInt, peer, w.windows[r], static_cast<size_t>(r) * 32, 3, 1, 0,
                               ranks.comms[r], nullptr), cclSuccess) << Said();
      }
      std::vector<cclWaitSignalDesc_t> wishes;
      for (int peer = 0; peer < n; ++peer) wishes.push_back({1, peer, 3, 1});
      EXPECT_EQ(cclWaitSignal(n, wishes.data(), ranks.comms[r], nullptr), cclSuccess) << Said();
    }
    ASSERT_EQ(cclGroupEnd(), cclSuccess) << Said();
    for (cclComm_t comm : ranks.comms) ASSERT_EQ(cclCommSynchronize(comm), cclSuccess) << Said();
    for (int r = 0; r < n; ++r) {
      for (int from = 0; from < n; ++from) {
        int got[8];
        std::memcpy(got, w.memory[r].data() + from * 32, 32);
        for (int x : got) EXPECT_EQ(x, 100 * round + from);
      }
    }
  }
  void* base = nullptr;
  EXPECT_EQ(cclWinGetUserPtr(ranks.comms[1], w.windows[1], &base), cclSuccess);
  EXPECT_EQ(base, w.memory[1].data());
  for (int r = 0; r < n; ++r) {
    EXPECT_EQ(cclCommWindowDeregister(ranks.comms[r], w.windows[r]), cclSuccess) << Said();
  }
}

// The fabric is charged for a put what it is charged for a message.
TEST(Windows, APutTakesAsLongAsASend) {
  int64_t sent = 0, put = 0;
  std::vector<char> data(1 << 20, 'x'), got(1 << 20);
  {
    Ranks ranks(2, "emulated:cloudmatrix384?ranks=2");
    cclGroupStart();
    cclSend(data.data(), data.size(), cclChar, 1, ranks.comms[0], nullptr);
    cclRecv(got.data(), got.size(), cclChar, 0, ranks.comms[1], nullptr);
    ASSERT_EQ(cclGroupEnd(), cclSuccess);
    ASSERT_EQ(cclCommSynchronize(ranks.comms[1]), cclSuccess) << Said();
    sent = TimeOf(ranks.comms[1]);
  }
  Ranks ranks(2, "emulated:cloudmatrix384?ranks=2");
  Windowed w(ranks.comms, data.size());
  cclPutSignal(data.data(), data.size(), cclChar, 1, w.windows[0], 0, 0, 0, 0, ranks.comms[0], nullptr);
  ASSERT_EQ(Wait(ranks.comms[1], 0, 1), cclSuccess) << Said();
  ASSERT_EQ(cclCommSynchronize(ranks.comms[1]), cclSuccess) << Said();
  put = TimeOf(ranks.comms[1]);
  EXPECT_GT(put, 0);
  EXPECT_EQ(put, sent);
  EXPECT_EQ(w.memory[1], data);
}

TEST(Windows, SignalsCountAreUsedUpAndKeepTheirNumbersApart) {
  Ranks ranks(3);
  Windowed w(ranks.comms);
  std::vector<int> order;
  struct Note {
    std::vector<int>* order;
    int what;
  } notes[] = {{&order, 1}, {&order, 2}};
  const auto note = [](void* n) { static_cast<Note*>(n)->order->push_back(static_cast<Note*>(n)->what); };
  cclStream_t other = nullptr;
  ASSERT_EQ(cclStreamCreate(ranks.comms[0], &other), cclSuccess);
  const cclWaitSignalDesc_t two_and_one[] = {{2, 1, 0, 0}, {1, 2, 7, 0}};
  ASSERT_EQ(cclWaitSignal(2, two_and_one, ranks.comms[0], nullptr), cclSuccess) << Said();
  cclLaunchHostFunc(ranks.comms[0], nullptr, note, &notes[0]);
  ASSERT_EQ(cclCommCompute(ranks.comms[1], 1'000'000), cclSuccess);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(cclSignal(0, 0, 0, 0, ranks.comms[1], nullptr), cclSuccess) << Said();
  EXPECT_EQ(cclSignal(0, 7, 0, 0, ranks.comms[2], nullptr), cclSuccess);
  // Of another context: nothing that anybody waits for yet.
  EXPECT_EQ(cclSignal(0, 7, 1, 0, ranks.comms[2], nullptr), cclSuccess);
  ASSERT_EQ(cclCommSynchronize(ranks.comms[0]), cclSuccess) << Said();
  for (size_t r : {1, 2}) ASSERT_EQ(cclCommSynchronize(ranks.comms[r]), cclSuccess) << Said();
  EXPECT_EQ(order, std::vector<int>{1});
  // They have been used up, but for the last.
  const cclWaitSignalDesc_t last = {1, 2, 7, 1};
  ASSERT_EQ(cclWaitSignal(1, &last, ranks.comms[0], other), cclSuccess);
  EXPECT_EQ(cclStreamSynchronize(other), cclSuccess) << Said();
  ASSERT_EQ(Wait(ranks.comms[0], 1, 1), cclSuccess);
  EXPECT_EQ(cclCommSynchronize(ranks.comms[0]), cclInvalidUsage);
  EXPECT_THAT(Said(), HasSubstr("rank 0 waits for 1 signals of rank 1"));
  cclStreamDestroy(other);
}

// Threads of their own: a put comes before its peer has registered, and waits.
TEST(Windows, APutWaitsForTheWindowOfItsPeer) {
  Ranks ranks(2);
  std::vector<char> memory[2] = {std::vector<char>(64), std::vector<char>(64)};
  cclWindow_t first = nullptr, second = nullptr;
  const char data[] = "hello";
  ASSERT_EQ(cclCommWindowRegister(ranks.comms[0], memory[0].data(), 64, &first, 0), cclSuccess);
  ASSERT_EQ(cclPutSignal(data, 6, cclChar, 1, first, 8, 0, 0, 0, ranks.comms[0], nullptr), cclSuccess) << Said();
  ASSERT_EQ(cclCommWindowRegister(ranks.comms[1], memory[1].data(), 64, &second, 0), cclSuccess);
  ASSERT_EQ(Wait(ranks.comms[1], 0, 1), cclSuccess);
  ASSERT_EQ(cclCommSynchronize(ranks.comms[1]), cclSuccess) << Said();
  ASSERT_EQ(cclCommSynchronize(ranks.comms[0]), cclSuccess) << Said();
  EXPECT_STREQ(memory[1].data() + 8, "hello");
}

TEST(Windows, OfSplitCommunicatorsAndBesideCollectives) {
  Ranks ranks(4);
  const auto halves = Split(ranks.comms, [](int r) { return r % 2; }, [](int r) { return -r; });
  {
    Windowed w(halves), whole(ranks.comms);
    std::vector<int> value = {10, 11, 12, 13};
    cclGroupStart();
    for (size_t r = 0; r < 4; ++r) {  // ranks of a half stand in reverse
      const int peer = r < 2 ? 0 : 1;
      cclPutSignal(&value[r], 1, cclInt, peer, w.windows[r], 0, 0, 0, 0, halves[r], nullptr);
      Wait(halves[r], peer, 1);
    }
    ASSERT_EQ(cclGroupEnd(), cclSuccess) << Said();
    EXPECT_EQ(Sums(ranks.comms, {1, 2, 3, 4}), std::vector<int>(4, 10));
    for (cclComm_t comm : halves) ASSERT_EQ(cclCommSynchronize(comm), cclSuccess) << Said();
    for (size_t r = 0; r < 4; ++r) {
      int got = 0;
      std::memcpy(&got, w.memory[r].data(), 4);
      EXPECT_EQ(got, r < 2 ? value[r + 2] : value[r - 2]) << r;
    }
    // Destroyed with its windows.
    for (cclComm_t comm : halves) EXPECT_EQ(cclCommDestroy(comm), cclSuccess);
  }
}

TEST(Windows, SimulatedAndPhantomPuts) {
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.phantom = 1;
  Ranks ranks(2, "emulated:crossbar", config);
  cclWindow_t windows[2] = {};
  for (size_t r = 0; r < 2; ++r) {
    ASSERT_EQ(cclCommWindowRegister(ranks.comms[r], nullptr, 1 << 30, &windows[r], 0), cclSuccess) << Said();
  }
  const auto put = [&] {
    cclPutSignal(nullptr, 1 << 30, cclChar, 1, windows[0], 0, 0, 0, 0, ranks.comms[0], nullptr);
  };
  cclGroupStart();
  put();
  cclSimInfo_t info = CCL_SIM_INFO_INITIALIZER;
  ASSERT_EQ(cclGroupSimulateEnd(&info), cclSuccess) << Said();
  put();
  ASSERT_EQ(Wait(ranks.comms[1], 0, 1), cclSuccess);
  ASSERT_EQ(cclCommSynchronize(ranks.comms[1]), cclSuccess) << Said();
  EXPECT_NEAR(static_cast<double>(TimeOf(ranks.comms[1])) / 1e6, info.estimatedTime, 0.05 * info.estimatedTime);
}

TEST(Windows, Misuses) {
  Ranks ranks(2);
  cclComm_t comm = ranks.comms[0];
  char data[64] = {};
  cclWindow_t window = nullptr;
  const auto expect = [](cclResult_t result, cclResult_t wanted, const char* text) {
    EXPECT_EQ(result, wanted);
    EXPECT_THAT(Said(), HasSubstr(text));
  };
  expect(cclSignal(1, 0, 0, 0, comm, nullptr), cclInvalidUsage, "has no window");
  expect(Wait(comm, 1, 1), cclInvalidUsage, "has no window");
  expect(cclCommWindowRegister(comm, data, 64, nullptr, 0), cclInvalidArgument, "win is null");
  expect(cclCommWindowRegister(comm, nullptr, 64, &window, 0), cclInvalidArgument, "null or empty");
  expect(cclCommWindowRegister(comm, data, 0, &window, 0), cclInvalidArgument, "null or empty");
  expect(cclCommWindowRegister(comm, data, 64, &window, 64), cclInvalidArgument, "unknown flags 64");
  Windowed w(ranks.comms, 64);
  const auto put = [&](size_t count, int peer, cclWindow_t into, size_t offset, int index = 0, int ctx = 0,
                       unsigned flags = 0, const void* from = "0123456789012345678901234567890123456789") {
    return cclPutSignal(from, count, cclInt16, peer, into, offset, index, ctx, flags, comm, nullptr);
  };
  expect(put(33, 1, w.windows[0], 0), cclInvalidArgument, "33 elements of 2 bytes at byte 0 do not lie within");
  expect(put(2, 1, w.windows[0], 61), cclInvalidArgument, "at byte 61 do not lie within the window's 64 bytes");
  expect(put(SIZE_MAX, 1, w.windows[0], 2), cclInvalidArgument, "do not lie within");
  expect(put(0, 1, w.windows[0], 65), cclInvalidArgument, "do not lie within");
  expect(put(1, 2, w.windows[0], 0), cclInvalidArgument, "peer 2 is not in 0..1");
  expect(put(1, 1, w.windows[1], 0), cclInvalidArgument, "none of this communicator's");
  expect(put(1, 1, nullptr, 0), cclInvalidArgument, "none of this communicator's");
  expect(put(1, 1, w.windows[0], 0, -1), cclInvalidArgument, "sigIdx -1");
  expect(put(1, 1, w.windows[0], 0, 0, 65536), cclInvalidArgument, "ctx 65536");
  expect(put(1, 1, w.windows[0], 0, 0, 0, 1), cclInvalidArgument, "unknown flags 1");
  expect(put(1, 1, w.windows[0], 0, 0, 0, 0, nullptr), cclInvalidArgument, "the buffer is null");
  expect(cclSignal(-1, 0, 0, 0, comm, nullptr), cclInvalidArgument, "peer -1");
  expect(cclWaitSignal(0, nullptr, comm, nullptr), cclInvalidArgument, "nothing to wait for");
  expect(Wait(comm, 3, 1), cclInvalidArgument, "peer 3");
  expect(Wait(comm, 1, -1), cclInvalidArgument, "opCnt is -1");
  expect(cclCommWindowDeregister(comm, w.windows[1]), cclInvalidArgument, "none of this communicator's");
  // Nothing of that has hurt.
  EXPECT_EQ(put(1, 1, w.windows[0], 62), cclSuccess) << Said();
  EXPECT_EQ(Wait(ranks.comms[1], 0, 1), cclSuccess);
  EXPECT_EQ(cclCommSynchronize(ranks.comms[1]), cclSuccess) << Said();
  // Into what the peer has deregistered.
  EXPECT_EQ(cclCommWindowDeregister(ranks.comms[1], w.windows[1]), cclSuccess);
  EXPECT_EQ(put(1, 1, w.windows[0], 0), cclSuccess);
  expect(cclCommSynchronize(comm), cclInvalidUsage, "into window 0 of rank 1, which has deregistered it");
  // Sizes that differ.
  Ranks others(2);
  char small[8], large[16];
  cclWindow_t parts[2] = {};
  cclCommWindowRegister(others.comms[0], small, 8, &parts[0], 0);
  cclCommWindowRegister(others.comms[1], large, 16, &parts[1], 0);
  EXPECT_EQ(cclPutSignal(small, 1, cclChar, 1, parts[0], 0, 0, 0, 0, others.comms[0], nullptr), cclSuccess);
  expect(cclCommSynchronize(others.comms[0]), cclInvalidUsage, "registered 16 bytes there, and this rank 8");
  EXPECT_EQ(cclCommWindowDeregister(ranks.comms[1], w.windows[1]), cclInvalidArgument) << "twice";
}

}  // namespace
