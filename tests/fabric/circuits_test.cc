// The optical circuit switch.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fabric/play.h"

namespace fabric {
namespace {

using testing::HasSubstr;

// Ports of 50 GB/s, 100 ns through the fibres, 10 us to change a circuit.
const char* const kSwitch = R"(
name = "small"
endpoints = 6
[[tier]]
name = "ocs"
kind = "circuit"
port_bandwidth = "50 GB/s"
switch_latency = "100 ns"
reconfiguration = "10 us"
)";
constexpr Time kChange = 10'000'000, kLatency = 100'000;
constexpr int64_t kBytes = 1'000'000;
constexpr Time kPassing = 20'000'000;

std::unique_ptr<Simulator> Small(std::vector<std::string> sets = {}, std::vector<std::string> events = {},
                                 EngineKind engine = EngineKind::kFifo) {
  auto d = ParseText(kSwitch, "small", 0, sets, events);
  EXPECT_TRUE(d.ok()) << d.status();
  auto s = Simulator::Create(*d, engine);
  EXPECT_TRUE(s.ok()) << s.status();
  return *std::move(s);
}

TEST(Circuits, AMessageSetsItsCircuitAndTheNextFindsIt) {
  for (EngineKind engine : {EngineKind::kFifo, EngineKind::kFluid}) {
    auto s = Small({}, {}, engine);
    s->Send(0, 1, kBytes, 0);
    s->Send(0, 1, kBytes, 0);
    Equation("on demand: R + L + 2 b/C", kChange + kLatency + 2 * kPassing, Delivered(Drain(*s)));
    const Time begun = s->now();
    s->Send(0, 1, kBytes, 0);
    Equation("the circuit is there: L + b/C", begun + kLatency + kPassing, Delivered(Drain(*s)));
  }
}

TEST(Circuits, FirstComeFirstServedAtThePortWhereTheyEnd) {
  auto s = Small();
  s->Send(0, 2, kBytes, 0);
  s->Send(1, 2, kBytes, 1);
  s->Send(0, 3, kBytes, 2);
  std::vector<Time> at(3);
  for (const Event& e : Drain(*s)) {
    if (e.kind == EventKind::kDelivered) at[e.user] = e.time;
  }
  Equation("0 > 2: R + L + b/C", kChange + kLatency + kPassing, at[0]);
  Equation("1 > 2 waits for the port: 2 (R + b/C) + L", 2 * (kChange + kPassing) + kLatency, at[1]);
  Equation("0 > 3 is not held up by 1 > 2", 2 * (kChange + kPassing) + kLatency, at[2]);
}

TEST(Circuits, ChangesOverlapWithTrafficOnOtherPorts) {
  auto s = Small();
  s->Send(0, 1, 10 * kBytes, 0);
  for (int k = 0; k < 3; ++k) s->Send(2, 3 + k % 2, kBytes, 0);
  const auto events = Drain(*s);
  Equation("undisturbed: R + L + 10 b/C", kChange + kLatency + 10 * kPassing, Delivered(events, 1));
  Equation("meanwhile three changes and messages", 3 * (kChange + kPassing) + kLatency, Delivered(events, 3));
}

TEST(Circuits, AllToAllOfShiftsPaysForEach) {
  const int n = 6;
  auto s = Small();
  for (int k = 1; k < n; ++k) {
    for (int i = 0; i < n; ++i) s->Send(i, (i + k) % n, kBytes, 0);
  }
  Equation("direct all-to-all: (n - 1) (R + b/C) + L", (n - 1) * (kChange + kPassing) + kLatency, Delivered(Drain(*s)));
}

TEST(Circuits, Scheduled) {
  auto s = Small({"ocs.circuits=scheduled"},
                 {"at=0s,circuits=shift 1", "at=15us,circuits=0>2 1>0", "at=100us,tier=ocs,circuits=shift 1"});
  s->Send(0, 2, kBytes, 0);  // lets the other pass
  s->Send(0, 1, kBytes, 1);
  s->Send(3, 4, kBytes, 2);
  s->Send(1, 2, kBytes, 3);
  std::vector<Time> at(4);
  for (const Event& e : Drain(*s)) {
    if (e.kind == EventKind::kDelivered) at[e.user] = e.time;
  }
  Equation("0 > 1 at once: R + b/C + L", kChange + kPassing + kLatency, at[1]);
  Equation("0 > 2: what leaves leaves whole, then R + b/C + L", 2 * (kChange + kPassing) + kLatency, at[0]);
  Equation("3 > 4: its ports do not change", kChange + kPassing + kLatency, at[2]);
  Equation("1 > 2 was leaving when 1 > 0 was asked for", kChange + kPassing + kLatency, at[3]);
}

TEST(Circuits, WithoutACircuitForGoodTheWaitingIsNamed) {
  auto s = Small({"ocs.circuits=scheduled"}, {"at=0s,circuits=0>2"});
  s->Send(0, 1, kBytes, 0);
  EXPECT_EQ(Delivered(Drain(*s)), -1);
  EXPECT_THAT(s->Stalled(), HasSubstr("endpoint 0 waits for a circuit to endpoint 1 and has one to 2"));
}

TEST(Circuits, ReconfigureSaysWhenAllAreThere) {
  auto s = Small({"ocs.circuits=scheduled"});
  EXPECT_EQ(s->CircuitTier(), 0);
  s->Reconfigure({{0, 1}, {1, 0}, {2, 3}}, 7);
  auto events = Drain(*s);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].user, 7u);
  Equation("all change at once: R", kChange, events[0].time);
  s->Send(0, 1, kBytes, 0);
  s->Reconfigure({{0, 1}, {2, 4}}, 8);
  for (const Event& e : Drain(*s)) {
    if (e.user == 8) Equation("behind what leaves: b/C; 2 > 4 is there by then", kChange + kPassing, e.time);
  }
}

