#include "fabric/fluid.h"

#include <cmath>
#include <random>

#include "fabric/simulator.h"
#include "tests/fabric/bare_wires.h"
#include "tests/fabric/wires_alone.h"

namespace fabric {
namespace {

constexpr int64_t kGB = 1'000'000'000;  // a second
constexpr int64_t kMB = 1'000'000;

TEST(Fluid, ThreeLinksByHand) {
  const BareNetwork network({100 * kGB, 200 * kGB, 300 * kGB}, 0);
  const BareRun run(EngineKind::kFluid, network, Description(),
                    {{0, 1 * kMB, {0, 1, 2}},
                     {0, kMB / 2, {0}},
                     {0, 3 * kMB, {1}},
                     {0, 4 * kMB, {2}}});
  const auto& t = run.times();
  CheckTime("on link 100: 0.5 MB at 100/2", 10'000'000, t[1].delivered);
  CheckTime("over all: 10 us at 50, then 0.5 MB at 100", 15'000'000, t[0].delivered);
  CheckTime("on link 200: 10 us at 150, 5 us at 100, 1 MB at 200", 20'000'000, t[2].delivered);
  CheckTime("on link 300: 10 us at 250, 5 us at 200, 0.5 MB at 300", 16'666'667, t[3].delivered);
}

TEST(Fluid, OwnRatesHeadsAndEmptyThings) {
  const BareNetwork network({100 * kGB, 100 * kGB}, 7);
  const BareRun run(EngineKind::kFluid, network, Description(),
                    {{0, kMB, {0, 1}, 20 * kGB},     // held to its own rate
                     {0, kMB, {0}},                  // has the rest
                     {0, 0, {0, 1}},                 // no bytes
                     {0, kMB, {1}, 20 * kGB},        // held to its own rate as well
                     {0, kMB, {1}, 200 * kGB}});     // own rate beyond the port's
  const auto& t = run.times();
  CheckTime("1 MB at its 20 GB/s + 2 hops", 50'000'014, t[0].delivered);
  CheckTime("1 MB at 100 - 20", 12'500'007, t[1].delivered);
  EXPECT_EQ(t[2], (Times{14, 0, 14}));
  CheckTime("1 MB at its 20 GB/s", 50'000'007, t[3].delivered);
  CheckTime("1 MB at 100 - 20 - 20, rounded up", 16'666'674, t[4].delivered);
  EXPECT_EQ(t[0].head, 14);
}

// Progressive filling by its definition, in real numbers, one event after another.
std::vector<long double> SlowDrains(const std::vector<int64_t>& rates,
                                    const std::vector<BareMessage>& messages) {
  const size_t n = messages.size();
  std::vector<long double> left(n), rate(n), drained(n, -1);
  for (size_t i = 0; i < n; ++i) left[i] = static_cast<long double>(messages[i].bytes);
  long double now = 0;
  while (true) {
    std::vector<bool> growing(n, false);
    long double next = INFINITY;
    bool any = false;
    for (size_t i = 0; i < n; ++i) {
      rate[i] = 0;
      if (drained[i] >= 0) continue;
      any = true;
      const auto start = static_cast<long double>(messages[i].start);
      if (start > now) next = std::min(next, start);
      growing[i] = start <= now;
    }
    if (!any) return drained;
    while (true) {  // raises all that grow until something stops them
      long double raise = INFINITY;
      for (size_t i = 0; i < n; ++i) {
        if (growing[i] && messages[i].rate > 0) raise = std::min(raise, messages[i].rate - rate[i]);
      }
      std::vector<long double> used(rates.size(), 0), count(rates.size(), 0);
      for (size_t i = 0; i < n; ++i) {
        for (uint32_t port : messages[i].ports) used[port] += rate[i], count[port] += growing[i];
      }
      for (size_t p = 0; p < rates.size(); ++p) {
        if (count[p] > 0) raise = std::min(raise, (rates[p] - used[p]) / count[p]);
      }
      if (raise == INFINITY) break;
      for (size_t i = 0; i < n; ++i) rate[i] += growing[i] ? raise : 0;
      for (size_t i = 0; i < n; ++i) {
        if (!growing[i]) continue;
        if (messages[i].rate > 0 && rate[i] >= messages[i].rate * (1 - 1e-15L)) growing[i] = false;
        for (uint32_t port : messages[i].ports) {
          if (used[port] + count[port] * raise >= rates[port] * (1 - 1e-15L)) growing[i] = false;
        }
      }
    }
    for (size_t i = 0; i < n; ++i) {
      if (rate[i] > 0) next = std::min(next, now + left[i] / rate[i] * kSecond);
    }
    for (size_t i = 0; i < n; ++i) {
      left[i] -= rate[i] * (next - now) / kSecond;
      if (rate[i] > 0 && left[i] < 1e-9L * rate[i] / kGB) drained[i] = next;
    }
    now = next;
  }
}

TEST(Fluid, RandomGraphsAgainstASlowSolver) {
  long double worst = 0;
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](uint32_t n) { return random() % n; };
    std::vector<int64_t> rates(2 + pick(12));
    for (int64_t& rate : rates) rate = (1 + pick(400)) * kGB;
    std::vector<BareMessage> messages(1 + pick(30));
    for (BareMessage& m : messages) {
      m.start = pick(3) == 0 ? pick(20'000'000) : 0;
      m.bytes = 1 + pick(2'000'000);
      if (pick(4) == 0) m.rate = (1 + pick(300)) * kGB;
      for (uint32_t port = 0; port < rates.size() && m.ports.size() < 4; ++port) {
        if (pick(3) == 0) m.ports.push_back(port);
      }
      if (m.ports.empty()) m.ports.push_back(pick(static_cast<uint32_t>(rates.size())));
    }
    const BareNetwork network(rates, 1000);
    const BareRun run(EngineKind::kFluid, network, Description(), messages);
    const std::vector<long double> slow = SlowDrains(rates, messages);
    for (size_t i = 0; i < messages.size(); ++i) {
      const long double off = std::abs(static_cast<long double>(run.times()[i].sent) - slow[i]);
      worst = std::max(worst, off);
      ASSERT_LE(off, 3.0L * static_cast<long double>(messages.size())) << "seed " << seed;
      ASSERT_EQ(run.times()[i].delivered,
                run.times()[i].sent + 1000 * static_cast<Time>(messages[i].ports.size()));
    }
  }
  std::printf("  200 graphs: drains at most %.2Lf ps from the slow solver's\n", worst);
}

