// Jitter, retries of links, limits of sends: what is drawn, and what can be worked out.
#include "fabric/noise.h"

#include <cmath>
#include <string>
#include <vector>

#include "fabric/mix.h"
#include "gtest/gtest.h"
#include "tests/fabric/play.h"

namespace fabric {
namespace {

// Of many draws, the mean and the part that is 0.
struct Sample {
  double mean = 0, zeros = 0, most = 0, below_scale = 0;
};
Sample Draws(Draw draw) {
  Sample s;
  const int n = 200'000;
  for (uint64_t i = 0; i < n; ++i) {
    const auto x = static_cast<double>(Drawn(draw, 1'000'000, Mix(i)));
    s.mean += x / n / 1e6;
    s.zeros += x == 0 ? 1.0 / n : 0;
    s.below_scale += x < 1e6 ? 1.0 / n : 0;
    s.most = std::max(s.most, x / 1e6);
  }
  return s;
}

TEST(Noise, Distributions) {
  EXPECT_EQ(Drawn(Draw::kNone, 1000, 77), 0);
  const Sample uniform = Draws(Draw::kUniform);
  EXPECT_NEAR(uniform.mean, 0.5, 0.005);
  EXPECT_LT(uniform.most, 1);
  const Sample exponential = Draws(Draw::kExponential);
  EXPECT_NEAR(exponential.mean, 1, 0.01);
  EXPECT_NEAR(exponential.below_scale, 1 - std::exp(-1), 0.005);
  EXPECT_GT(exponential.most, 9);
  const Sample normal = Draws(Draw::kNormal);
  EXPECT_NEAR(normal.mean, 1 / std::sqrt(2 * M_PI), 0.005);
  EXPECT_NEAR(normal.zeros, 0.5, 0.005);
  EXPECT_NEAR(normal.below_scale, 0.8413, 0.005);
  // The same everywhere.
  EXPECT_EQ(Drawn(Draw::kExponential, 1'000'000, uint64_t{1} << 63), 693'147);
  EXPECT_EQ(Drawn(Draw::kExponential, 1'000'000, ~uint64_t{0}), 0);
  EXPECT_LT(Drawn(Draw::kExponential, 100'000 * kSecond, 0), 45 * 100'000 * kSecond);
}

TEST(Noise, RoundsOfRetries) {
  const double p = 0.01, frames = 50;
  double none = 0, one = 0;
  const int n = 100'000;
  for (uint64_t i = 0; i < n; ++i) {
    const int rounds = RetryRounds(p, frames, Mix(i));
    none += rounds == 0 ? 1.0 / n : 0;
    one += rounds <= 1 ? 1.0 / n : 0;
  }
  EXPECT_NEAR(none, std::pow(1 - p, frames), 0.005);
  EXPECT_NEAR(one, std::pow(1 - p * p, frames), 0.005);
}

std::vector<Time> Deliveries(std::vector<std::string> sets, bool reversed) {
  auto s = Play("crossbar", 8, std::move(sets));
  for (int k = 0; k < 8; ++k) {
    for (int i = 0; i < 8; ++i) {
      const int src = reversed ? 7 - i : i;
      s->Send(src, (src + 1) % 8, 0, static_cast<uint64_t>(8 * src + k));
    }
  }
  std::vector<Time> times(64);
  for (const Event& e : Drain(*s)) {
    if (e.kind == EventKind::kDelivered) times[e.user] = e.time;
  }
  return times;
}

TEST(Noise, DrawsBelongToTheKthMessageOfAPair) {
  const std::vector<std::string> noisy = {"noise.distribution=exponential", "noise.latency=500 ns",
                                          "noise.send_overhead=100 ns"};
  const std::vector<Time> a = Deliveries(noisy, false);
  EXPECT_EQ(a, Deliveries(noisy, true)) << "whatever else happens first";
  std::vector<std::string> other = noisy;
  other.push_back("noise.seed=2");
  EXPECT_NE(a, Deliveries(other, false));
  double mean = 0;
  for (Time t : a) {
    EXPECT_GE(t, 1'000'000);
    mean += static_cast<double>(t - 1'000'000) / 64;
  }
  EXPECT_NEAR(mean, 600'000, 200'000);
  for (Time t : Deliveries({}, false)) EXPECT_EQ(t, 1'000'000);
}

TEST(Noise, RetriesTakeOfTheRateAndAreLate) {
  // p = 1 - (1 - 1e-6)^2048 = 0.0020459; a message of 1 frame is mostly in time.
  const std::vector<std::string> sets = {"switch.bit_error_rate=1e-6", "switch.retry_latency=300 ns"};
  auto s = Play("crossbar", 2, sets);
  const double p = 1 - s->description().Goodput(0);
  EXPECT_NEAR(p, 0.0020459, 1e-6);
  const int64_t bytes = 256'000'000;
  s->Send(0, 1, bytes, 0);
  const Time measured = Delivered(Drain(*s));
  const Time sent = TransferTime(bytes, std::llround(400e9 * (1 - p)));
  // A million frames over two fibres: rounds until p^R is about 1e-6.
  const Time rounds = (measured - 1'000'000 - sent) / 300'000;
  std::printf("  b / (C (1 - p)) + L + %ld rounds of retries\n", static_cast<long>(rounds));
  Equation("b / (C (1 - p)) + L + R t_retry", sent + 1'000'000 + rounds * 300'000, measured);
  EXPECT_GE(rounds, 2);
  EXPECT_LE(rounds, 4);
  // A retry is a round trip of the fibre when nothing else is said.
  auto far = Play("crossbar", 2, {"switch.bit_error_rate=1e-6", "switch.fibre_length=100 m", "fibre_delay=5 ns",
                                  "switch.fec_latency=100 ns"});
  EXPECT_EQ(far->description().tiers[0].retry_latency, 2 * (500 + 100) * kNanosecond);
}

TEST(Noise, ConcurrentSendsQueueAtTheSource) {
  for (int limit : {0, 1, 2}) {
    auto s = Play("crossbar", 5, {"concurrent_sends=" + std::to_string(limit)});
    for (int k = 1; k < 5; ++k) s->Send(0, k, 400'000, static_cast<uint64_t>(k));  // 1 us each
    std::vector<Time> times;
    for (const Event& e : Drain(*s)) {
      if (e.kind == EventKind::kDelivered) times.push_back(e.time);
    }
    ASSERT_EQ(times.size(), 4u);
    if (limit == 1) {
      for (int k = 0; k < 4; ++k) Equation("one at a time: L + k b/C", (k + 2) * 1'000'000, times[k]);
    }
    Equation("the last: L + n b/C, whatever the limit", 5'000'000, times[3]);
    if (limit == 2) {
      EXPECT_LE(times[1], 3'000'000);  // two share the port, then the other two
      EXPECT_GT(times[2], 4'000'000);
    }
    if (limit == 0) {
      EXPECT_GT(times[0], 4'000'000);
    }
  }
  EXPECT_NE(Refusal("preset = \"crossbar\"\nconcurrent_sends = -1\n"), "");
  EXPECT_NE(Refusal("preset = \"crossbar\"\n[switch]\nbit_error_rate = 0.5\n"), "");
}

}  // namespace
}  // namespace fabric
