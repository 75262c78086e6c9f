#include "transports/patience.h"

#include <chrono>

#include "gtest/gtest.h"

namespace ccl {
namespace {

constexpr std::chrono::seconds kEnough(5);

// Waits until it sleeps; how often that was.
int WaitUntilItSleeps(Patience& patience) {
  const auto limit = std::chrono::steady_clock::now() + kEnough;
  int waits = 0;
  while (!patience.long_ago() && std::chrono::steady_clock::now() < limit) {
    patience.Wait();
    ++waits;
  }
  return waits;
}

TEST(Patience, SleepsInTheEndAndBeginsAnew) {
  for (const bool crowded : {false, true}) {
    Patience patience(crowded);
    EXPECT_FALSE(patience.long_ago());
    EXPECT_GE(WaitUntilItSleeps(patience), 2) << "it yields first";
    EXPECT_TRUE(patience.long_ago());
    patience.Reset();
    EXPECT_FALSE(patience.long_ago());
    EXPECT_GE(WaitUntilItSleeps(patience), 2);
    EXPECT_TRUE(patience.long_ago());
  }
}

// In a tenth of a second of waiting it looks some hundred times, not ten thousands.
TEST(Patience, LooksSeldomInTheEnd) {
  Patience patience(true);
  WaitUntilItSleeps(patience);
  const int64_t begin = patience.Wait();
  int waits = 0;
  while (patience.Wait() - begin < 100'000'000) ++waits;
  EXPECT_LT(waits, 2000);
}

}  // namespace
}  // namespace ccl
