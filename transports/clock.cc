#include "transports/clock.h"

#include <algorithm>
#include <chrono>

#ifdef __x86_64__
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace ccl {
namespace {

constexpr int64_t kPsPerNs = 1000;
constexpr int64_t kToLearnNs = 2'000'000;  // before the counter's rate is good to a few parts in 10^4
constexpr double kValidNs = 10e6;

int64_t SteadyNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

#ifdef __x86_64__
bool CountsEvenly() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(0x80000007u, &a, &b, &c, &d) != 0 && (d & 1u << 8) != 0;
}
uint64_t Ticks() { return __rdtsc(); }
#else
bool CountsEvenly() { return false; }
uint64_t Ticks() { return 0; }
#endif

}  // namespace

Clock::Clock() : counts_(CountsEvenly()) {
  first_ticks_ = Ticks();
  first_ns_ = last_ns_ = SteadyNs();
}

void Clock::Synchronize(uint64_t ticks) {
  base_ns_ = SteadyNs();
  base_ticks_ = ticks;
  const int64_t since = base_ns_ - first_ns_;
  valid_ticks_ = 0;
  if (since < kToLearnNs || ticks <= first_ticks_) return;
  ns_per_tick_ = static_cast<double>(since) / static_cast<double>(ticks - first_ticks_);
  valid_ticks_ = static_cast<uint64_t>(kValidNs / ns_per_tick_);
}

Time Clock::Now() {
  if (!counts_) return SteadyNs() * kPsPerNs;
  const uint64_t ticks = Ticks();
  // Likewise where the counter seems to have gone back: on another processor.
  if (ticks - base_ticks_ >= valid_ticks_) Synchronize(ticks);
  const int64_t ns =
      base_ns_ + static_cast<int64_t>(static_cast<double>(ticks - base_ticks_) * ns_per_tick_);
  last_ns_ = std::max(last_ns_, ns);
  return last_ns_ * kPsPerNs;
}

}  // namespace ccl
