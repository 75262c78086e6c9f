// Ports whose rates change while messages pass: closed formulas, and random timelines on which
// nothing may be lost, doubled or faster than its ports.
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/fabric/bare_wires.h"

namespace fabric {
namespace {

constexpr int64_t kGB = 1'000'000'000;
constexpr EngineKind kAll[] = {EngineKind::kFifo, EngineKind::kFluid, EngineKind::kPacket};

Description Chunks(int64_t chunk) {
  Description d;
  d.chunk_bytes = chunk;
  return d;
}

std::vector<Times> TimesOf(EngineKind kind, const BareNetwork& network,
                       const std::vector<BareMessage>& messages,
                       const std::vector<BareChange>& changes, int64_t chunk = 65536) {
  return BareRun(kind, network, Chunks(chunk), messages, changes).times();
}

TEST(Rates, ASlowerPortFromTheByteThatIsPassing) {
  // 1 MB at 100 GB/s; after 4 us, of its 10, the port has 25 GB/s.
  const BareNetwork network({100 * kGB}, 1000);
  for (EngineKind kind : kAll) {
    const auto t = TimesOf(kind, network, {{.bytes = 1'000'000, .ports = {0}}}, {{4'000'000, 0, 25 * kGB}});
    const std::string name(EngineName(kind));
    CheckTime((name + ": sent = T + (b - T C1) / C2").c_str(), 28'000'000, t[0].sent);
    CheckTime((name + ": delivered = L + T + (b - T C1) / C2").c_str(), 28'001'000, t[0].delivered);
  }
}

TEST(Rates, AFasterPortToo) {
  const BareNetwork network({100 * kGB}, 1000);
  for (EngineKind kind : kAll) {
    const auto t = TimesOf(kind, network, {{.start = 5, .bytes = 1'000'000, .ports = {0}}},
                       {{0, 0, 25 * kGB}, {8'000'005, 0, 100 * kGB}});
    const std::string name(EngineName(kind));
    CheckTime((name + ": T + (b - T C1) / C2, C1 < C2").c_str(), 16'001'005, t[0].delivered);
  }
}

TEST(Rates, ATransferWaitsForALinkThatIsDown) {
  const BareNetwork network({100 * kGB}, 1000);
  for (EngineKind kind : kAll) {
    const auto t = TimesOf(kind, network,
                       {{.bytes = 1'000'000, .ports = {0}},
                        {.start = 30'000'000, .bytes = 0, .ports = {0}},
                        {.start = 40'000'000, .bytes = 100'000, .ports = {0}}},
                       {{4'000'000, 0, 0}, {24'000'000, 0, 100 * kGB}, {35'000'000, 0, 0},
                        {50'000'000, 0, 50 * kGB}});
    const std::string name(EngineName(kind));
    CheckTime((name + ": down for D in the middle: L + b/C + D").c_str(), 30'001'000,
              t[0].delivered);
    CheckTime((name + ": down before it begins: up + L + b/C").c_str(), 52'001'000,
              t[2].delivered);
    CheckTime((name + ": its head").c_str(), 50'001'000, t[2].head);
  }
}

TEST(Rates, AMessageOfNoBytesDoesNotPassAPortThatIsDown) {
  const BareNetwork network({100 * kGB, 100 * kGB}, 1000);
  for (EngineKind kind : kAll) {
    const auto t = TimesOf(kind, network, {{.start = 10, .bytes = 0, .ports = {0, 1}}},
                       {{5, 1, 0}, {70'000, 1, 100 * kGB}});
    const Time latency = kind == EngineKind::kFluid ? 2000 : 1000;
    CheckTime((std::string(EngineName(kind)) + ": no bytes: when the port is up + what follows").c_str(),
              70'000 + latency, t[0].delivered, 1);
  }
}

TEST(Rates, WhatWasPromisedFurtherOnIsTakenBack) {
  // 1 MB over ports of 100 and 10 GB/s; the second has 100 GB/s from 20 us on.
  const BareNetwork network({100 * kGB, 100 * kGB}, 1000);
  const std::vector<BareMessage> one = {{.bytes = 1'000'000, .ports = {0, 1}}};
  const auto t = TimesOf(EngineKind::kFifo, network, one, {{0, 1, 10 * kGB}, {20'001'000, 1, 100 * kGB}});
  CheckTime("head at L/2: L/2 + T + (b - T C1)/C2, all of it has come", 28'002'000, t[0].delivered);
  // The first port stops after 5 us, until 45: the second has 5 us of bytes at most.
  const auto stop = TimesOf(EngineKind::kFifo, network, one, {{5'000'000, 0, 0}, {45'000'000, 0, 100 * kGB}});
  CheckTime("down for D at the first of two: L + b/C + D", 50'002'000, stop[0].delivered);
  // Meanwhile the second port is somebody else's, whole.
  auto two = one;
  two.push_back({.start = 6'000'000, .bytes = 2'000'000, .ports = {1}});
  const auto other = TimesOf(EngineKind::kFifo, network, two, {{5'000'000, 0, 0}, {45'000'000, 0, 100 * kGB}});
  CheckTime("who uses the second port meanwhile: start + L/2 + b/C", 26'001'000, other[1].delivered);
  CheckTime("and the stopped one afterwards", 50'002'000, other[0].delivered);
}

TEST(Rates, SlowStreamsSideBySideThatMeetASlowerPort) {
  // Two streams of 40 GB/s fit into 100; from 10 us on, into 20, they do not.
  const BareNetwork network({100 * kGB, 100 * kGB, 100 * kGB}, 0);
  const int64_t b = 1'000'000;
  const std::vector<BareMessage> messages = {
      {.bytes = b, .ports = {0, 2}, .rate = 40 * kGB},
      {.bytes = b, .ports = {1, 2}, .rate = 40 * kGB},
  };
  for (EngineKind kind : kAll) {
    const auto t = TimesOf(kind, network, messages, {{10'000'000, 2, 20 * kGB}}, 4096);
    const std::string name(EngineName(kind));
    // By then 800 kB have passed; 1.2 MB at 20 GB/s are 60 us.
    CheckTime((name + ": T + (2 b - T 2 r) / C2, the last").c_str(), 70'000'000,
              std::max(t[0].delivered, t[1].delivered), kind == EngineKind::kPacket ? 1'000'000 : 1000);
    CheckTime((name + ": and the first, by turns, hardly earlier").c_str(), 70'000'000,
              std::min(t[0].delivered, t[1].delivered), 1'000'000);
  }
}

TEST(Rates, ContentionGoesOnAtTheNewRate) {
  // Incast of four at 100 GB/s, which falls to 50 after 10 us and is down from 20 to 40.
  const BareNetwork network({100 * kGB, 100 * kGB, 100 * kGB, 100 * kGB, 100 * kGB}, 500);
  std::vector<BareMessage> messages;
  for (uint32_t i = 0; i < 4; ++i) messages.push_back({.bytes = 500'000, .ports = {i, 4}});
  for (EngineKind kind : kAll) {
    const auto t = TimesOf(kind, network, messages,
                       {{10'000'500, 4, 50 * kGB}, {20'000'500, 4, 0}, {40'000'500, 4, 50 * kGB}}, 4096);
    Time last = 0, first = kLongest;
    for (const Times& times : t) last = std::max(last, times.delivered), first = std::min(first, times.delivered);
    const std::string name(EngineName(kind));
    // 1 MB, then 0.5 MB, a pause of 20 us, and 0.5 MB at 50 GB/s.
    CheckTime((name + ": the last of an incast across two changes").c_str(), 50'001'000, last,
              kind == EngineKind::kFifo ? 0 : 100'000);
    CheckTime((name + ": the first hardly earlier").c_str(), 50'001'000, first, 1'000'000);
  }
}

struct Random {
  std::vector<int64_t> rates;
  std::vector<BareMessage> messages;
  std::vector<BareChange> changes;
};

// Paths climb through the ports by number, as in a machine with tiers; at the end all ports are up.
Random MakeRandom(uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  Random r;
  const uint32_t ports = 2 + below(8);
  for (uint32_t p = 0; p < ports; ++p) r.rates.push_back((1 + below(40)) * 5 * kGB);
  const uint32_t messages = 1 + below(24);
  for (uint32_t i = 0; i < messages; ++i) {
    BareMessage m;
    m.start = static_cast<Time>(below(20)) * 1'000'000;
    m.bytes = below(8) == 0 ? 0 : 1 + below(400'000);
    for (uint32_t p = below(ports); p < ports; p += 1 + below(4)) m.ports.push_back(p);
    if (below(3) == 0) m.rate = (1 + below(10)) * 5 * kGB;
    r.messages.push_back(m);
  }
  const uint32_t changes = 1 + below(30);
  for (uint32_t i = 0; i < changes; ++i) {
    const uint32_t port = below(ports);
    const int64_t rate = below(3) == 0 ? 0 : r.rates[port] * (1 + below(8)) / 8;
    r.changes.push_back({static_cast<Time>(below(60)) * 333'333, port, rate});
  }
  for (uint32_t p = 0; p < ports; ++p) r.changes.push_back({25'000'000, p, r.rates[p]});
  return r;
}

// BareRun checks that all arrives once, in order, and never faster than its ports at their times.
TEST(Rates, RandomTimelinesConserveBytes) {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    const Random r = MakeRandom(seed);
    const BareNetwork network(r.rates, 700);
    for (EngineKind kind : kAll) {
      SCOPED_TRACE(std::string(EngineName(kind)) + " seed " + std::to_string(seed));
      const auto times = TimesOf(kind, network, r.messages, r.changes, 4096);
      for (const Times& t : times) EXPECT_GE(t.delivered, 0);
      if (testing::Test::HasFailure()) return;
    }
  }
}

// Over one port and no slower than it, so that no engine holds back or buffers where another does
// not. Turns are 4 KiB, as packets are.
TEST(Rates, EnginesAgreeOnRandomTimelines) {
  double worst[3] = {};
  for (uint32_t seed = 0; seed < 200; ++seed) {
    Random r = MakeRandom(seed);
    for (BareMessage& m : r.messages) m.ports.resize(1), m.bytes += 100'000, m.rate = 0;
    const BareNetwork network(r.rates, 700);
    double last[3] = {};
    for (int k = 0; k < 3; ++k) {
      for (const Times& t : TimesOf(kAll[k], network, r.messages, r.changes, 4096)) {
        last[k] = std::max(last[k], static_cast<double>(t.delivered));
      }
      worst[k] = std::max(worst[k], std::abs(last[0] / last[k] - 1));
    }
  }
  std::printf("  last delivery on 200 random timelines: fifo within %.3f %% of fluid, %.3f %% of "
              "packet\n", 100 * worst[1], 100 * worst[2]);
  EXPECT_LT(worst[1], 0.001);
  EXPECT_LT(worst[2], 0.001);
}

}  // namespace
}  // namespace fabric
