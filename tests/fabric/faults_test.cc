// The timeline: faults and their repair.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fabric/play.h"

namespace fabric {
namespace {

using testing::HasSubstr;

constexpr EngineKind kAll[] = {EngineKind::kFifo, EngineKind::kFluid, EngineKind::kPacket};

// The crossbar: 400 GB/s, 1 us.
TEST(Faults, APortGoesDownAndComesBack) {
  for (EngineKind engine : kAll) {
    auto s = Play("crossbar", 4, {}, {"at=2us,until=7us,endpoint=0,down"}, engine);
    s->Send(0, 1, 4'000'000, 0);  // 10 us
    s->Send(2, 3, 4'000'000, 0);
    const auto events = Drain(*s);
    const Time packet = engine == EngineKind::kPacket ? 4096 * 1000 / 400 : 0;
    Equation("L + b/C + the time it is down", 16'000'000 + packet, Delivered(events, 1));
    Equation("others: L + b/C", 11'000'000 + packet, Delivered(events, 3));
    EXPECT_EQ(s->Stalled(), "");
  }
}

TEST(Faults, ReceivePortsToo) {
  auto s = Play("crossbar", 4, {}, {"at=2us,until=7us,endpoint=1,tier=switch,down"});
  s->Send(0, 1, 4'000'000, 0);
  Equation("down behind the switch: L + b/C + D, of what comes in 1 us later", 16'000'000, Delivered(Drain(*s), 1));
}

TEST(Faults, EventsOnOnePortAddUp) {
  // 400 GB/s; from 1 us half, from 3 us half of that, from 5 us at most 50 GB/s.
  auto s = Play("crossbar", 2, {}, {"at=1us,endpoint=0,factor=0.5", "at=3us,until=9us,endpoint=0,factor=0.5",
                                    "at=5us,until=9us,endpoint=0,rate=50GB/s"});
  s->Send(0, 1, 2'000'000, 0);
  // 400 + 400 + 200 + 200 kB until 9 us, 800 kB at 200 GB/s.
  Equation("sum of rates times times", 14'000'000, Delivered(Drain(*s)));
}

TEST(Faults, AFlapComesAgainAndAgain) {
  auto s = Play("crossbar", 2, {}, {"at=1us,until=2us,every=4us,endpoint=0,down"});
  s->Send(0, 1, 4'000'000, 0);  // 10 us of 3 in 4
  Equation("10 us at 3/4 duty, 3 flaps and a start of 1 us", 14'000'000, Delivered(Drain(*s)));
}

const char* const kTwoNodes = R"(
name = "two"
endpoints = 8
[[tier]]
name = "node"
group_size = 4
port_bandwidth = "100 GB/s"
switch_latency = "100 ns"
uplink_bandwidth = "400 GB/s"
uplinks = 4
[[tier]]
name = "hall"
switch_latency = "100 ns"
)";

std::unique_ptr<Simulator> Two(const std::string& more, std::vector<std::string> events) {
  auto d = ParseText(kTwoNodes + more, "two", 0, {}, events);
  EXPECT_TRUE(d.ok()) << d.status();
  auto s = Simulator::Create(*d, EngineKind::kFluid);  // exact where streams share a port
  EXPECT_TRUE(s.ok()) << s.status();
  return *std::move(s);
}

TEST(Faults, ASprayedGroupLosesTheShareOfALane) {
  for (int lost = 0; lost <= 4; ++lost) {
    std::vector<std::string> events;
    for (int i = 0; i < lost; ++i) {
      events.push_back("at=0s,until=1ms,tier=node,group=0,down,uplink=" + std::to_string(i));
    }
    auto s = Two("", events);
    for (int i = 0; i < 4; ++i) s->Send(i, 4 + i, 3'000'000, 0);
    // 12 MB over 400 GB/s less 100 for each lane.
    const Time passing = lost == 4 ? 1'000'000'000 + 30'000'000 : 120'000'000 / (4 - lost);
    Equation("3 hops + 4 b / (C (4 - " + std::to_string(lost) + ") / 4)", 300'000 + passing, Delivered(Drain(*s)));
  }
}

TEST(Faults, RatesOfLanesAndOfTheWhole) {
  auto s = Two("", {"at=0s,tier=node,group=all,uplink=2,rate=20GB/s", "at=0s,tier=node,group=1,factor=0.5"});
  for (int i = 0; i < 4; ++i) s->Send(i, 4 + i, 4'000'000, 0);
  // Out of group 0: 3 lanes of 100 GB/s and one of 20. Into group 1: 3 of 50 and one of 20.
  Equation("3 hops + 4 b / (3 C/2 + min(C/2, 20 GB/s))", 300'000 + TransferTime(16'000'000, 170'000'000'000),
           Delivered(Drain(*s)));
}

TEST(Faults, HashedUplinksAvoidWhatIsDown) {
  // Every message between the nodes is 1 MB over a link of 100 GB/s.
  const std::vector<std::string> events = {"at=0s,tier=node,group=0,uplink=1,down",
                                           "at=0s,tier=node,group=1,uplink=2,down"};
  auto d = ParseText(kTwoNodes, "two", 0, {std::string("node.routing=hash")}, events);
  ASSERT_TRUE(d.ok()) << d.status();
  auto s = Simulator::Create(*d);
  ASSERT_TRUE(s.ok()) << s.status();
  for (int i = 0; i < 4; ++i) {
    for (int j = 4; j < 8; ++j) (*s)->Send(i, j, 1'000'000, 0);
  }
  const auto all = Drain(**s);
  EXPECT_EQ(all.size(), 32u);
  EXPECT_EQ((*s)->Stalled(), "");
  // 16 MB over the two uplinks that are up on both sides.
  EXPECT_GE(Delivered(all), 300'000 + 80'000'000);
}

TEST(Faults, NobodyWaitsForEverInSilence) {
  auto s = Play("crossbar", 4, {}, {"at=2us,endpoint=1,down"});
  s->Send(0, 1, 4'000'000, 0);
  s->Send(2, 3, 4'000'000, 0);
  EXPECT_EQ(Delivered(Drain(*s)), 11'000'000);
  EXPECT_THAT(s->Stalled(), HasSubstr("endpoint 1 receive switch is down since 2 us"));
  EXPECT_THAT(s->Stalled(), HasSubstr("4000000 bytes from endpoint 0 to endpoint 1"));
  // Flaps elsewhere are no hope.
  auto t = Play("crossbar", 4, {}, {"at=2us,endpoint=1,down", "at=1us,until=2us,every=4us,endpoint=3,down"});
  t->Send(0, 1, 4'000'000, 0);
  EXPECT_EQ(Delivered(Drain(*t)), -1);
  EXPECT_THAT(t->Stalled(), HasSubstr("endpoint 1 receive switch is down since 2 us"));
  EXPECT_LT(t->now(), 100 * kMicrosecond);
}

TEST(Faults, ADeadEndpointSaysNothingMore) {
  auto s = Play("crossbar", 4, {"reduce_bandwidth=100 GB/s"}, {"at=3us,endpoint=2,dead"});
  s->Send(2, 3, 4'000'000, 1);
  s->Send(0, 2, 4'000'000, 2);
  s->Send(0, 1, 4'000, 3);
  s->Reduce(2, 1'000'000, 4);
  s->After(20 * kMicrosecond, 5, 2);
  for (const Event& e : Drain(*s)) EXPECT_TRUE(e.user == 3 || (e.user == 2 && e.kind == EventKind::kSent)) << e.user;
  EXPECT_THAT(s->Stalled(), HasSubstr("endpoint 2 is dead since 3 us (event \"at=3us,endpoint=2,dead\")"));
  s->Send(2, 0, 0, 6);  // begins after its death
  EXPECT_TRUE(Drain(*s).empty());
}

TEST(Faults, ASlowEndpoint) {
  auto s = Play("crossbar", 4, {"send_overhead=1 us", "recv_overhead=2 us", "reduce_bandwidth=100 GB/s"},
                {"at=0s,until=50us,endpoint=0,slow=3"});
  s->Send(0, 1, 400'000, 0);
  Equation("3 o_s + L + b/C + o_r", 3'000'000 + 1'000'000 + 1'000'000 + 2'000'000, Delivered(Drain(*s)));
  s->Send(1, 0, 400'000, 0);
  Equation("o_s + L + b/C + 3 o_r", 7'000'000 + 1'000'000 + 2'000'000 + 6'000'000, Delivered(Drain(*s)));
  s->Reduce(0, 1'000'000, 0);
  Equation("3 b/R", 16'000'000 + 30'000'000, Drain(*s).back().time);
  s->After(2'000'000, 0, 0);
  Equation("3 times its computing", 46'000'000 + 6'000'000, Drain(*s).back().time);
  s->Send(0, 1, 400'000, 0);
  Equation("and healthy again", 52'000'000 + 5'000'000, Delivered(Drain(*s)));
}

TEST(Faults, LinksOfMeshTorusAndGraph) {
  auto mesh = Play("fully-connected", 4, {}, {"at=0s,from=0,to=1,down,until=1ms"});
  mesh->Send(0, 1, 1000, 0);
  mesh->Send(1, 0, 1000, 0);
  mesh->Send(0, 2, 1000, 0);
  const auto events = Drain(*mesh);
  EXPECT_GT(Delivered(events, 1), kSecond / 1000);
  EXPECT_GT(Delivered(events, 0), kSecond / 1000);
  EXPECT_LT(Delivered(events, 2), kSecond / 1000);
  auto torus = Play("torus", 0, {"torus.dimensions=4x4"}, {"at=0s,from=0,to=12,down,until=1ms"});
  torus->Send(0, 12, 1000, 0);  // downwards round the second dimension
  torus->Send(12, 0, 1000, 0);
  torus->Send(0, 4, 1000, 0);
  const auto round = Drain(*torus);
  EXPECT_GT(Delivered(round, 12), kSecond / 1000);
  EXPECT_GT(Delivered(round, 0), kSecond / 1000);
  EXPECT_LT(Delivered(round, 4), kSecond / 1000);
  const std::string graph = R"(
endpoints = 2
[[switch]]
name = "a"
[[link]]
from = 0
to = "a"
bandwidth = "100 GB/s"
[[link]]
from = "a"
to = 1
bandwidth = "100 GB/s"
)";
  auto d = ParseText(graph + "[[event]]\nat = \"1 us\"\nfrom = \"a\"\nto = 1\nfactor = 0.5\n", "g");
  ASSERT_TRUE(d.ok()) << d.status();
  auto s = Simulator::Create(*d);
  ASSERT_TRUE(s.ok()) << s.status();
  (*s)->Send(0, 1, 200'000, 0);
  Equation("graph: T + (b - T C) / (C/2)", 3'000'000, Delivered(Drain(**s)));
  EXPECT_THAT(Refusal(graph + "[[event]]\nat = \"1 us\"\nfrom = \"b\"\nto = 1\ndown = true\n"),
              HasSubstr("my.toml:13: from: there is no endpoint and no switch \"b\""));
}

TEST(Faults, WhatIsWrongWithAnEventIsSaidWithItsLine) {
  const auto refusal = [](const std::string& event) { return Refusal(kTwoNodes + ("[[event]]\n" + event)); };
  // The table begins on line 14.
  EXPECT_EQ(refusal("at = \"1 us\"\nendpoint = 8\ndown = true\n"),
            "my.toml:14: there is no endpoint 8, only 0 to 7");
  EXPECT_EQ(refusal("at = \"1 us\"\ntier = \"node\"\ngroup = 2\ndown = true\n"),
            "my.toml:14: there is no group 2 of tier node, only 0 to 1");
  EXPECT_EQ(refusal("at = \"1 us\"\ntier = \"node\"\ngroup = 1\nuplink = 4\ndown = true\n"),
            "my.toml:14: there is no uplink 4 of a group of tier node, only 0 to 3");
  EXPECT_EQ(refusal("at = \"1 us\"\ntier = \"hall\"\ngroup = 0\ndown = true\n"),
            "my.toml:14: tier hall has no uplinks of a rate");
  EXPECT_EQ(refusal("at = \"1 us\"\ntier = \"nod\"\nendpoint = 0\ndown = true\n"),
            "my.toml:14: there is no tier \"nod\"; did you mean \"node\"?");
  EXPECT_EQ(refusal("at = \"1 us\"\ntier = \"hall\"\nendpoint = 0\ndown = true\n"),
            "my.toml:14: endpoints have no ports of their own to tier hall; they enter it through node");
  EXPECT_EQ(refusal("at = \"1 us\"\nfrom = 0\nto = 1\ndown = true\n"),
            "my.toml:14: tier node has no links between endpoints");
  EXPECT_EQ(refusal("at = \"1 us\"\nendpoint = 0\n"),
            "my.toml:14: an event has one effect: down, rate, factor, slow, dead or circuits");
  EXPECT_EQ(refusal("at = \"1 us\"\nendpoint = 0\ndown = true\nfactor = 0.5\n"),
            "my.toml:14: an event has one effect: down, rate, factor, slow, dead or circuits");
  EXPECT_EQ(refusal("at = \"1 us\"\ndown = true\n"),
            "my.toml:14: an event has one target: endpoint, group or from and to");
  EXPECT_EQ(refusal("endpoint = 0\ndown = true\n"), "my.toml:14: an event needs a time: at = \"20 us\"");
  EXPECT_EQ(refusal("at = \"2 us\"\nuntil = \"1 us\"\nendpoint = 0\ndown = true\n"),
            "my.toml:14: ends (until) before it begins (at)");
  EXPECT_EQ(refusal("at = \"1 us\"\nuntil = \"4 us\"\nevery = \"2 us\"\nendpoint = 0\ndown = true\n"),
            "my.toml:14: begins again (every) before it has ended (until)");
  EXPECT_EQ(refusal("at = \"1 us\"\nendpoint = 0\nrate = \"101 GB/s\"\n"),
            "my.toml:14: a rate of 101 GB/s is above that of endpoint 0 send node, 100 GB/s");
  EXPECT_THAT(refusal("at = \"-1 us\"\nendpoint = 0\ndown = true\n"), HasSubstr("my.toml:15: at: \"-1 us\" is out"));
  EXPECT_THAT(refusal("at = 5\nendpoint = 0\ndown = true\n"), HasSubstr("my.toml:15: at: \"5\" has no unit"));
  EXPECT_THAT(refusal("at = \"1 us\"\nendpiont = 0\ndown = true\n"),
              HasSubstr("my.toml:16: unknown key \"endpiont\" of an event; did you mean \"endpoint\"?"));
  EXPECT_THAT(refusal("at = \"1 us\"\nendpoint = 0\ndead = true\nuntil = \"3 us\"\n"), HasSubstr("stays dead"));
  EXPECT_THAT(Refusal(kTwoNodes, {"at=1us,endpoint=9,down"}),
              HasSubstr("event \"at=1us,endpoint=9,down\": there is no endpoint 9"));
  EXPECT_EQ(Refusal(kTwoNodes, {"at=1us,endpoint=7,down", "at=1us,endpoint=all,factor=0.5"}), "");
}

TEST(Faults, TimesDoNotDependOnATimelineThatIsElsewhere) {
  auto quiet = Play("cloudmatrix384", 0, {}), busy = Play("cloudmatrix384", 0, {}, {"at=1s,endpoint=0,down"});
  for (Simulator* s : {quiet.get(), busy.get()}) {
    for (int i = 0; i < 384; ++i) {
      for (int k = 1; k < 6; ++k) s->Send(i, (i + k * 37) % 384, 1'000'000, 0);
    }
  }
  EXPECT_EQ(Drain(*quiet), Drain(*busy));
}

}  // namespace
}  // namespace fabric
