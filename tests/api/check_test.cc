// Ranks that disagree, ranks that wait for each other, and what is recorded of it.
#include <cstdio>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "tests/api/ranks.h"
#include "tests/temporary_folder.h"

namespace {

using ccl_test::Ranks;
using ccl_test::Said;
using ccl_test::Split;
using ccl_test::Sums;
using testing::HasSubstr;

cclResult_t AsyncError(cclComm_t comm) {
  cclResult_t error = cclInProgress;
  EXPECT_EQ(cclCommGetAsyncError(comm, &error), cclSuccess);
  return error;
}

TEST(Check, CallsThatDifferAreAnErrorOfEveryRankThatNamesBoth) {
  float data[8] = {};
  const auto differs = [&](auto first, auto second, const char* one, const char* other) {
    Ranks ranks(3);
    cclGroupStart();
    first(ranks.comms[0]);
    second(ranks.comms[1]);
    first(ranks.comms[2]);
    EXPECT_EQ(cclGroupEnd(), cclInvalidUsage);
    for (const char* part : {"rank 0", one, "rank 1", other}) EXPECT_THAT(Said(), HasSubstr(part));
    for (cclComm_t comm : ranks.comms) {
      EXPECT_EQ(AsyncError(comm), cclInvalidUsage);
      EXPECT_EQ(cclBarrier(comm, nullptr), cclInvalidUsage);
    }
  };
  const auto sum = [&](size_t count, cclDataType_t type, cclRedOp_t op) {
    return [=, &data](cclComm_t comm) { cclAllReduce(data, data, count, type, op, comm, nullptr); };
  };
  const auto from = [&](int root) {
    return [=, &data](cclComm_t comm) { cclBroadcast(data, data, 4, cclFloat, root, comm, nullptr); };
  };
  differs(sum(4, cclFloat, cclSum), sum(5, cclFloat, cclSum), "of 4 float", "of 5 float");
  differs(sum(4, cclFloat, cclSum), sum(4, cclInt, cclSum), "float", "int32");
  differs(sum(4, cclFloat, cclSum), sum(4, cclFloat, cclMax), "sum", "max");
  differs(from(0), from(2), "root 0", "root 2");
  differs(sum(4, cclFloat, cclSum), from(0), "allreduce #1", "broadcast #1");
}

// By kind: which of two ranks' are the same nobody knows, because a rank may make some that others do not.
TEST(Check, ReductionsThatUsersMakeAreComparedByKind) {
  float data[2][4] = {{1, 2, 3, 4}, {1, 2, 3, 4}}, two = 2;
  const auto make = [&](cclComm_t comm) {
    cclRedOp_t op = cclSum;
    EXPECT_EQ(cclRedOpCreatePreMulSum(&op, &two, cclFloat, cclScalarHostImmediate, comm), cclSuccess) << Said();
    return op;
  };
  const auto reduce = [&](Ranks& ranks, size_t r, cclRedOp_t op) {
    return cclAllReduce(data[r], data[r], 4, cclFloat, op, ranks.comms[r], nullptr);
  };
  Ranks ranks(2);
  make(ranks.comms[1]);  // and rank 0 does not
  const cclRedOp_t ops[] = {make(ranks.comms[0]), make(ranks.comms[1])};
  cclGroupStart();
  for (size_t r = 0; r < 2; ++r) EXPECT_EQ(reduce(ranks, r, ops[r]), cclSuccess);
  EXPECT_EQ(cclGroupEnd(), cclSuccess) << Said();
  for (cclComm_t comm : ranks.comms) EXPECT_EQ(cclCommSynchronize(comm), cclSuccess) << Said();
  EXPECT_EQ(data[1][3], 16);
  cclGroupStart();
  reduce(ranks, 0, ops[0]);
  reduce(ranks, 1, cclSum);
  EXPECT_EQ(cclGroupEnd(), cclInvalidUsage);
  EXPECT_THAT(Said(), HasSubstr("rank 0 allreduce #2 of 4 float, scaled sum, by"));
  EXPECT_THAT(Said(), HasSubstr("rank 1 allreduce #2 of 4 float, sum, by"));
}

// What all ranks know of a v-form is compared, block by block; of the others type and root.
TEST(Check, VFormsAreComparedByWhatAllRanksKnow) {
  float in[8] = {}, out[8] = {};
  const size_t even[] = {2, 2}, uneven[] = {1, 3}, none[] = {0, 0};
  {
    Ranks ranks(2);
    cclGroupStart();
    cclAllGatherV(in, 2, out, even, nullptr, cclFloat, ranks.comms[0], nullptr);
    cclAllGatherV(in, 3, out, uneven, nullptr, cclFloat, ranks.comms[1], nullptr);
    EXPECT_EQ(cclGroupEnd(), cclInvalidUsage);
    EXPECT_THAT(Said(), HasSubstr("rank 0 allgatherv #1 of 4 float in blocks "));
    EXPECT_THAT(Said(), HasSubstr("rank 1 allgatherv #1 of 4 float in blocks "));
  }
  {
    Ranks ranks(2);
    cclGroupStart();
    cclAlltoAllV(in, even, nullptr, out, even, nullptr, cclFloat, ranks.comms[0], nullptr);
    cclAlltoAllV(in, none, nullptr, out, none, nullptr, cclInt, ranks.comms[1], nullptr);
    EXPECT_EQ(cclGroupEnd(), cclInvalidUsage);
    EXPECT_THAT(Said(), HasSubstr("rank 0 alltoallv #1 of float, by"));
    EXPECT_THAT(Said(), HasSubstr("rank 1 alltoallv #1 of int32, by"));
  }
}

TEST(Check, OtherCommunicatorsGoOn) {
  Ranks ranks(4);
  const auto halves = Split(ranks.comms, [](int r) { return r / 2; }, [](int) { return 0; });
  std::vector<int> in = {1, 2, 3, 4}, out(4);
  cclGroupStart();
  cclAllReduce(&in[0], &out[0], 1, cclInt, cclSum, halves[0], nullptr);
  cclAllReduce(&in[1], &out[1], 1, cclInt, cclProd, halves[1], nullptr);
  EXPECT_EQ(cclGroupEnd(), cclInvalidUsage);
  EXPECT_EQ(AsyncError(halves[0]), cclInvalidUsage);
  EXPECT_EQ(AsyncError(halves[2]), cclSuccess);
  EXPECT_EQ(Sums(ranks.comms, in), std::vector<int>(4, 10));
  for (cclComm_t comm : halves) cclCommDestroy(comm);
}

TEST(Check, WhatIsTakenBackIsForgotten) {
  Ranks ranks(2);
  int in[2] = {1, 2}, out[2];
  cclGroupStart();
  cclAllReduce(&in[0], &out[0], 1, cclInt, cclSum, ranks.comms[0], nullptr);
  cclAllReduce(&in[1], &out[1], 1, cclInt, cclSum, ranks.comms[1], nullptr);
  cclBroadcast(in, in, 1, cclInt, 9, ranks.comms[1], nullptr);  // there is no such root
  EXPECT_EQ(cclGroupEnd(), cclInvalidArgument);
  cclGroupStart();
  cclBarrier(ranks.comms[0], nullptr);
  cclBarrier(ranks.comms[1], nullptr);
  EXPECT_EQ(cclGroupEnd(), cclSuccess) << Said();
  EXPECT_EQ(cclCommSynchronize(ranks.comms[0]), cclSuccess) << Said();
  EXPECT_EQ(Sums(ranks.comms, {1, 2}), std::vector<int>(2, 3));
}

TEST(Deadlock, TheCycleIsNamed) {
  Ranks ranks(4);
  int data = 0;
  cclGroupStart();
  for (size_t r = 0; r < 3; ++r) {  // everybody waits for the one before
    cclRecv(&data, 1, cclInt, static_cast<int>(r + 2) % 3, ranks.comms[r], nullptr);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess);
  EXPECT_EQ(cclCommSynchronize(ranks.comms[0]), cclInvalidUsage);
  EXPECT_THAT(Said(), HasSubstr("in a cycle: rank 0 receives from 2, rank 2 receives from 1, rank 1 "
                                "receives from 0, and so on"));
  EXPECT_EQ(AsyncError(ranks.comms[2]), cclInvalidUsage);
  EXPECT_EQ(AsyncError(ranks.comms[3]), cclSuccess);  // had nothing under way
}

TEST(Deadlock, WithoutACycleItEndsAtWhoeverPostedNothing) {
  Ranks ranks(3);
  int data = 0;
  cclGroupStart();
  cclSend(&data, 1, cclInt, 1, ranks.comms[0], nullptr);
  cclRecv(&data, 1, cclInt, 2, ranks.comms[1], nullptr);
  ASSERT_EQ(cclGroupEnd(), cclSuccess);
  EXPECT_EQ(cclCommSynchronize(ranks.comms[0]), cclInvalidUsage);
  EXPECT_THAT(Said(), HasSubstr("no cycle: rank 0 sends to 1, rank 1 receives from 2, which waits for "
                                "nobody"));
}

TEST(Flight, TellsWhatHasEndedAndWhatWaits) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/flight.json";
  Ranks ranks(2);
  Sums(ranks.comms, {1, 2});
  int data = 0;
  cclRecv(&data, 1, cclInt, 1, ranks.comms[0], nullptr);
  EXPECT_EQ(cclCommSynchronize(ranks.comms[0]), cclInvalidUsage);
  ASSERT_EQ(cclCommDumpFlight(ranks.comms[0], path.c_str()), cclSuccess) << Said();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  for (const char* part : {"\"operation\": \"allreduce\"", "\"state\": \"completed\"",
                           "\"operation\": \"point-to-point\"", "\"state\": \"started\"",
                           "receive from 1", "deadlock", "\"why\": \"request\"", "\"algorithm\": \"recursive_doubling\"",
                           "\"predicted_ps\": ", "\"tag\": 0"}) {
    EXPECT_THAT(text.str(), HasSubstr(part));
  }
  EXPECT_EQ(cclCommDumpFlight(ranks.comms[0], "/nowhere/at/all"), cclSystemError);
}

