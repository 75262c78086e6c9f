// Pacing holds deliveries back to real time, and changes neither order nor times nor bytes.
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ccl/backend/backend.h"
#include "gtest/gtest.h"
#include "transports/emulated/pacer.h"

namespace ccl {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Result {
  std::vector<uint64_t> tokens;  // in the order of completion
  std::string received;
  Time end = 0;
  uint64_t digest = 0;
  Clock::duration real;
};

// Three messages of 1 MB, one after the other at 1 GB/s: 3 ms of virtual time.
Result Exchange(const std::string& url) {
  auto opened = OpenBackend(url, 0);
  EXPECT_TRUE(opened.ok()) << opened.status();
  Backend& backend = **opened;
  const std::string sent(1'000'000, 'x');
  Result result;
  result.received.resize(3'000'000);
  const ConstPiece from{sent.data(), sent.size()};
  const Clock::time_point begin = Clock::now();
  for (uint64_t i = 0; i < 3; ++i) {
    const Piece to{result.received.data() + i * sent.size(), sent.size()};
    Operation send{.kind = OperationKind::kSend, .peer = 1, .bytes = sent.size()};
    send.src = {&from, 1};
    send.token = 2 * i;
    Operation recv{.kind = OperationKind::kRecv, .peer = 0, .bytes = sent.size()};
    recv.dst = {&to, 1};
    recv.token = 2 * i + 1;
    backend.Post(0, {&send, 1});
    backend.Post(1, {&recv, 1});
  }
  std::vector<Completion> done;
  while (done.size() < 6) {
    EXPECT_TRUE(backend.Poll(Waiting::kYes, done).ok());
  }
  result.real = Clock::now() - begin;
  for (const Completion& completion : done) result.tokens.push_back(completion.token);
  result.end = backend.Now();
  result.digest = backend.Digest();
  return result;
}

TEST(Pacing, TakesAtLeastItsTimeAndChangesNothing) {
  const std::string url = "emulated:crossbar?ranks=2&set=port_bandwidth=1 GB/s";
  const Result virtually = Exchange(url);
  const Result paced = Exchange(url + "&pace=20");
  EXPECT_GE(virtually.end, Time{3'000'000'000});
  EXPECT_GE(paced.real, milliseconds(60) - Pacer::kSlack);
  EXPECT_EQ(paced.end, virtually.end);
  EXPECT_EQ(paced.digest, virtually.digest);
  EXPECT_EQ(paced.tokens, virtually.tokens);
  EXPECT_EQ(paced.received, virtually.received);
  EXPECT_EQ(paced.received, std::string(3'000'000, 'x'));
}

TEST(Pacing, WhatIsPostedAfterAPauseTakesItsWholeTime) {
  Pacer pacer(1);
  std::this_thread::sleep_for(milliseconds(20));
  const Clock::time_point posted = Clock::now();
  pacer.Posted();
  pacer.WaitFor(Time{10'000'000'000});
  EXPECT_GE(Clock::now() - posted, milliseconds(10) - Pacer::kSlack);
}

TEST(Pacing, WaitsAddUp) {
  Pacer pacer(1e6);  // a nanosecond is a millisecond
  pacer.Posted();
  const Clock::time_point begin = Clock::now();
  for (Time now : {5'000, 5'000, 12'000, 40'000}) pacer.WaitFor(now);
  EXPECT_GE(Clock::now() - begin, milliseconds(40) - Pacer::kSlack);
}

TEST(Pacing, APaceThatIsNoneIsRefused) {
  for (const char* pace : {"0", "-1", "nan", "inf", "fast", "", "1e13"}) {
    const absl::Status status =
        OpenBackend(std::string("emulated:crossbar?ranks=2&pace=") + pace, 0).status();
    EXPECT_EQ(status.message(),
              std::string("emulated: '") + pace +
                  "' is not a pace: how many real seconds a virtual one takes, above 0, up to 1e12");
  }
}

}  // namespace
}  // namespace ccl
