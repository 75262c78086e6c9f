#include "fabric/simulator.h"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fabric/description.h"
#include "fabric/units.h"
#include "gtest/gtest.h"
#include "tests/fabric/wires_alone.h"

namespace fabric {
namespace {

std::unique_ptr<Simulator> Make(const std::string& name, int endpoints = 0, std::vector<std::string> sets = {}) {
  auto description = Load(name, endpoints, sets);
  EXPECT_TRUE(description.ok()) << description.status();
  auto simulator = Simulator::Create(WiresAlone(*std::move(description)));
  EXPECT_TRUE(simulator.ok()) << simulator.status();
  return *std::move(simulator);
}

std::vector<Event> Drain(std::unique_ptr<Simulator>& owner) {
  Simulator& simulator = *owner;
  std::vector<Event> events;
  while (simulator.Advance(events)) {
  }
  return events;
}

Time LastDelivery(const std::vector<Event>& events) {
  Time last = -1;
  for (const Event& event : events) {
    if (event.kind == EventKind::kDelivered) last = std::max(last, event.time);
  }
  return last;
}

void Check(const char* equation, Time expected, Time measured) {
  std::printf("  %-58s expected %12" PRId64 " ps  measured %12" PRId64 " ps\n", equation, expected,
              measured);
  EXPECT_EQ(expected, measured) << equation;
}

uint64_t Digest(const std::vector<Event>& events) {
  uint64_t digest = 14695981039346656037u;
  const auto mix = [&](uint64_t value) {
    for (int i = 0; i < 8; ++i) digest = (digest ^ (value >> 8 * i & 255)) * 1099511628211u;
  };
  for (const Event& e : events) {
    mix(e.time), mix(static_cast<uint64_t>(e.kind)), mix(e.src), mix(e.dst), mix(e.bytes);
    mix(e.user);
  }
  return digest;
}

TEST(Simulator, SingleMessage) {
  auto s = Make("crossbar", 4);
  s->Send(0, 1, 1'000'000, 7);
  const auto events = Drain(s);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, EventKind::kSent);
  Check("sent = b/B, 1 MB at 400 GB/s", 2'500'000, events[0].time);
  Check("delivered = L + b/B, 1 us + 1 MB / 400 GB/s", 3'500'000, events[1].time);
  EXPECT_EQ(events[1], (Event{3'500'000, EventKind::kDelivered, 0, 1, 1'000'000, 7}));
  std::vector<Event> none;
  EXPECT_FALSE(s->Advance(none));
}

TEST(Simulator, RoundsUpToAPicosecondAndHoldsLargeSizes) {
  auto s = Make("crossbar", 2, {"port_bandwidth=300 GB/s", "latency=0 ns"});
  s->Send(0, 1, 1, 0);
  Check("ceil(1 B / 300 GB/s) = ceil(3.33 ps)", 4, LastDelivery(Drain(s)));
  auto large = Make("crossbar", 2, {"port_bandwidth=300 GB/s", "latency=0 ns"});
  large->Send(0, 1, int64_t{1} << 40, 0);
  Check("ceil(2^40 B / 300 GB/s)", 3'665'038'759'254, LastDelivery(Drain(large)));
  auto empty = Make("crossbar", 2);
  empty->Send(0, 1, 0, 0);
  Check("L, no bytes", kMicrosecond, LastDelivery(Drain(empty)));
}

TEST(Simulator, RingStepOfAllRanksCostsOneMessage) {
  const int n = 384;
  auto s = Make("crossbar", n);
  for (int i = 0; i < n; ++i) s->Send(i, (i + 1) % n, 4'000'000, i);
  Check("ring step = L + b/B, 384 ranks, 4 MB", 11'000'000, LastDelivery(Drain(s)));
  // Seven of eight hops stay in the node; the slowest is the one between nodes.
  auto c = Make("cloudmatrix384");
  for (int i = 0; i < n; ++i) c->Send(i, (i + 1) % n, 3'920'000, i);
  Check("ring step = L_inter + b/B, cloudmatrix384, 3.92 MB", 10'800'000, LastDelivery(Drain(c)));
}

TEST(Simulator, IncastIsSharedByTurns) {
  const int n = 8;
  auto s = Make("crossbar", n + 1);
  for (int i = 1; i <= n; ++i) s->Send(i, 0, 400'000, i);
  const auto events = Drain(s);
  Check("last of an incast of n = L + n b/B", 9'000'000, LastDelivery(events));
  // Turns are chunks of 65536 bytes: nobody ends earlier than a round before the end.
  const Time round = n * TransferTime(65536, 400'000'000'000);
  for (const Event& e : events) {
    if (e.kind != EventKind::kDelivered) continue;
    EXPECT_GE(e.time, 9'000'000 - round) << e.src;
  }
}

TEST(Simulator, AShortMessageWaitsForAChunkNotForALongMessage) {
  auto s = Make("crossbar", 3);
  s->Send(1, 0, 400'000'000, 1);  // 1 ms
  s->After(100'000'000, 9);
  std::vector<Event> events;
  ASSERT_TRUE(s->Advance(events));
  s->Send(2, 0, 4000, 2);
  events = Drain(s);
  Time small = 0;
  for (const Event& e : events) {
    if (e.kind == EventKind::kDelivered && e.src == 2) small = e.time;
  }
  // A chunk of a message this large is a 64th of it.
  EXPECT_LE(small, 100'000'000 + 1'000'000 + 10'000 + TransferTime(400'000'000 / 64, 400'000'000'000));
  Check("the long one: L + (b + b')/B", 1'001'010'000, LastDelivery(events));
}

TEST(Simulator, ACombinationGoesUpAndDownOnceWhateverItsSourcesAndTargets) {
  auto s = Make("crossbar", 4, {"switch.group_efficiency=0.5"});
  const std::vector<int> all = {0, 1, 2, 3};
  ASSERT_EQ(s->GroupTier(all), 0);
  // 400 kB take 800 kB of the wire.
  s->Group(0, all, all, 400'000, 1);
  Check("L + b/eB, everybody to everybody", 3'000'000, LastDelivery(Drain(s)));
  const Time second = s->now();
  s->Group(0, {2}, {0, 1, 3}, 400'000, 2);
  Check("L + b/eB, one to the others", second + 3'000'000, LastDelivery(Drain(s)));
  s->Group(0, {1}, {}, 400'000, 3);
  const auto alone = Drain(s);
  ASSERT_EQ(alone.size(), 1u);
  EXPECT_EQ(alone[0].kind, EventKind::kSent);
  EXPECT_EQ(alone[0].src, 1);
  EXPECT_EQ(Make("crossbar", 4)->GroupTier(all), -1);
}

TEST(Simulator, TheLeastEfficientTierOnTheWaySetsAGroupOperationsPace) {
  // 392 kB at a quarter of 392 GB/s, turning at the outer tier: both directions pass the inner one.
  auto s = Make("cloudmatrix384", 0, {"node.group_efficiency=0.25", "supernode.group_efficiency=1"});
  const std::vector<int> across = {0, 8};
  ASSERT_EQ(s->GroupTier(across), 1);
  s->Group(1, across, across, 392'000, 0);
  Check("L_inter + b/eB, e the least of the tiers", 800'000 + 4'000'000, LastDelivery(Drain(s)));
  EXPECT_EQ(Make("cloudmatrix384", 0, {"supernode.group_efficiency=1"})->GroupTier(across), -1);
}

TEST(Simulator, TimeThatDoesNotFitIsNoticed) {
  for (EngineKind engine : {EngineKind::kFifo, EngineKind::kFluid, EngineKind::kPacket}) {
    auto d = Load("crossbar", 3, std::vector<std::string>{"port_bandwidth=1 B/s", "packet=1 GiB"});
    ASSERT_TRUE(d.ok()) << d.status();
    auto s = *Simulator::Create(*d, engine);
    s->Send(0, 1, int64_t{1} << 30, 0);
    s->Send(2, 1, int64_t{1} << 50, 0);
    std::vector<Event> events;
    while (s->Advance(events)) {
    }
    EXPECT_TRUE(s->out_of_time()) << EngineName(engine);
    for (const Event& e : events) EXPECT_LT(e.time, kLongest);
  }
}

TEST(Units, TransferTimesAreRoundedUpAndBounded) {
  EXPECT_EQ(TransferTime(1, 3'000'000'000'000), 1);
  EXPECT_EQ(TransferTime(1'000'000, 1), 1'000'000 * kSecond);
  EXPECT_EQ(TransferTime(1'152'922, 1), kLongest);
  EXPECT_EQ(TransferTime(9'000'000, 1), kLongest);
  EXPECT_EQ(TransferTime(int64_t{1} << 50, 1), kLongest);
}

TEST(Queue, EntriesOfOneInstantHaveOneOrder) {
  Queue queue;
  for (uint32_t record : {3u, 1u, 2u, 0u}) queue.Push({5, 7, record, 20});
  queue.Push({5, 7, 9, 17});
  std::vector<Entry> batch;
  ASSERT_TRUE(queue.Take(batch));
  std::vector<uint32_t> records;
  for (const Entry& entry : batch) records.push_back(entry.record);
  EXPECT_EQ(records, (std::vector<uint32_t>{9, 0, 1, 2, 3}));
}

TEST(Simulator, OutcastSerialisesAndPipelines) {
  auto s = Make("crossbar", 4);
  for (int i = 1; i < 4; ++i) s->Send(0, i, 400'000, i);
  Check("outcast of 3 = L + 3 b/B", 4'000'000, LastDelivery(Drain(s)));
}

TEST(Simulator, CloudMatrixLatencies) {
  const auto one = [](int src, int dst, int64_t bytes) {
    auto s = Make("cloudmatrix384");
    s->Send(src, dst, bytes, 0);
    return LastDelivery(Drain(s));
  };
  Check("intra-node = 1 switch x 200 ns", 200'000, one(0, 7, 0));
  Check("inter-node = 3 x 200 ns + 2 x 20 m x 5 ns/m", 800'000, one(0, 8, 0));
  Check("inter-node + 392 kB / 392 GB/s", 1'800'000, one(3, 383, 392'000));
  auto d = Load("cloudmatrix384", 0, std::vector<std::string>{"supernode.fibre_length=100 m"});
  ASSERT_TRUE(d.ok());
  Check("3 x 200 ns + 2 x 100 m x 5 ns/m", 1'600'000, d->PathLatency(0, 8));
}

TEST(Simulator, NodeToNodeRunsAtLineRate) {
  auto s = Make("cloudmatrix384");
  for (int i = 0; i < 8; ++i) s->Send(i, 8 + i, 3'920'000, i);
  Check("8 pairs side by side = L + b/B", 10'800'000, LastDelivery(Drain(s)));
}

TEST(Simulator, OversubscribedUplinkLimits) {
  auto s = Make("cloudmatrix384", 0, {"node.uplink_bandwidth=784 GB/s"});
  for (int i = 0; i < 8; ++i) s->Send(i, 8 + i, 3'920'000, i);
  // All bytes have passed the uplink at 40 us; the last chunk then still takes its own time.
  const Time shared = LastDelivery(Drain(s));
  EXPECT_GE(shared, 40'800'000) << "L + 8 b/C";
  EXPECT_LE(shared, 40'800'000 + TransferTime(65536, 392'000'000'000)) << "and a chunk";
  auto slow = Make("cloudmatrix384", 0, {"node.uplink_bandwidth=98 GB/s"});
  slow->Send(0, 8, 3'920'000, 0);
  Check("one message over a slow uplink = L + b/C", 40'800'000, LastDelivery(Drain(slow)));
}

TEST(Simulator, OverheadsTimersAndEngine) {
  auto s = Make("crossbar", 2,
                     {"send_overhead=300 ns", "recv_overhead=200 ns", "reduce_bandwidth=100 GB/s"});
  s->Send(0, 1, 400'000, 0);
  Check("o_s + L + b/B + o_r", 2'500'000, LastDelivery(Drain(s)));
  const Time start = s->now();
  s->Reduce(0, 100'000, 1);
  s->Copy(0, 100'000, 2);  // free, yet behind the reduction
  s->Reduce(0, 100'000, 3);
  s->Reduce(1, 100'000, 4);
  s->After(500, 5);
  const auto events = Drain(s);
  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(events[0].user, 5u);
  // What endpoint 0 has asked for before nothing was in flight does not count; then each endpoint's first comes first.
  EXPECT_EQ(events[1].user, 1u);
  EXPECT_EQ(events[2].user, 4u);
  EXPECT_EQ(events[3].user, 2u);
  Check("timer", start + 500, events[0].time);
  Check("reduce = b/R", start + 1'000'000, events[1].time);
  Check("second reduce = 2 b/R", start + 2'000'000, events[4].time);
}

TEST(Simulator, ReportsOneInstantAtATime) {
  auto s = Make("crossbar", 4, {"latency=0 ns"});
  s->Send(0, 1, 400, 0);
  s->Send(2, 3, 400, 1);
  s->After(1000, 2);
  std::vector<Event> events;
  ASSERT_TRUE(s->Advance(events));
  EXPECT_EQ(events.size(), 5u);
  EXPECT_EQ(s->now(), 1000);
  s->After(0, 3);
  ASSERT_TRUE(s->Advance(events));
  EXPECT_EQ(events.back().user, 3u);
  EXPECT_EQ(s->now(), 1000);
  EXPECT_FALSE(s->Advance(events));
}

std::vector<Event> AllToAll(int64_t bytes, double* milliseconds) {
  auto s = Make("cloudmatrix384");
  std::vector<Event> events;
  events.reserve(600'000);
  const auto start = std::chrono::steady_clock::now();
  const int n = 384;
  for (int round = 0; round < 2; ++round) {
    for (int k = 1; k < n; ++k) {
      for (int i = 0; i < n; ++i) s->Send(i, (i + k) % n, bytes + i, k);
    }
    while (s->Advance(events)) {
    }
  }
  *milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return events;
}

TEST(Simulator, Deterministic) {
  double first_ms = 0, second_ms = 0;
  const auto first = AllToAll(65536, &first_ms);
  const auto second = AllToAll(65536, &second_ms);
  EXPECT_EQ(first.size(), 2u * 2 * 384 * 383);
  std::printf("  %zu messages: digest %016" PRIx64 " in %.1f ms, %016" PRIx64 " in %.1f ms\n",
              first.size() / 2, Digest(first), first_ms, Digest(second), second_ms);
  EXPECT_EQ(Digest(first), Digest(second));
  for (size_t i = 1; i < first.size(); ++i) ASSERT_LE(first[i - 1].time, first[i].time);
}

TEST(Units, Parse) {
  EXPECT_EQ(*ParseTime("200 ns"), 200'000);
  EXPECT_EQ(*ParseTime(" 1.5us "), 1'500'000);
  EXPECT_EQ(*ParseTime("1e3 ps"), 1000);
  EXPECT_EQ(*ParseBandwidth("392 GB/s"), 392e9);
  EXPECT_EQ(*ParseBandwidth("200 Gb/s"), 25e9);
  EXPECT_EQ(*ParseBandwidth("1 GiB/s"), 1073741824.0);
  EXPECT_EQ(*ParseLength("20 m"), 20);
  for (const char* bad :
       {"", "200", "0", "ns", "200 GB/s", "-1 ns", "1..2 ns", "200 nS", "1 n s"}) {
    EXPECT_FALSE(ParseTime(bad).ok()) << bad;
  }
  for (const char* bad : {"392", "392 GB", "392 gb/s", "392 ns", "nan GB/s", "inf GB/s"}) {
    EXPECT_FALSE(ParseBandwidth(bad).ok()) << bad;
  }
}

std::string Error(const std::string& name, int endpoints, std::vector<std::string> sets) {
  const auto description = Load(name, endpoints, sets);
  EXPECT_FALSE(description.ok());
  const std::string message(description.status().message());
  std::printf("  %s\n", message.c_str());
  return message;
}

TEST(Description, ErrorsSayWhatToWrite) {
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(
      has(Error("crossbar", 4, {"port_bandwith=1 GB/s"}), "did you mean \"port_bandwidth\""));
  EXPECT_TRUE(has(Error("crossbar", 4, {"port_bandwidth=400"}), "has no unit"));
  EXPECT_TRUE(has(Error("crossbar", 4, {"latency=4 GB/s"}), "unknown unit \"GB/s\""));
  EXPECT_TRUE(has(Error("crossbar", 4, {"latency"}), "key=value"));
  EXPECT_TRUE(has(Error("crossbar", 4, {"port_bandwidth=0 GB/s"}), "out of range"));
  EXPECT_TRUE(has(Error("cloudmatrix384", 385, {}), "at most 384"));
  EXPECT_TRUE(has(Error("cloudmatrix", 0, {}), "did you mean \"cloudmatrix384\""));
  EXPECT_TRUE(has(Error("crossbar", -1, {}), "negative"));
}

// Messages that are cut at one port while parts of them wait, split, at the next: no byte passes
// twice, and none is lost.
TEST(Simulator, CutsOfCutMessagesDeliverEveryMessageOnce) {
  for (int seed = 1; seed <= 20; ++seed) {
    auto simulator = Make("fat-tree", 48, {"leaf.routing=hash", "leaf.uplinks=6",
                                           "leaf.oversubscription=2", "chunk=64 KiB",
                                           "seed=" + std::to_string(seed)});
    uint64_t random = static_cast<uint64_t>(seed);
    const auto draw = [&](int below) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      return static_cast<int>((random >> 33) % static_cast<uint64_t>(below));
    };
    std::vector<int> delivered(4000, 0);
    size_t sent = 0;
    const auto send = [&](int src) {
      simulator->Send(src, draw(48), 1 + draw(300'000), sent++);
    };
    for (int i = 0; i < 400; ++i) send(draw(48));
    std::vector<Event> events;
    Time last = 0;
    while (simulator->Advance(events)) {
      for (const Event& event : events) {
        ASSERT_GE(event.time, last);
        last = event.time;
        if (event.kind != EventKind::kDelivered) continue;
        ++delivered[event.user];
        if (sent < delivered.size()) send(event.dst);
      }
      events.clear();
    }
    EXPECT_EQ(sent, delivered.size());
    for (size_t i = 0; i < sent; ++i) ASSERT_EQ(delivered[i], 1) << "message " << i;
  }
}

// Protocols serve the tiers and the transfer that they name; the others cost nothing.
TEST(Simulator, ProtocolsOfATier) {
  Description d = *Load("nvl72-cluster", 144);
  d.protocols = {{.name = "short", .tiers = {"rack"}, .overhead = 1'000'000, .efficiency = 0.5},
                 {.name = "bulk", .tiers = {"rack"}, .overhead = 5'000'000, .efficiency = 0.8},
                 {.name = "nic", .tiers = {"infiniband"}, .overhead = 2'000'000,
                  .efficiency = 0.9, .message_bandwidth = 25e9},
                 {.name = "load", .transfer = Transfer::kRead, .efficiency = 1}};
  const auto time = [&](int src, int dst, int64_t bytes) {
    auto s = *Simulator::Create(d);
    s->Send(src, dst, bytes, 0);
    return LastDelivery(Drain(s));
  };
  const Time near = d.PathLatency(0, 1), far = d.PathLatency(0, 72);
  Check("short: L + o + b/(e B), 9 kB, 0.5 of 900 GB/s", near + 1'000'000 + 20'000,
        time(0, 1, 9'000));
  Check("bulk: 72 MB, 0.8 of 900 GB/s", near + 5'000'000 + 100'000'000, time(0, 1, 72'000'000));
  Check("nic: 900 kB in 1 MB on the wire at 25 GB/s", far + 2'000'000 + 40'000'000,
        time(0, 72, 900'000));
  d.transfer = Transfer::kRead;
  Check("load: no overhead, 900 GB/s", near + 10'000, time(0, 1, 9'000));
}

// An endpoint's memory serves all of its ports: here a die's link to its sibling and those to others.
TEST(Simulator, MemoryIsSharedByAllPorts) {
  for (EngineKind engine : {EngineKind::kFifo, EngineKind::kFluid}) {
    Description d = *Load("cloudmatrix384-dies", 16);
    d.protocols.clear();
    d.message_gap = 0;
    d.tiers[0].port_bandwidth = d.tiers[1].port_bandwidth = 200e9;
    const auto run = [&](double memory) {
      d.memory_bandwidth = memory;
      auto s = *Simulator::Create(d, engine);
      s->Send(0, 1, 20'000'000, 0);  // SIO
      s->Send(0, 2, 20'000'000, 1);  // UB
      return LastDelivery(Drain(s));
    };
    const Time start = d.PathLatency(0, 2) + d.send_overhead;
    Check("two ports: L + b/B", start + 100'000'000, run(0));
    // Under fifo the turns of a chunk of 64 KiB show.
    const Time shared = start + 160'000'000, apart = start + 100'000'000;
    EXPECT_NEAR(run(250e9), shared, engine == EngineKind::kFluid ? 1 : 0.01 * shared);
    EXPECT_NEAR(run(400e9), apart, engine == EngineKind::kFluid ? 1 : 0.01 * apart);
  }
}

TEST(Simulator, ReductionsForAllAndForOne) {
  Description d = *Load("crossbar", 4);
  d.tiers[0].group_efficiency = 1;
  d.tiers[0].group_overhead = 3'000'000;
  auto s = *Simulator::Create(d);
  EXPECT_EQ(s->GroupTier({0, 1, 2}, true), 0);
  s->Group(0, {0, 1, 2}, {1}, 400'000, 0);
  Check("o + L + m/C", 3'000'000 + 1'000'000 + 1'000'000, LastDelivery(Drain(s)));
  d.tiers[0].group_to_all = false;
  s = *Simulator::Create(d);
  EXPECT_EQ(s->GroupTier({0, 1, 2}, true), -1);
  EXPECT_EQ(s->GroupTier({0, 1, 2}), 0);
}

}  // namespace
}  // namespace fabric
