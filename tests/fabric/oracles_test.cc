// Published results of other simulators. What they round and count differently is put into the
// description here; the simulator has none of it.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fabric/simulator.h"
#include "tests/fabric/bare_wires.h"

namespace fabric {
namespace {

std::unique_ptr<Simulator> Crossbar(int endpoints, const std::vector<std::string>& sets) {
  auto description = Load("crossbar", endpoints, sets);
  EXPECT_TRUE(description.ok()) << description.status();
  auto simulator = Simulator::Create(*std::move(description));
  EXPECT_TRUE(simulator.ok()) << simulator.status();
  return *std::move(simulator);
}

// LogGOPSim, a rendezvous message: T = (s-1)G + 2o + L + g with o 1500, L 2500, g 1000 ns. Its first
// byte is free, and its gap is paid by a single message too.
TEST(Oracles, LogGOPSim) {
  struct Case {
    int64_t bytes;
    int gap_per_byte;  // ns
    Time published;    // ns
  };
  for (const Case& c : {Case{262144, 3, 792929}, Case{262144, 6, 1579358}, Case{524288, 3, 1579361},
                        Case{524288, 6, 3152222}}) {
    // A rate of 1/G is not a whole number of bytes a second: at 1 B/ns, G times the bytes.
    auto simulator = Crossbar(2, {"send_overhead=1500 ns", "recv_overhead=1500 ns",
                                  "latency=3500 ns", "port_bandwidth=1 GB/s"});
    simulator->Send(0, 1, (c.bytes - 1) * c.gap_per_byte, 0);
    std::vector<Event> events;
    while (simulator->Advance(events)) {
    }
    CheckTime("LogGOPSim: (s-1) G + 2 o + L + g", c.published * kNanosecond, simulator->now());
  }
}

// ASTRA-sim, congestion-aware, a ring of N, a message of S in K chunks one after the other:
//   allreduce  K [2(N-1)(floor(L + m/B) + d) + 3(N-1) floor(m/M) + d],  m = S / (K N)
//   allgather  K [(N-1)(floor(L + m/B) + d) + d],                       m = S / K
// in whole ns; GB of B is 2^30 bytes.
struct Astra {
  int ranks, chunks;
  int64_t bytes;            // m
  Time step, delay, copy;   // floor(L + m/B), d and floor(m/M), in ns
  bool reduces;
};

// Every endpoint sends to the next and goes on when it has been sent to: what the other simulator
// runs. The delay is the sender's; three copies follow each step of the reducing half.
Time RunRing(const Astra& a) {
  const Time transfer = TransferTime(a.bytes, 1'000'000'000'000);
  auto simulator = Crossbar(
      a.ranks, {"port_bandwidth=1000 GB/s", "recv_overhead=0 ns",
                absl::StrCat("send_overhead=", a.delay, " ns"),
                absl::StrCat("latency=", a.step * kNanosecond - transfer, " ps"),
                // m bytes in floor(m/M) ns, not a picosecond less.
                absl::StrCat("reduce_bandwidth=", a.copy > 0 ? 1'000'000'000 : 0, " B/s")});
  const int steps = (a.reduces ? 2 : 1) * (a.ranks - 1);
  for (int chunk = 0; chunk < a.chunks; ++chunk) {
    std::vector<int> done(a.ranks, 0);
    const auto send = [&](int rank) {
      simulator->Send(rank, (rank + 1) % a.ranks, a.bytes, 0);
    };
    for (int rank = 0; rank < a.ranks; ++rank) send(rank);
    std::vector<Event> events;
    while (simulator->Advance(events)) {
      for (const Event& event : std::exchange(events, {})) {
        int rank = -1;
        if (event.kind == EventKind::kDelivered) {
          rank = event.dst;
          if (a.reduces && done[rank] < a.ranks - 1) {
            simulator->Reduce(rank, 3 * a.copy, 1);
            continue;
          }
        } else if (event.kind == EventKind::kTimer && event.user == 1) {
          rank = event.src;
        } else {
          continue;
        }
        if (++done[rank] < steps) send(rank);
      }
    }
    simulator->After(a.delay * kNanosecond, 2);
    while (simulator->Advance(events)) {
    }
  }
  return simulator->now();
}

TEST(Oracles, AstraSimAllReduce) {
  // 8 ranks, 1 MiB in 4 chunks: m = 32 KiB; 500 ns + m / 50 GiB/s; 10 ns; m / 50 GB/s.
  const int64_t m = (1 << 20) / (4 * 8);
  const auto ns = [](double value) { return static_cast<Time>(value); };
  const Astra ring{8, 4, m, ns(500 + m / (50.0 * (1 << 30) / 1e9)), 10, ns(m / 50.0), true};
  CheckTime("ASTRA-sim: K [2(N-1)(step + d) + 3(N-1) copy + d]", 117'780 * kNanosecond,
            RunRing(ring));
}

TEST(Oracles, AstraSimAllGather) {
  // 16 ranks, 1 MiB in 4 chunks: m = 256 KiB.
  const int64_t m = (1 << 20) / 4;
  const Astra ring{16, 4, m, static_cast<Time>(500 + m / (50.0 * (1 << 30) / 1e9)), 10, 0, false};
  CheckTime("ASTRA-sim: K [(N-1)(step + d) + d]", 323'560 * kNanosecond, RunRing(ring));
}

}  // namespace
}  // namespace fabric
