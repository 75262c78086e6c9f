#include "transports/patience.h"

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <chrono>

namespace ccl {
namespace {

constexpr int64_t kMicrosecond = 1000;
// Who has a processor of its own is in nobody's way for a while, and answers sooner.
constexpr int64_t kAwake = 2000 * kMicrosecond, kAwakeCrowded = 500 * kMicrosecond;
// Of what has been waited already.
constexpr int64_t kPart = 64, kPartCrowded = 16;
constexpr int64_t kLongestSleep = 1000 * kMicrosecond;

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

int64_t Patience::Wait() {
  const int64_t now = Now();
  if (since_ns_ == 0) since_ns_ = now;
  const int64_t waited = now - since_ns_;
  sleeps_ = waited >= (crowded_ ? kAwakeCrowded : kAwake);
  if (!sleeps_) {
    sched_yield();
    return now;
  }
  const timespec sleep{0, std::min(waited / (crowded_ ? kPartCrowded : kPart), kLongestSleep)};
  nanosleep(&sleep, nullptr);
  return now;
}

}  // namespace ccl