// An endpoint of the fabric dies on the way: the others learn of it and go on without.
TEST(Failure, SurvivorsOfADeadEndpointShrinkAndGoOn) {
  Ranks ranks(4, "emulated:crossbar?event=at=5us,endpoint=2,dead");
  std::vector<std::vector<float>> data(4, std::vector<float>(1 << 20, 1));
  cclGroupStart();
  for (size_t r = 0; r < 4; ++r) {
    cclAllReduce(data[r].data(), data[r].data(), data[r].size(), cclFloat, cclSum, ranks.comms[r], nullptr);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess);
  EXPECT_EQ(cclCommSynchronize(ranks.comms[0]), cclRemoteError);
  EXPECT_THAT(Said(), HasSubstr("endpoint 2"));
  for (cclComm_t comm : ranks.comms) EXPECT_EQ(AsyncError(comm), cclRemoteError);
  const int dead = 2;
  std::vector<cclComm_t> rest(4);
  cclGroupStart();
  for (size_t r : {0, 1, 3}) {
    cclCommShrink(ranks.comms[r], &dead, 1, &rest[r], nullptr, CCL_SHRINK_ABORT);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess) << Said();
  EXPECT_EQ(Sums(rest, {1, 2, 0, 4}), (std::vector<int>{7, 7, -1, 7}));
  for (cclComm_t comm : rest) cclCommDestroy(comm);
}

}  // namespace
