#include "fabric/packet.h"

#include <map>
#include <random>

#include "absl/strings/str_cat.h"
#include "fabric/simulator.h"
#include "tests/fabric/bare_wires.h"
#include "tests/fabric/wires_alone.h"

namespace fabric {
namespace {

constexpr int64_t kGB = 1'000'000'000;  // a second
const Time kPacketTime = TransferTime(4096, 400 * kGB);

std::unique_ptr<Simulator> Make(const std::string& name, int endpoints, EngineKind engine,
                                std::vector<std::string> sets = {}) {
  auto d = Load(name, endpoints, sets);
  EXPECT_TRUE(d.ok()) << d.status();
  auto s = Simulator::Create(*d, engine);
  EXPECT_TRUE(s.ok()) << s.status();
  return *std::move(s);
}

std::vector<Event> Drain(Simulator& s) {
  std::vector<Event> events;
  while (s.Advance(events)) {
  }
  return events;
}

TEST(Packet, ASingleMessageByItsFormula) {
  for (int64_t bytes : {int64_t{0}, int64_t{1}, int64_t{4096}, int64_t{4096 * 250}}) {
    Time expected[2], measured[2];
    for (int stored = 0; stored < 2; ++stored) {
      auto s = Make("crossbar", 2, stored ? EngineKind::kPacket : EngineKind::kFifo);
      s->Send(0, 1, bytes, 0);
      const auto events = Drain(*s);
      ASSERT_EQ(events.size(), 2u);
      EXPECT_EQ(events[0].time, TransferTime(bytes, 400 * kGB));
      measured[stored] = events[1].time;
      expected[stored] = kMicrosecond + TransferTime(bytes, 400 * kGB) +
                         (stored ? TransferTime(std::min<int64_t>(bytes, 4096), 400 * kGB) : 0);
    }
    std::printf("%" PRId64 " bytes\n", bytes);
    CheckTime("cut-through (fifo):           L + b/C", expected[0], measured[0]);
    CheckTime("store-and-forward (packet):   L + b/C + p/C", expected[1], measured[1]);
  }
  const BareNetwork network(std::vector<int64_t>(4, 100 * kGB), 500);
  Description d;
  d.packet_bytes = 1000;
  const BareRun run(EngineKind::kPacket, network, d, {{0, 64'500, {0, 1, 2, 3}}});
  CheckTime("4 ports: 4 L + b/C + 3 p/C", 4 * 500 + 645'000 + 3 * 10'000, run.times()[0].delivered);
  EXPECT_EQ(run.times()[0].head, 4 * 500 + 3 * 10'000);
}

TEST(Packet, IncastIsWithinAPacketOfItsFormula) {
  for (int n : {2, 4, 8, 16}) {
    auto s = Make("crossbar", n + 1, EngineKind::kPacket);
    for (int i = 1; i <= n; ++i) s->Send(i, 0, 400'000, i);
    const auto events = Drain(*s);
    ASSERT_EQ(events.size(), static_cast<size_t>(2 * n));
    CheckTime("incast of n = L + n b/C + p/C", kMicrosecond + n * kMicrosecond + kPacketTime,
              events.back().time, kPacketTime);
    // By turns of a packet: all end together, but for a round of packets.
    for (const Event& e : events) {
      if (e.kind != EventKind::kDelivered) continue;
      EXPECT_GE(e.time, events.back().time - n * kPacketTime);
    }
  }
}

TEST(Packet, FullBuffersHoldBackWhoeverFillsThemAndNobodyElse) {
  // Sources 0 and 1 over ports 0 and 1 to port 2, which is a hundred times slower; source 0 also to
  // port 3.
  const BareNetwork network({100 * kGB, 100 * kGB, kGB, 100 * kGB}, 0);
  Description d;
  d.packet_bytes = 1000;
  d.buffer_bytes = 8000;
  const BareRun run(EngineKind::kPacket, network, d,
                    {{0, 1'000'000, {0, 2}}, {0, 1'000'000, {1, 2}}, {0, 1'000'000, {0, 3}}});
  const auto& t = run.times();
  CheckTime("both: 2 b/C of the slow port, and a packet", 2'000'000'000 + 10'000,
            std::max(t[0].delivered, t[1].delivered), 1'000'000);
  // Of the other, 8 packets fill the buffer and 5 more replace what leaves it in these 10 us.
  CheckTime("to the free port: (b + p)/C, and 13 packets of the other", 10'010'000 + 13 * 10'000,
            t[2].delivered);
  EXPECT_GE(t[0].sent, 1'900'000'000) << "the source has been held back";
  EXPECT_EQ(run.fullest(), 8000);
}

TEST(Packet, AMessageHeldToItsOwnRateSendsAPacketWhenItHasIt) {
  const BareNetwork network({100 * kGB, 100 * kGB}, 0);
  Description d;
  d.packet_bytes = 1000;
  d.buffer_bytes = 4000;
  const BareRun run(EngineKind::kPacket, network, d,
                    {{0, 1'000'000, {0, 1}}, {0, 500'000, {0}, 8'333'333'333}});
  CheckTime("at its own rate over 60 us: its last packet then passes", 60'010'000,
            run.times()[1].delivered, 10'000);
  EXPECT_LE(run.fullest(), 4000);
}

// Many to many over random paths of ports in ascending order: everything is delivered, and the run
// itself checks that no port carried more than its rate allows.
TEST(Packet, NothingIsLost) {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    std::mt19937 random(seed);
    std::vector<int64_t> rates(12);
    for (int64_t& rate : rates) rate = (1 + random() % 100) * kGB;
    std::vector<BareMessage> messages(60);
    for (BareMessage& m : messages) {
      m = {static_cast<Time>(random() % 5'000'000), static_cast<int64_t>(random() % 40'000), {}};
      for (uint32_t port = 0; port < 12; ++port) {
        if (random() % 3 == 0) m.ports.push_back(port);
      }
      if (m.ports.empty()) m.ports.push_back(static_cast<uint32_t>(random() % 12));
    }
    Description d;
    d.packet_bytes = 1 + random() % 3000;
    d.buffer_bytes = 1 + random() % 8000;
    const BareNetwork network(rates, 0);
    const BareRun run(EngineKind::kPacket, network, d, messages);
    ASSERT_LE(run.fullest(), std::max(d.packet_bytes, d.buffer_bytes));
    ASSERT_FALSE(HasFailure()) << seed;
  }
}

// Everybody to everybody at once with small buffers on every kind of tier: an engine that can
// deadlock would stop with messages on their way.
TEST(Packet, NoDeadlockOnAnyKindOfTier) {
  Description torus;
  torus.name = "torus";
  torus.endpoints = 16;
  torus.tiers = {{.name = "grid", .kind = TierKind::kTorus, .group_size = 16, .dimensions = {4, 4},
                  .link_bandwidth = 50e9, .switch_latency = 100'000}};
  Description mesh;
  mesh.name = "mesh";
  mesh.endpoints = 8;
  mesh.tiers = {{.name = "mesh", .kind = TierKind::kMesh, .group_size = 8, .port_bandwidth = 100e9,
                 .link_bandwidth = 50e9, .switch_latency = 100'000}};
  Description ring = torus;
  ring.tiers[0].dimensions = {16};
  std::vector<Description> systems = {torus, mesh, ring};
  for (const char* routing : {"spray", "hash", "modulo"}) {
    const std::vector<std::string> sets = {absl::StrCat("node.routing=", routing), "node.uplinks=4",
                                           "node.uplink_bandwidth=400 GB/s"};
    systems.push_back(WiresAlone(*Load("cloudmatrix384", 24, sets)));
  }
  for (Description& d : systems) {
    d.buffer_bytes = 1;
    auto s = Simulator::Create(d, EngineKind::kPacket);
    ASSERT_TRUE(s.ok()) << s.status();
    std::map<int, int64_t> expected, received;
    for (int i = 0; i < d.endpoints; ++i) {
      for (int j = 0; j < d.endpoints; ++j) {
        const int64_t bytes = 10'000 + 37 * i + j;
        (*s)->Send(i, j, bytes, j);
        expected[j] += bytes;
      }
    }
    for (const Event& e : Drain(**s)) {
      if (e.kind == EventKind::kDelivered) received[e.dst] += e.bytes;
    }
    EXPECT_EQ(expected, received) << d.name;
  }
}

}  // namespace
}  // namespace fabric
