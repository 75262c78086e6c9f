#include "transports/clock.h"

#include <chrono>

#include "gtest/gtest.h"

namespace ccl {
namespace {

int64_t SteadyNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Whoever reads two clocks may lose the processor between them: an answer is wrong when it lies outside
// of what steady_clock said before and after, and then some.
TEST(Clock, IsSteadyClockAndNeverGoesBack) {
  constexpr int64_t kSlackNs = 100'000;
  Clock clock;
  const int64_t end = SteadyNs() + 60'000'000;
  Time last = 0;
  for (int64_t before = SteadyNs(); before < end; before = SteadyNs()) {
    for (int i = 0; i < 100; ++i) {
      const int64_t earliest = SteadyNs();
      const Time now = clock.Now();
      const int64_t latest = SteadyNs();
      ASSERT_GE(now, last);
      ASSERT_GE(now / 1000, earliest - kSlackNs);
      ASSERT_LE(now / 1000, latest + kSlackNs);
      last = now;
    }
  }
}

}  // namespace
}  // namespace ccl