TEST(Circuits, TimesOfChangesAreDrawnFromTheSeed) {
  const std::vector<std::string> drawn = {"ocs.reconfiguration_draw=uniform", "ocs.reconfiguration_jitter=4 us"};
  std::vector<Time> times;
  for (int seed = 1; seed <= 50; ++seed) {
    auto sets = drawn;
    sets.push_back("noise.seed=" + std::to_string(seed));
    auto s = Small(sets);
    s->Send(0, 1, 0, 0);
    times.push_back(Delivered(Drain(*s)) - kLatency);
    EXPECT_GE(times.back(), kChange);
    EXPECT_LE(times.back(), kChange + 4'000'000);
  }
  EXPECT_GT(*std::max_element(times.begin(), times.end()) - *std::min_element(times.begin(), times.end()), 2'000'000);
}

TEST(Circuits, OverlapsAndNonsenseAreNamed) {
  const auto refusal = [](const std::string& circuits) {
    return Refusal(kSwitch, {"at=1us,circuits=" + circuits});
  };
  EXPECT_THAT(refusal("0>1 2>1"), HasSubstr("circuits 0>1 and 2>1 overlap: both end at endpoint 1"));
  EXPECT_THAT(refusal("0>1 0>2"), HasSubstr("circuits 0>1 and 0>2 overlap: both begin at endpoint 0"));
  EXPECT_THAT(refusal("0>6"), HasSubstr("circuit 0>6: there is no endpoint 6, only 0 to 5"));
  EXPECT_THAT(refusal("2>2"), HasSubstr("ends where it begins"));
  EXPECT_THAT(refusal("ring"), HasSubstr("is no circuit such as 0>1"));
  EXPECT_THAT(refusal("shift x"), HasSubstr("shift by a number"));
  EXPECT_EQ(refusal("0>1 1>0"), "");
  EXPECT_THAT(Refusal("preset = \"crossbar\"\n[[event]]\nat = \"1 us\"\ncircuits = \"shift 1\"\n"),
              HasSubstr("my.toml:2: crossbar has no tier of circuits"));
  EXPECT_THAT(Refusal(std::string(kSwitch) + "circuits = \"sometimes\"\n"),
              HasSubstr("\"sometimes\" is not a policy of circuits: demand or scheduled"));
}

}  // namespace
}  // namespace fabric