// Messages of `bytes` from every i to to[i]; the deliveries, by destination.
std::vector<Time> Permutation(const std::vector<std::string>& sets, int64_t bytes,
                              const std::vector<int>& to) {
  auto d = Load("cloudmatrix384", static_cast<int>(to.size()), sets);
  EXPECT_TRUE(d.ok()) << d.status();
  auto s = Simulator::Create(WiresAlone(*d), EngineKind::kFluid);
  EXPECT_TRUE(s.ok()) << s.status();
  for (size_t i = 0; i < to.size(); ++i) (*s)->Send(static_cast<int>(i), to[i], bytes, i);
  std::vector<Event> events;
  while ((*s)->Advance(events)) {
  }
  std::vector<Time> delivered(to.size(), -1);
  for (const Event& e : events) {
    if (e.kind == EventKind::kDelivered) delivered[e.dst] = e.time;
  }
  EXPECT_EQ(events.size(), 2 * to.size());
  return delivered;
}

TEST(Fluid, IncastEndsForAllAtOnce) {
  auto d = Load("crossbar", 9);
  auto s = Simulator::Create(*d, EngineKind::kFluid);
  ASSERT_TRUE(s.ok());
  EXPECT_EQ((*s)->engine(), "fluid");
  for (int i = 1; i <= 8; ++i) (*s)->Send(i, 0, 400'001, i);
  std::vector<Event> events;
  while ((*s)->Advance(events)) {
  }
  ASSERT_EQ(events.size(), 16u);
  for (const Event& e : events) {
    EXPECT_EQ(e.time, e.kind == EventKind::kSent ? 8'000'020 : 9'000'020);
  }
  CheckTime("incast of 8 = L + 8 b/B, 400001 B", 9'000'020, events.back().time);
}

TEST(Fluid, CyclicShiftsOfAClosDoNotCollide) {
  const int n = 64;
  std::vector<int> to(n);
  for (int shift = 8; shift < n - 8; ++shift) {
    for (int i = 0; i < n; ++i) to[i] = (i + shift) % n;
    for (const char* routing : {"node.routing=modulo", "node.routing=spray"}) {
      const auto delivered = Permutation({routing, "node.uplinks=8"}, 3'920'000, to);
      for (int i = 0; i < n; ++i) {
        const bool inside = to[i] / 8 == i / 8;
        ASSERT_EQ(delivered[to[i]], (inside ? 200'000 : 800'000) + 10'000'000) << shift << routing;
      }
    }
  }
}

TEST(Fluid, ATranspositionCollidesUnlessItIsSprayed) {
  std::vector<int> to(64);
  for (int i = 0; i < 64; ++i) to[i] = i % 8 * 8 + i / 8;
  const auto last = [&](const char* routing) {
    const auto delivered = Permutation({routing, "node.uplinks=8"}, 3'920'000, to);
    return *std::max_element(delivered.begin(), delivered.end());
  };
  CheckTime("transposition, sprayed: L + b/B", 10'800'000, last("node.routing=spray"));
  // Of eight messages of a node one stays inside; the others share an uplink.
  CheckTime("transposition, destination mod 8: L + 7 b/B", 70'800'000, last("node.routing=modulo"));
  const Time hashed = last("node.routing=hash");
  std::printf("  transposition, hashed: %.1f us\n", static_cast<double>(hashed) * 1e-6);
  EXPECT_GE(hashed, 20'800'000) << "two at least meet somewhere";
}

TEST(Fluid, TheOrderOfTheCallsDoesNotMatter) {
  std::mt19937 random(5);
  std::vector<BareMessage> messages(40);
  for (BareMessage& m : messages) {
    m = {0, 1'000'003 + static_cast<int64_t>(random() % 4) * 77'777,
         {static_cast<uint32_t>(random() % 5), 5 + static_cast<uint32_t>(random() % 4)}};
  }
  const BareNetwork network(std::vector<int64_t>(9, 392 * kGB), 250'000);
  const BareRun run(EngineKind::kFluid, network, Description(), messages);
  std::vector<BareMessage> reversed(messages.rbegin(), messages.rend());
  const BareRun back(EngineKind::kFluid, network, Description(), reversed);
  for (size_t i = 0; i < messages.size(); ++i) {
    ASSERT_EQ(run.times()[i], back.times()[messages.size() - 1 - i]) << i;
  }
}

}  // namespace
}  // namespace fabric
