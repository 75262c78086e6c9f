// The engines against each other: schedules written as flows, and traffic all at once.
#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fabric/simulator.h"
#include "gtest/gtest.h"
#include "tests/fabric/wires_alone.h"

namespace fabric {
namespace {

// What a rank does in a step: send to `dst` and receive from `src`, which does the same step.
struct Exchange {
  int dst;
  int64_t bytes;
  int src;
};
struct Schedule {
  std::string name;
  int steps = 0;
  std::function<Exchange(int rank, int step)> at;
};

Description System(const std::string& name, int endpoints, std::vector<std::string> sets = {}) {
  auto d = Load(name, endpoints, sets);
  EXPECT_TRUE(d.ok()) << d.status();
  return WiresAlone(*std::move(d));
}

Description Crossbar(int endpoints) {
  return System("crossbar", endpoints, {"port_bandwidth=392 GB/s"});
}
// Nodes of 8 with 8 uplinks each, destinations picking theirs by number.
Description FatTree(int endpoints) {
  return System("cloudmatrix384", endpoints, {"node.uplinks=8", "node.routing=modulo"});
}
Description Sprayed(int endpoints) { return System("cloudmatrix384", endpoints); }

std::unique_ptr<Simulator> Make(const Description& d, EngineKind engine) {
  auto s = Simulator::Create(d, engine);
  EXPECT_TRUE(s.ok()) << s.status();
  return *std::move(s);
}

// A message starts when its sender and its receiver have come to it. It is sent whole, or, if `piece`
// is positive, as messages of so many bytes.
Time RunSchedule(const Description& d, EngineKind engine, const Schedule& schedule,
                 int64_t piece = 0) {
  auto s = Make(d, engine);
  struct Rank {
    int step = 0;
    int64_t sending = 0, receiving = 0;  // messages
  };
  std::vector<Rank> ranks(d.endpoints);
  const auto start = [&](int src, int dst, int step) {
    if (ranks[src].step != step || ranks[dst].step != step) return;
    const int64_t bytes = schedule.at(src, step).bytes;
    const int64_t count = piece == 0 ? 1 : bytes / piece;
    EXPECT_EQ(bytes % count, 0);
    for (int64_t i = 0; i < count; ++i) s->Send(src, dst, bytes / count, step);
    ranks[src].sending += count - 1;
    ranks[dst].receiving += count - 1;
  };
  const auto begin = [&](int r) {
    const Exchange e = schedule.at(r, ranks[r].step);
    ranks[r].sending = ranks[r].receiving = 1;
    start(r, e.dst, ranks[r].step);
    if (e.src != r) start(e.src, r, ranks[r].step);
  };
  for (Rank& rank : ranks) rank.step = -1;
  for (int r = 0; r < d.endpoints; ++r) ranks[r].step = 0, begin(r);
  std::vector<Event> events;
  std::vector<int> woken;
  Time last = 0;
  while (s->Advance(events)) {
    woken.clear();
    for (const Event& e : events) {
      const bool sent = e.kind == EventKind::kSent;
      Rank& rank = ranks[sent ? e.src : e.dst];
      EXPECT_EQ(rank.step, static_cast<int>(e.user));
      if (--(sent ? rank.sending : rank.receiving) == 0) woken.push_back(sent ? e.src : e.dst);
      last = e.time;
    }
    events.clear();
    for (int r : woken) {
      Rank& rank = ranks[r];
      if (rank.sending > 0 || rank.receiving > 0 || rank.step == schedule.steps) continue;
      if (++rank.step < schedule.steps) begin(r);
    }
  }
  for (const Rank& rank : ranks) EXPECT_EQ(rank.step, schedule.steps) << schedule.name;
  return last;
}

Schedule RingAllReduce(int n, int64_t bytes) {
  return {"ring allreduce", 2 * (n - 1),
          [=](int r, int) { return Exchange{(r + 1) % n, bytes / n, (r + n - 1) % n}; }};
}
Schedule Pairwise(int n, int64_t bytes) {
  return {"pairwise alltoall", n - 1, [=](int r, int step) {
            return Exchange{(r + step + 1) % n, bytes / n, (r + n - step - 1) % n};
          }};
}
Schedule RecursiveDoubling(int n, int64_t bytes) {
  int steps = 0;
  while (1 << steps < n) ++steps;
  return {"recursive doubling", steps,
          [=](int r, int step) { return Exchange{r ^ 1 << step, bytes, r ^ 1 << step}; }};
}
// Reduce-scatter in nodes of 8, ring allreduce between them, allgather in nodes.
Schedule Hierarchical(int n, int64_t bytes) {
  const int nodes = n / 8, between = 2 * (nodes - 1);
  return {"hierarchical allreduce", 14 + between, [=](int r, int step) {
            if (step < 7 || step >= 7 + between) {
              const int node = r / 8 * 8;
              return Exchange{node + (r + 1) % 8, bytes / 8, node + (r + 7) % 8};
            }
            return Exchange{(r + 8) % n, bytes / n, (r + n - 8) % n};
          }};
}
std::vector<Schedule> Stepwise(int n, int64_t bytes) {
  return {RingAllReduce(n, bytes), Pairwise(n, bytes), RecursiveDoubling(n, bytes),
          Hierarchical(n, bytes)};
}

double Percent(Time measured, Time reference) {
  return 100.0 * static_cast<double>(measured - reference) / static_cast<double>(reference);
}

void Print(const std::string& what, const char* engine, Time time, Time reference) {
  std::printf("  %-52s %-6s %12.3f us  %+.4f %%\n", what.c_str(), engine,
              static_cast<double>(time) * 1e-6, Percent(time, reference));
}

TEST(Engines, FifoEqualsFluidOnStepwiseSchedules) {
  for (int n : {64, 128}) {
    for (const Description& d : {Crossbar(n), FatTree(n), Sprayed(n)}) {
      for (int64_t bytes : {int64_t{8192}, int64_t{64} << 20}) {
        for (const Schedule& schedule : Stepwise(n, bytes)) {
          const Time fluid = RunSchedule(d, EngineKind::kFluid, schedule);
          const Time fifo = RunSchedule(d, EngineKind::kFifo, schedule);
          const bool tree = d.tiers[0].uplinks > 1;
          if (bytes > 8192) {
            Print(absl::StrCat(schedule.name, ", ", tree ? "fat tree " : d.name, " ", n), "fifo",
                  fifo, fluid);
          }
          EXPECT_LE(std::abs(Percent(fifo, fluid)), 0.3) << schedule.name << " " << d.name << n;
        }
      }
    }
  }
}

// The size of a chunk makes no difference where nobody contends. Messages cut beforehand take turns
// with each other at the sender: less than a piece later at the end. Pieces are of a whole number of
// picoseconds on both systems.
TEST(Engines, CutMessagesTakeAsLongAsWholeOnes) {
  const int n = 64;
  const int64_t piece = 49'000, bytes = n * 4 * piece;
  for (const Description& d : {Crossbar(n), FatTree(n), Sprayed(n)}) {
    for (const Schedule& schedule : Stepwise(n, bytes)) {
      const Time whole = RunSchedule(d, EngineKind::kFifo, schedule);
      const Time cut = RunSchedule(d, EngineKind::kFifo, schedule, piece);
      EXPECT_GE(cut, whole) << schedule.name << d.name;
      EXPECT_LE(cut, whole + TransferTime(piece, 392'000'000'000)) << schedule.name << d.name;
      for (int64_t chunk : {int64_t{1}, int64_t{4096}, int64_t{1} << 40}) {
        Description other = d;
        other.chunk_bytes = chunk;
        EXPECT_EQ(whole, RunSchedule(other, EngineKind::kFifo, schedule)) << schedule.name << chunk;
      }
    }
  }
}

struct Flow {
  int src, dst;
  int64_t bytes;
};

// When everything has been delivered, each message and port having had its time.
Time AllAtOnce(const Description& d, EngineKind engine, const std::vector<Flow>& flows,
               double* milliseconds = nullptr) {
  const auto start = std::chrono::steady_clock::now();
  auto s = Make(d, engine);
  for (size_t i = 0; i < flows.size(); ++i) {
    s->Send(flows[i].src, flows[i].dst, flows[i].bytes, i);
  }
  std::vector<Event> events;
  while (s->Advance(events)) {
  }
  if (milliseconds != nullptr) {
    *milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() -
                                                              start).count();
  }
  EXPECT_EQ(events.size(), 2 * flows.size());
  const std::unique_ptr<Network> own_network = *Network::Create(d);
  Network& network = *own_network;
  const size_t ports = network.ports().size();
  std::vector<int64_t> bytes(ports);
  std::vector<Time> before(ports, INT64_MAX), after(ports, INT64_MAX), ends(ports);
  Path path;
  Time last = 0;
  for (const Event& e : events) {
    if (e.kind != EventKind::kDelivered) continue;
    last = std::max(last, e.time);
    network.Route(e.src, e.dst, path);
    const auto latencies = network.hop_latencies(path.profile);
    Time sum = 0;
    Time own = 0;
    for (size_t i = 0; i < path.ports.size(); ++i) {
      const uint32_t port = path.ports[i];
      own = std::max(own, TransferTime(e.bytes, network.ports()[port].rate));
      bytes[port] += e.bytes;
      before[port] = std::min(before[port], sum);
      ends[port] = std::max(ends[port], e.time);
      sum += latencies[i];
    }
    Time rest = sum;
    for (size_t i = 0; i < path.ports.size(); ++i) {
      Time passed = 0;
      for (size_t j = 0; j < i; ++j) passed += latencies[j];
      after[path.ports[i]] = std::min(after[path.ports[i]], rest - passed);
    }
    EXPECT_GE(e.time, sum + own) << e.src << " to " << e.dst;
  }
  const Time rounding = engine == EngineKind::kFluid ? static_cast<Time>(flows.size()) : 0;
  for (size_t p = 0; p < ports; ++p) {
    if (bytes[p] == 0) continue;
    EXPECT_GE(ends[p] + rounding,
              before[p] + after[p] + TransferTime(bytes[p], network.ports()[p].rate))
        << network.PortName(static_cast<uint32_t>(p));
  }
  return last;
}

// Everybody to everybody, 0.5 to 1.5 times the mean.
std::vector<Flow> AllToAllV(int n, int64_t mean, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Flow> flows;
  for (int k = 1; k < n; ++k) {
    for (int r = 0; r < n; ++r) {
      const double factor = 0.5 + static_cast<double>(random()) / 4294967296.0;
      flows.push_back({r, (r + k) % n, static_cast<int64_t>(factor * static_cast<double>(mean))});
    }
  }
  return flows;
}

// Dispatch to experts of which an eighth is four times as popular.
std::vector<Flow> Experts(int n, int64_t mean, uint32_t seed) {
  std::vector<Flow> flows = AllToAllV(n, mean, seed);
  std::mt19937 random(seed);
  std::vector<int> popularity(n, 1);
  for (int i = 0; i < n / 8; ++i) popularity[random() % n] = 4;
  for (Flow& flow : flows) flow.bytes *= popularity[flow.dst];
  return flows;
}

void CompareIrregular(const Description& d, int64_t mean, bool experts) {
  const int n = d.endpoints;
  const auto flows = experts ? Experts(n, mean, 7) : AllToAllV(n, mean, 7);
  double fluid_ms = 0, fifo_ms = 0;
  const Time fluid = AllAtOnce(d, EngineKind::kFluid, flows, &fluid_ms);
  const Time fifo = AllAtOnce(d, EngineKind::kFifo, flows, &fifo_ms);
  const bool tree = d.tiers[0].uplinks > 1;
  Print(absl::StrCat(experts ? "experts" : "alltoallv", " of ", mean >> 10, " KiB, ",
                     tree ? "fat tree " : d.name, " ", n),
        "fifo", fifo, fluid);
  std::printf("    %.0f ms fluid, %.0f ms fifo\n", fluid_ms, fifo_ms);
  EXPECT_LE(std::abs(Percent(fifo, fluid)), 1.0);
}

TEST(Engines, FifoIsCloseToFluidOnIrregularTraffic) {
  for (const Description& d : {Crossbar(64), FatTree(64), Sprayed(64)}) {
    for (int64_t mean : {int64_t{64} << 10, int64_t{1} << 20}) {
      for (bool experts : {false, true}) CompareIrregular(d, mean, experts);
    }
  }
}

TEST(Engines, FifoIsCloseToFluidOnIrregularTrafficOf128) {
  CompareIrregular(Crossbar(128), int64_t{1} << 20, false);
  CompareIrregular(FatTree(128), int64_t{1} << 20, false);
  CompareIrregular(Crossbar(128), int64_t{1} << 20, true);
}

// Both serve every hop, so what is left is a packet a port, the turns and the finite buffers.
TEST(Engines, FifoIsCloseToPacketsOnSmallCases) {
  for (const Description& d : {Crossbar(16), FatTree(16), Sprayed(16)}) {
    const bool tree = d.tiers[0].uplinks > 1;
    std::vector<Flow> incast;
    for (int i = 1; i < 16; ++i) incast.push_back({i, 0, 1 << 20});
    std::vector<Flow> permutation;
    for (int i = 0; i < 16; ++i) permutation.push_back({i, (i + 5) % 16, 1 << 20});
    const std::pair<const char*, std::vector<Flow>> cases[] = {
        {"incast of 15 x 1 MiB", incast},
        {"shift by 5 of 1 MiB", permutation},
        {"alltoallv of 64 KiB", AllToAllV(16, 65536, 3)},
        {"alltoallv of 512 KiB", AllToAllV(16, 1 << 19, 3)}};
    for (const auto& [name, flows] : cases) {
      const Time packet = AllAtOnce(d, EngineKind::kPacket, flows);
      const Time fifo = AllAtOnce(d, EngineKind::kFifo, flows);
      Print(absl::StrCat(name, ", ", tree ? "fat tree " : d.name, " 16"), "fifo", fifo, packet);
      EXPECT_LE(std::abs(Percent(fifo, packet)), 5.0) << name;
    }
  }
}

}  // namespace
}  // namespace fabric
