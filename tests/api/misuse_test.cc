// Deliberate misuses: each has its error, and leaves the communicator as ccl.h says.
#include <cstdint>
#include <functional>
#include <string>

#include "gmock/gmock.h"
#include "tests/api/ranks.h"

namespace {

using ccl_test::Ranks;
using ccl_test::Said;
using ccl_test::Sums;
using testing::HasSubstr;

struct Misuse {
  const char* name;
  cclResult_t result;
  const char* text;  // of the error
  std::function<cclResult_t(Ranks&)> does;
  bool poisons = false;  // what is under way has failed: the communicators are of no use any more
};

float buffer[64];

cclComm_t First(Ranks& ranks) { return ranks.comms[0]; }

const Misuse kMisuses[] = {
    {"null communicator", cclInvalidArgument, "communicator is null",
     [](Ranks&) { return cclBarrier(nullptr, nullptr); }},
    {"a communicator that is none", cclInvalidArgument, "is not one",
     [](Ranks&) {
       alignas(64) static char none[512] = {};
       return cclBarrier(reinterpret_cast<cclComm_t>(none), nullptr);
     }},
    {"null send buffer", cclInvalidArgument, "send buffer is null",
     [](Ranks& r) { return cclAllReduce(nullptr, buffer, 4, cclFloat, cclSum, First(r), nullptr); }},
    {"null receive buffer", cclInvalidArgument, "receive buffer is null",
     [](Ranks& r) { return cclAllReduce(buffer, nullptr, 4, cclFloat, cclSum, First(r), nullptr); }},
    {"negative count", cclInvalidArgument, "negative or too large",
     [](Ranks& r) {
       return cclAllReduce(buffer, buffer, static_cast<size_t>(-3), cclFloat, cclSum, First(r), nullptr);
     }},
    {"unknown type", cclInvalidArgument, "unknown data type 99",
     [](Ranks& r) {
       return cclAllReduce(buffer, buffer, 4, static_cast<cclDataType_t>(99), cclSum, First(r), nullptr);
     }},
    {"unknown reduction", cclInvalidArgument, "-1",
     [](Ranks& r) {
       return cclAllReduce(buffer, buffer, 4, cclFloat, static_cast<cclRedOp_t>(-1), First(r), nullptr);
     }},
    {"root out of range", cclInvalidArgument, "root 3 is not in 0..2",
     [](Ranks& r) { return cclBroadcast(buffer, buffer, 4, cclFloat, 3, First(r), nullptr); }},
    {"negative root", cclInvalidArgument, "root -1",
     [](Ranks& r) { return cclReduce(buffer, buffer, 4, cclFloat, cclSum, -1, First(r), nullptr); }},
    {"peer out of range", cclInvalidArgument, "peer 17",
     [](Ranks& r) { return cclSend(buffer, 4, cclFloat, 17, First(r), nullptr); }},
    {"buffers that overlap", cclInvalidArgument, "overlap",
     [](Ranks& r) { return cclAllReduce(buffer, buffer + 2, 4, cclFloat, cclSum, First(r), nullptr); }},
    {"alltoall in place", cclInvalidArgument, "no in-place form",
     [](Ranks& r) { return cclAlltoAll(buffer, buffer, 4, cclFloat, First(r), nullptr); }},
    {"another communicator's stream", cclInvalidArgument, "belongs to another communicator",
     [](Ranks& r) {
       cclStream_t stream;
       cclStreamCreate(r.comms[1], &stream);
       const cclResult_t result = cclBarrier(First(r), stream);
       cclStreamDestroy(stream);
       return result;
     }},
    {"null stream to synchronise", cclInvalidArgument, "stream is null",
     [](Ranks&) { return cclStreamSynchronize(nullptr); }},
    {"group end without start", cclInvalidUsage, "without cclGroupStart",
     [](Ranks&) { return cclGroupEnd(); }},
    {"waiting inside a group", cclInvalidUsage, "inside a group",
     [](Ranks& r) {
       cclGroupStart();
       const cclResult_t result = cclCommSynchronize(First(r));
       cclGroupEnd();
       return result;
     }},
    {"destroying inside a group", cclInvalidUsage, "inside a group",
     [](Ranks& r) {
       cclGroupStart();
       const cclResult_t result = cclCommDestroy(First(r));
       cclGroupEnd();
       return result;
     }},
    {"computing for a negative time", cclInvalidArgument, "a time to compute",
     [](Ranks& r) { return cclCommCompute(First(r), -1); }},
    {"a negative color", cclInvalidArgument, "color -7",
     [](Ranks& r) {
       cclComm_t part;
       return cclCommSplit(First(r), -7, 0, &part, nullptr);
     }},
    {"splitting into nothing", cclInvalidArgument, "newcomm is null",
     [](Ranks& r) { return cclCommSplit(First(r), 0, 0, nullptr, nullptr); }},
    {"a configuration that is none", cclInvalidArgument, "CCL_CONFIG_INITIALIZER",
     [](Ranks& r) {
       cclConfig_t config = {};
       cclComm_t part;
       return cclCommSplit(First(r), 0, 0, &part, &config);
     }},
    {"excluding oneself", cclInvalidArgument, "excludes itself",
     [](Ranks& r) {
       const int self = 0;
       cclComm_t part;
       return cclCommShrink(First(r), &self, 1, &part, nullptr, CCL_SHRINK_DEFAULT);
     }},
    {"unknown shrink flags", cclInvalidArgument, "shrink flags 4",
     [](Ranks& r) {
       const int one = 1;
       cclComm_t part;
       return cclCommShrink(First(r), &one, 1, &part, nullptr, 4);
     }},
    {"unknown revoke flags", cclInvalidArgument, "revoke flags 1",
     [](Ranks& r) { return cclCommRevoke(First(r), 1); }},
    {"an event that was never recorded", cclInvalidArgument, "never been recorded",
     [](Ranks&) {
       cclEvent_t event;
       cclEventCreate(&event);
       int64_t elapsed;
       const cclResult_t result = cclEventElapsedTime(&elapsed, event, event);
       cclEventDestroy(event);
       return result;
     }},
    {"a null event", cclInvalidArgument, "event is null",
     [](Ranks& r) { return cclEventRecord(nullptr, First(r), nullptr); }},
    {"a null host function", cclInvalidArgument, "host function is null",
     [](Ranks& r) { return cclLaunchHostFunc(First(r), nullptr, nullptr, nullptr); }},
    {"a handle of nothing registered", cclInvalidArgument, "none of this communicator's",
     [](Ranks& r) { return cclCommDeregister(First(r), buffer); }},
    {"more memory than there is", cclSystemError, "no memory",
     [](Ranks&) {
       void* memory;
       return cclMemAlloc(&memory, SIZE_MAX);
     }},
    {"a file that cannot be written", cclSystemError, "cannot write",
     [](Ranks& r) { return cclCommDumpFlight(First(r), "/no/such/folder/flight.json"); }},
    {"joining twice", cclInvalidUsage, "already joined",
     [](Ranks&) {
       cclUniqueId id;
       cclGetUniqueId(&id);
       cclConfig_t config = CCL_CONFIG_INITIALIZER;
       config.backend = "emulated:crossbar";
       cclComm_t comm, again;
       cclCommInitRankConfig(&comm, 1, id, 0, &config);
       const cclResult_t result = cclCommInitRankConfig(&again, 1, id, 0, &config);
       cclCommDestroy(comm);
       return result;
     }},
    {"calls that differ", cclInvalidUsage, "ranks call different operations",
     [](Ranks& r) {
       cclGroupStart();
       cclAllReduce(buffer, buffer, 4, cclFloat, cclSum, r.comms[0], nullptr);
       cclAllReduce(buffer + 8, buffer + 8, 5, cclFloat, cclSum, r.comms[1], nullptr);
       return cclGroupEnd();
     },
     true},
    {"a rank that never comes", cclInvalidUsage, "deadlock",
     [](Ranks& r) {
       cclBarrier(r.comms[0], nullptr);
       cclBarrier(r.comms[1], nullptr);
       return cclCommSynchronize(r.comms[0]);
     },
     true},
};

TEST(Misuse, EachHasItsErrorAndLeavesTheCommunicatorAsDocumented) {
  EXPECT_GE(std::size(kMisuses), 30u);
  for (const Misuse& misuse : kMisuses) {
    SCOPED_TRACE(misuse.name);
    Ranks ranks(3);
    EXPECT_EQ(misuse.does(ranks), misuse.result);
    EXPECT_THAT(Said(), HasSubstr(misuse.text));
    cclResult_t error = cclInProgress;
    EXPECT_EQ(cclCommGetAsyncError(ranks.comms[0], &error), cclSuccess);
    if (misuse.poisons) {
      EXPECT_EQ(error, misuse.result);
      EXPECT_EQ(cclBarrier(ranks.comms[0], nullptr), misuse.result);
      // What is left is to go on without it.
      const int last = 2;
      std::vector<cclComm_t> rest(3);
      cclGroupStart();
      for (size_t r : {0, 1}) {
        cclCommShrink(ranks.comms[r], &last, 1, &rest[r], nullptr, CCL_SHRINK_ABORT);
      }
      EXPECT_EQ(cclGroupEnd(), cclSuccess) << Said();
      EXPECT_EQ(Sums(rest, {1, 2, 0}), (std::vector<int>{3, 3, -1}));
      for (cclComm_t comm : rest) cclCommDestroy(comm);
    } else {
      EXPECT_EQ(error, cclSuccess);
      EXPECT_EQ(Sums(ranks.comms, {1, 2, 4}), (std::vector<int>{7, 7, 7}));
    }
  }
}

TEST(Memory, IsAlignedAndRegistrationIsAHint) {
  Ranks ranks(1);
  void* memory = nullptr;
  ASSERT_EQ(cclMemAlloc(&memory, 5000), cclSuccess) << Said();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 4096, 0u);
  void* handle = nullptr;
  EXPECT_EQ(cclCommRegister(ranks.comms[0], memory, 5000, &handle), cclSuccess) << Said();
  EXPECT_EQ(cclCommRegister(ranks.comms[0], nullptr, 5000, &handle), cclInvalidArgument);
  EXPECT_EQ(cclCommDeregister(ranks.comms[0], handle), cclSuccess);
  EXPECT_EQ(cclCommDeregister(ranks.comms[0], handle), cclInvalidArgument);
  EXPECT_EQ(cclMemFree(memory), cclSuccess);
  EXPECT_EQ(cclMemFree(memory), cclInvalidArgument) << "twice";
  EXPECT_EQ(cclMemAlloc(&memory, 0), cclSuccess);
  EXPECT_EQ(memory, nullptr);
  EXPECT_EQ(cclMemAlloc(nullptr, 8), cclInvalidArgument);
}

}  // namespace
