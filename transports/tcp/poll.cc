// How a rank waits.
#include <sched.h>

#include <algorithm>
#include <utility>

#include "transports/pause.h"
#include "transports/tcp/backend.h"

namespace ccl::tcp {
namespace {

constexpr Time kMicrosecond = 1'000'000, kNanosecond = 1000;
constexpr Time kLongestWait = 1000 * kMicrosecond;
// Most answers come within a few round trips: to sleep and be woken takes longer than to look. Who shares
// its processor leaves it at once.
constexpr Time kLooksFor = 60 * kMicrosecond;
constexpr int kLooksCrowded = 2, kLooksPerYield = 8;
constexpr int kLooksPerSocket = 64;  // in shared memory, which cost next to nothing
constexpr uint32_t kPassesPerSocket = 1024;  // where memory is all there is
// What waits in memory waits for other hosts too, where there are some, and those answer in their own time.
constexpr int kMostLooks = 1024;
constexpr std::chrono::microseconds kNap(100);
// Whoever has left orderly may have done its part: that is in memory, and takes a moment to be found.
constexpr Time kGrace = 1'000'000 * kMicrosecond;

}  // namespace

absl::Status TcpBackend::Poll(Waiting waiting, std::vector<Completion>& done) {
  if (!status_.ok()) return status_;
  const size_t before = done.size();
  done.insert(done.end(), ready_.begin(), ready_.end());
  ready_.clear();
  if (waiting == Waiting::kBriefly) {
    if (done.size() > before) return status_;
    if (endpoint_ != nullptr) Fail(endpoint_->ProgressBriefly(done));
    return status_;
  }
  Advance(done);
  if (done.size() > before || !status_.ok()) return status_;
  LookForLeft();
  if (waiting == Waiting::kNo) return status_;
  if (endpoint_ != nullptr && endpoint_->busy()) return WaitForMemory(done);
  return WaitForSockets(done);
}

absl::Status TcpBackend::WaitForMemory(std::vector<Completion>& done) {
  const size_t before = done.size();
  int64_t begin = 0;
  while (true) {
    const int looks = elsewhere_ ? std::min(endpoint_->looks(), kMostLooks) : endpoint_->looks();
    for (int i = 1; i <= looks && done.size() == before && status_.ok(); ++i) {
      Pause();
      Fail(endpoint_->Progress(done));
      if (elsewhere_ && i % kLooksPerSocket == 0 && status_.ok()) Fail(links_.Progress(done));
    }
    if (done.size() > before || !status_.ok()) return status_;
    if (elsewhere_) Fail(links_.Progress(done));
    if (done.size() > before || !status_.ok()) return status_;
    const int64_t now = elsewhere_ ? Now() / kNanosecond : endpoint_->patience().Wait();
    if (begin == 0) begin = now;
    const int64_t waited = now - begin;
    if (waited >= kLongestWait / kNanosecond) break;
    if (!elsewhere_) continue;
    if (crowded_ || waited >= kLooksFor / kNanosecond) {
      links_.Wait(kNap);
    } else {
      sched_yield();
    }
  }
  // Nobody here is expected to say anything by TCP but that he is gone.
  Fail(links_.Progress(done));
  return status_;
}

absl::Status TcpBackend::WaitForSockets(std::vector<Completion>& done) {
  const size_t before = done.size();
  if (crowded_) {
    for (int i = 0; i < kLooksCrowded && done.size() == before && status_.ok(); ++i) {
      sched_yield();
      Advance(done);
    }
  } else {
    const Time deadline = Now() + kLooksFor;
    for (int i = 1; done.size() == before && status_.ok() && Now() < deadline; ++i) {
      Advance(done);
      if (i % kLooksPerYield == 0) sched_yield();
    }
  }
  if (done.size() > before || !status_.ok()) return status_;
  links_.Wait(std::chrono::microseconds(kLongestWait / kMicrosecond));
  if (endpoint_ != nullptr) Fail(endpoint_->Progress(done));
  if (status_.ok()) Fail(links_.Progress(done));
  return status_;
}

void TcpBackend::Advance(std::vector<Completion>& done) {
  if (endpoint_ != nullptr) Fail(endpoint_->Progress(done));
  // Where memory is all there is, sockets only tell who is gone: whoever waits for long looks, or asks often.
  const bool needed = elsewhere_ || links_.busy() || endpoint_ == nullptr || ++passes_ % kPassesPerSocket == 0;
  if (needed && status_.ok()) Fail(links_.Progress(done));
}

// What waits in shared memory for one who has left waits in vain; others may take their time.
void TcpBackend::LookForLeft() {
  if (endpoint_ == nullptr || !endpoint_->busy() || here_.empty()) return;
  const auto left = std::find_if(here_.begin(), here_.end(),
                                 [&](int rank) { return links_.HasLeft(rank) && endpoint_->WaitsFor(rank); });
  if (left == here_.end()) {
    left_since_ = 0;
    return;
  }
  const Time now = Now();
  if (left_since_ == 0) left_since_ = now;
  if (now - left_since_ < kGrace) return;
  links_.Miss(*left);
  std::vector<Completion> none;
  Fail(links_.Progress(none));
}

}  // namespace ccl::tcp
