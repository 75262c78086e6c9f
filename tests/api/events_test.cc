// Events and host functions.
#include "gmock/gmock.h"
#include "tests/api/ranks.h"

namespace {

using ccl_test::Ranks;
using ccl_test::Said;
using testing::HasSubstr;

TEST(Events, TellTheVirtualTimeBetweenTwoPoints) {
  Ranks ranks(1);
  cclEvent_t start, end;
  ASSERT_EQ(cclEventCreate(&start), cclSuccess);
  ASSERT_EQ(cclEventCreate(&end), cclSuccess);
  EXPECT_EQ(cclEventQuery(start), cclSuccess);  // never recorded
  int64_t elapsed = 0;
  EXPECT_EQ(cclEventElapsedTime(&elapsed, start, end), cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("first event has never been recorded"));
  cclCommCompute(ranks.comms[0], 1'000);
  EXPECT_EQ(cclEventRecord(start, ranks.comms[0], nullptr), cclSuccess) << Said();
  cclCommCompute(ranks.comms[0], 7'000'000);
  EXPECT_EQ(cclEventRecord(end, ranks.comms[0], nullptr), cclSuccess) << Said();
  EXPECT_EQ(cclEventQuery(end), cclInProgress);
  EXPECT_EQ(cclEventElapsedTime(&elapsed, start, end), cclInProgress);
  EXPECT_EQ(cclEventSynchronize(end), cclSuccess) << Said();
  EXPECT_EQ(cclEventQuery(end), cclSuccess);
  EXPECT_EQ(cclEventElapsedTime(&elapsed, start, end), cclSuccess) << Said();
  EXPECT_EQ(elapsed, 7'000'000);
  cclEventDestroy(start);
  cclEventDestroy(end);
}

TEST(Events, AStreamWaitsForAnotherRanksEvent) {
  Ranks ranks(2);
  cclEvent_t reached, after;
  cclEventCreate(&reached);
  cclEventCreate(&after);
  cclGroupStart();
  cclCommCompute(ranks.comms[0], 5'000'000);
  cclEventRecord(reached, ranks.comms[0], nullptr);
  EXPECT_EQ(cclStreamWaitEvent(ranks.comms[1], nullptr, reached), cclSuccess) << Said();
  cclEventRecord(after, ranks.comms[1], nullptr);
  ASSERT_EQ(cclGroupEnd(), cclSuccess) << Said();
  EXPECT_EQ(cclCommSynchronize(ranks.comms[1]), cclSuccess) << Said();
  int64_t elapsed = -1;
  ASSERT_EQ(cclEventElapsedTime(&elapsed, reached, after), cclSuccess) << Said();
  EXPECT_EQ(elapsed, 0);
  cclEventDestroy(reached);
  cclEventDestroy(after);
}

TEST(Events, WhatIsDroppedReachesItsEventsWithoutATime) {
  Ranks ranks(2);
  cclEvent_t event;
  cclEventCreate(&event);
  cclBarrier(ranks.comms[0], nullptr);  // rank 1 does not come
  cclEventRecord(event, ranks.comms[0], nullptr);
  EXPECT_EQ(cclStreamWaitEvent(ranks.comms[1], nullptr, event), cclSuccess);
  EXPECT_EQ(cclEventQuery(event), cclInProgress);
  EXPECT_EQ(cclCommRevoke(ranks.comms[0], 0), cclSuccess);
  EXPECT_EQ(cclEventQuery(event), cclSuccess);
  EXPECT_EQ(cclCommSynchronize(ranks.comms[1]), cclSuccess) << Said();
  int64_t elapsed = 0;
  EXPECT_EQ(cclEventElapsedTime(&elapsed, event, event), cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("dropped"));
  cclEventDestroy(event);
}

TEST(Events, WaitingForOneThatNobodyReachesIsADeadlock) {
  Ranks ranks(2);
  cclEvent_t event;
  cclEventCreate(&event);
  cclBarrier(ranks.comms[0], nullptr);
  cclEventRecord(event, ranks.comms[0], nullptr);
  EXPECT_EQ(cclEventSynchronize(event), cclInvalidUsage);
  EXPECT_THAT(Said(), HasSubstr("waits for an event"));
  cclEventDestroy(event);
}

TEST(Events, OfAnotherWorldAreRefused) {
  Ranks ranks(1), others(1);
  cclEvent_t event;
  cclEventCreate(&event);
  cclCommCompute(ranks.comms[0], 1000);
  cclEventRecord(event, ranks.comms[0], nullptr);
  EXPECT_EQ(cclStreamWaitEvent(others.comms[0], nullptr, event), cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("another world"));
  EXPECT_EQ(cclEventRecord(nullptr, ranks.comms[0], nullptr), cclInvalidArgument);
  cclEventDestroy(event);
  // An event may outlive its world.
}

struct Calls {
  cclComm_t comm;
  std::vector<int> order;
  cclResult_t inside = cclSuccess;
};

TEST(HostFunctions, RunInTheOrderOfTheStreamAndCallNothingOfCcl) {
  Ranks ranks(1);
  Calls calls{ranks.comms[0], {}};
  const auto call = [](void* data) {
    auto* c = static_cast<Calls*>(data);
    c->order.push_back(static_cast<int>(c->order.size()));
    c->inside = cclBarrier(c->comm, nullptr);
  };
  ASSERT_EQ(cclCommCompute(ranks.comms[0], 1000), cclSuccess);
  EXPECT_EQ(cclLaunchHostFunc(ranks.comms[0], nullptr, call, &calls), cclSuccess) << Said();
  EXPECT_TRUE(calls.order.empty());
  EXPECT_EQ(cclLaunchHostFunc(ranks.comms[0], nullptr, nullptr, &calls), cclInvalidArgument);
  EXPECT_EQ(cclLaunchHostFunc(ranks.comms[0], nullptr, call, &calls), cclSuccess) << Said();
  EXPECT_EQ(cclCommSynchronize(ranks.comms[0]), cclSuccess) << Said();
  EXPECT_EQ(calls.order, (std::vector<int>{0, 1}));
  EXPECT_EQ(calls.inside, cclInvalidUsage);
}

}  // namespace
