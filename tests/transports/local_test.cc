// Ranks that are threads: how they meet, what they lend, and what becomes of those who wait for one that leaves.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccl/backend/open.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/transports/contract.h"

namespace ccl {
namespace {

using testing::HasSubstr;
using Opened = absl::StatusOr<std::unique_ptr<Backend>>;

constexpr size_t kLong = size_t{5} << 20;

void OnThreads(int ranks, const std::function<void(int rank)>& body) {
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) threads.emplace_back(body, rank);
  for (std::thread& thread : threads) thread.join();
}

Opened Join(const std::string& job, int ranks, int rank) {
  return OpenBackend(absl::StrCat("local:?timeout=1s&job=", job), {.ranks = ranks, .rank = rank});
}

TEST(Local, SaysWhoHasNotCome) {
  const absl::Status status = Join("lonely", 3, 1).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("not there: rank 0, 2"));
}

TEST(Local, RanksJoinOnceAndAgreeOnTheirNumber) {
  std::thread first([] { EXPECT_EQ(Join("two", 2, 0).status().code(), absl::StatusCode::kDeadlineExceeded); });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_THAT(std::string(Join("two", 2, 0).status().message()), HasSubstr("rank 0 has already joined"));
  EXPECT_THAT(std::string(Join("two", 3, 1).status().message()), HasSubstr("joins a job of 3 ranks, others one of 2"));
  first.join();
  // Nobody is left over: the name begins anew.
  OnThreads(2, [](int rank) { EXPECT_TRUE(Join("two", 2, rank).ok()); });
}

TEST(Local, RefusesWhatItsUrlDoesNotSay) {
  EXPECT_THAT(std::string(OpenBackend("local:", 2).status().message()), HasSubstr("which it is"));
  EXPECT_THAT(std::string(OpenBackend("local:?rnak=1", 2).status().message()), HasSubstr("unknown option 'rnak'"));
  EXPECT_THAT(std::string(OpenBackend("local:?rank=x", 2).status().message()), HasSubstr("not a number"));
  EXPECT_THAT(std::string(OpenBackend("local:?rank=0&ranks=3", {.ranks = 2, .rank = 0}).status().message()),
              HasSubstr("ranks=3, the caller 2"));
}

// A send of any memory is not copied: what is written to it before it is received arrives.
TEST(Local, LendsEverythingThatIsLong) {
  OnThreads(2, [](int rank) {
    Opened opened = Join("lends", 2, rank);
    ASSERT_TRUE(opened.ok()) << opened.status();
    Job job(*std::move(opened));
    Bytes bytes(kLong, 1);
    Message send(OperationKind::kSend, 1, bytes, 1), recv(OperationKind::kRecv, 0, bytes, 2);
    if (rank == 0) {
      job.Post(0, send.op);
      bytes.back() = 7;
    }
    ASSERT_TRUE(job.backend().Agree(absl::OkStatus()).ok());
    if (rank == 1) job.Post(1, recv.op);
    const absl::Status status = job.Finish();
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(bytes.back(), 7);
  });
}

// Who waits for one that has left is told so; what had been sent arrives all the same.
TEST(Local, WhoLeavesIsMissed) {
  OnThreads(2, [](int rank) {
    Opened opened = Join("leaves", 2, rank);
    ASSERT_TRUE(opened.ok()) << opened.status();
    auto job = std::make_unique<Job>(*std::move(opened));
    Bytes sent(100, 3), got(100), never(100);
    Message send(OperationKind::kSend, 1, sent, 1), recv(OperationKind::kRecv, 0, got, 2);
    Message more(OperationKind::kRecv, 0, never, 3);
    if (rank == 0) {
      job->Post(0, send.op);
      EXPECT_TRUE(job->Finish().ok());
      ASSERT_TRUE(job->backend().Agree(absl::OkStatus()).ok());
      return;
    }
    ASSERT_TRUE(job->backend().Agree(absl::OkStatus()).ok());
    job->Post(1, recv.op);
    EXPECT_TRUE(job->Finish().ok());
    EXPECT_EQ(got, sent);
    job->Post(1, more.op);
    const absl::Status status = job->Finish();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(status.message()), HasSubstr("rank 1: rank 0 has left"));
  });
}

