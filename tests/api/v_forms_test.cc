// The v-forms and scans through the C API.
#include <string>
#include <vector>

#include "ccl/ccl.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/api/ranks.h"

namespace {

using ccl_test::Ranks;
using ccl_test::Said;
using testing::HasSubstr;

constexpr int kRanks = 3;

// Calls f(rank, communicator) for all ranks in one group and waits.
template <typename F>
void OnAll(const Ranks& ranks, F f) {
  ASSERT_EQ(cclGroupStart(), cclSuccess);
  for (int r = 0; r < kRanks; ++r) EXPECT_EQ(f(r, ranks.comms[r]), cclSuccess) << Said();
  ASSERT_EQ(cclGroupEnd(), cclSuccess) << Said();
  for (cclComm_t comm : ranks.comms) ASSERT_EQ(cclCommSynchronize(comm), cclSuccess) << Said();
}

TEST(VForms, AllGatherVWithAndWithoutDisplacements) {
  Ranks ranks(kRanks);
  const size_t counts[] = {1, 0, 2}, apart[] = {4, 0, 1};
  const int in[kRanks][2] = {{10}, {}, {30, 31}};
  std::vector<std::vector<int>> dense(kRanks, std::vector<int>(3)), gaps(kRanks, std::vector<int>(6, -1));
  OnAll(ranks, [&](int r, cclComm_t comm) {
    return cclAllGatherV(in[r], counts[r], dense[r].data(), counts, nullptr, cclInt, comm, nullptr);
  });
  OnAll(ranks, [&](int r, cclComm_t comm) {
    return cclAllGatherV(in[r], counts[r], gaps[r].data(), counts, apart, cclInt, comm, nullptr);
  });
  for (int r = 0; r < kRanks; ++r) {
    EXPECT_EQ(dense[r], (std::vector<int>{10, 30, 31}));
    EXPECT_EQ(gaps[r], (std::vector<int>{-1, 30, 31, -1, 10, -1}));
  }
}

TEST(VForms, ReduceScatterVAlltoAllVGatherVScatterV) {
  Ranks ranks(kRanks);
  const size_t counts[] = {2, 0, 1};
  std::vector<std::vector<int>> in(kRanks, {1, 2, 3}), out(kRanks, std::vector<int>(3, -1));
  OnAll(ranks, [&](int r, cclComm_t comm) {
    return cclReduceScatterV(in[r].data(), counts, nullptr, out[r].data(), counts[r], cclInt, cclSum,
                             comm, nullptr);
  });
  EXPECT_EQ(out[0], (std::vector<int>{3, 6, -1}));
  EXPECT_EQ(out[2], (std::vector<int>{9, -1, -1}));
  // Rank r sends one element to rank r + 1 and two to itself.
  OnAll(ranks, [&](int r, cclComm_t comm) {
    size_t sends[kRanks] = {}, gets[kRanks] = {};
    sends[r] = gets[r] = 2;
    sends[(r + 1) % kRanks] = gets[(r + kRanks - 1) % kRanks] = 1;
    in[r] = {10 * r, 10 * r + 1, 10 * r + 2};
    return cclAlltoAllV(in[r].data(), sends, nullptr, out[r].data(), gets, nullptr, cclInt, comm,
                        nullptr);
  });
  EXPECT_EQ(out[0], (std::vector<int>{0, 1, 20}));
  EXPECT_EQ(out[1], (std::vector<int>{2, 10, 11}));
  EXPECT_EQ(out[2], (std::vector<int>{12, 21, 22}));
  // Arrays count at the root only.
  std::vector<int> all(3, -1);
  OnAll(ranks, [&](int r, cclComm_t comm) {
    return cclGatherV(in[r].data(), counts[r], r == 1 ? all.data() : nullptr, r == 1 ? counts : nullptr,
                      nullptr, cclInt, 1, comm, nullptr);
  });
  EXPECT_EQ(all, (std::vector<int>{0, 1, 20}));
  OnAll(ranks, [&](int r, cclComm_t comm) {
    out[r].assign(3, -1);
    return cclScatterV(r == 1 ? all.data() : nullptr, r == 1 ? counts : nullptr, nullptr,
                       out[r].data(), counts[r], cclInt, 1, comm, nullptr);
  });
  EXPECT_EQ(out[0], (std::vector<int>{0, 1, -1}));
  EXPECT_EQ(out[1], (std::vector<int>{-1, -1, -1}));
  EXPECT_EQ(out[2], (std::vector<int>{20, -1, -1}));
}

TEST(Scans, InclusiveAndExclusive) {
  Ranks ranks(kRanks);
  std::vector<int> in = {1, 10, 100}, out(kRanks, -1);
  OnAll(ranks, [&](int r, cclComm_t comm) {
    return cclScan(&in[r], &out[r], 1, cclInt, cclSum, comm, nullptr);
  });
  EXPECT_EQ(out, (std::vector<int>{1, 11, 111}));
  out.assign(kRanks, -1);
  OnAll(ranks, [&](int r, cclComm_t comm) {
    return cclExscan(&in[r], r == 0 ? nullptr : &out[r], 1, cclInt, cclSum, comm, nullptr);
  });
  EXPECT_EQ(out, (std::vector<int>{-1, 1, 11}));
  OnAll(ranks, [&](int r, cclComm_t comm) {
    return cclExscan(&in[r], &in[r], 1, cclInt, cclSum, comm, nullptr);
  });
  EXPECT_EQ(in, (std::vector<int>{1, 1, 11})) << "rank 0's buffer is untouched";
}

TEST(VForms, Misuses) {
  Ranks ranks(kRanks);
  cclComm_t comm = ranks.comms[1];
  const size_t counts[] = {2, 1, 1}, huge[] = {1, static_cast<size_t>(-1), 1}, over[] = {0, 1, 3};
  int in[8], out[8];
  const auto expect = [&](cclResult_t result, const char* text) {
    EXPECT_EQ(result, cclInvalidArgument) << text;
    EXPECT_THAT(Said(), HasSubstr(text));
  };
  expect(cclAllGatherV(in, 1, out, nullptr, nullptr, cclInt, comm, nullptr),
         "rank 1, allgatherv: the receive counts are null");
  expect(cclAllGatherV(in, 2, out, counts, nullptr, cclInt, comm, nullptr),
         "has 2 elements in the send counts and 1 in the receive counts");
  expect(cclAllGatherV(in, 1, out, huge, nullptr, cclInt, comm, nullptr), "block 1 of the receive "
         "buffer is negative or too large");
  expect(cclAllGatherV(in, 1, out, counts, over, cclInt, comm, nullptr),
         "blocks 0 and 1 of the receive buffer overlap");
  expect(cclAllGatherV(in, 1, in, counts, nullptr, cclInt, comm, nullptr), "not as in place");
  expect(cclAlltoAllV(in, counts, nullptr, in, counts, nullptr, cclInt, comm, nullptr),
         "alltoallv has no in-place form");
  expect(cclReduceScatterV(nullptr, counts, nullptr, out, 1, cclInt, cclSum, comm, nullptr),
         "the send buffer is null");
  expect(cclReduceScatterV(in, counts, nullptr, out, 1, cclFloat, cclBor, comm, nullptr),
         "combines bits of integers");
  expect(cclGatherV(in, 1, out, counts, nullptr, cclInt, -1, comm, nullptr), "root -1 is not in 0..2");
  expect(cclScatterV(in, counts, nullptr, out, 1, cclInt, 3, comm, nullptr), "root 3 is not in 0..2");
}

}  // namespace