// What was lent is not read when its owner has given up: it may have freed it.
TEST(Local, WhatIsWithdrawnIsNotRead) {
  OnThreads(2, [](int rank) {
    Opened opened = Join("withdraws", 2, rank);
    ASSERT_TRUE(opened.ok()) << opened.status();
    auto job = std::make_unique<Job>(*std::move(opened));
    auto bytes = std::make_unique<Bytes>(kLong);
    Message send(OperationKind::kSend, 1, *bytes, 1), recv(OperationKind::kRecv, 0, *bytes, 2);
    if (rank == 0) job->Post(0, send.op);
    ASSERT_TRUE(job->backend().Agree(absl::OkStatus()).ok());
    if (rank == 0) {
      job.reset();
      bytes.reset();
      return;
    }
    EXPECT_FALSE(job->backend().Agree(absl::OkStatus()).ok()) << "the other has left";
    job->Post(1, recv.op);
    EXPECT_EQ(job->Finish().code(), absl::StatusCode::kUnavailable);
  });
}

// One reader has done and leaves before the other begins: nobody is missed.
TEST(Local, WhoHasReadMayLeave) {
  OnThreads(3, [](int rank) {
    Opened opened = Join("reads", 3, rank);
    ASSERT_TRUE(opened.ok()) << opened.status();
    Job job(*std::move(opened));
    Bytes bytes(size_t{20} << 20, static_cast<uint8_t>(7 + rank));
    const ConstPiece src{bytes.data(), bytes.size()};
    const Piece dst{bytes.data(), bytes.size()};
    const int all[] = {0, 1, 2};
    Operation op{.kind = OperationKind::kGroupCopy, .peer = 0, .bytes = bytes.size()};
    if (rank == 0) op.src = {&src, 1};
    op.dst = {&dst, 1};
    op.group = {0, all};
    op.token = 1;
    if (rank == 2) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    job.Post(rank, op);
    const absl::Status status = job.Finish();
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(bytes.back(), 7);
  });
}

TEST(Local, NobodyAgreesWithoutTheOneWhoHasLeft) {
  OnThreads(3, [](int rank) {
    Opened opened = Join("disagrees", 3, rank);
    ASSERT_TRUE(opened.ok()) << opened.status();
    if (rank == 2) return;
    for (int round = 0; round < 3; ++round) {
      EXPECT_EQ((*opened)->Agree(absl::OkStatus()).code(), absl::StatusCode::kUnavailable);
    }
  });
}

TEST(Local, SurvivorsMeetAgain) {
  OnThreads(4, [](int rank) {
    Opened opened = Join("survives", 4, rank);
    ASSERT_TRUE(opened.ok()) << opened.status();
    if (rank == 1) return;
    const int others[] = {0, 2, 3};
    auto survivors = (*opened)->Survivors(others);
    ASSERT_TRUE(survivors.ok()) << survivors.status();
    Job job(*std::move(survivors));
    EXPECT_EQ(job.ranks(), 3);
    const int self = job.backend().local_ranks()[0];
    EXPECT_EQ(self, rank == 0 ? 0 : rank - 1);
    Bytes out = Pattern(self, 0, 1000), in(1000);
    Message send(OperationKind::kSend, job.Next(self), out, 1), recv(OperationKind::kRecv, job.Previous(self), in, 2);
    job.Post(self, {send.op, recv.op});
    const absl::Status status = job.Finish();
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(in, Pattern(job.Previous(self), 0, 1000));
  });
}

}  // namespace
}  // namespace ccl
