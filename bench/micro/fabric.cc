// Messages a second of the simulator, on the 384 endpoints of the flagship: what bounds every emulated
// run. One iteration is a whole exchange, from the first Send until nothing is in flight.
#include <vector>

#include "benchmark/benchmark.h"
#include "fabric/simulator.h"

namespace {

constexpr int kEndpoints = 384;
constexpr int64_t kBytes = 64 << 10;

// `send` starts the messages of a step of an exchange of `steps`, and returns how many.
template <typename Send>
void Exchange(benchmark::State& state, int steps, Send send) {
  auto made = fabric::Simulator::Create(*fabric::Load("cloudmatrix384"));
  if (!made.ok()) return state.SkipWithError(std::string(made.status().message()).c_str());
  fabric::Simulator& simulator = **made;
  std::vector<fabric::Event> events;
  int64_t messages = 0, delivered = 0;
  for (auto _ : state) {
    for (int step = 0; step < steps; ++step) {
      messages += send(simulator, step);
      for (events.clear(); simulator.Advance(events); events.clear()) {
        for (const fabric::Event& event : events) {
          delivered += event.kind == fabric::EventKind::kDelivered;
        }
      }
    }
  }
  if (delivered != messages) return state.SkipWithError("not every message was delivered");
  state.SetItemsProcessed(messages);
}

void RingSteps(benchmark::State& state) {
  Exchange(state, 16, [](fabric::Simulator& simulator, int) {
    for (int src = 0; src < kEndpoints; ++src) {
      simulator.Send(src, (src + 1) % kEndpoints, kBytes, static_cast<uint64_t>(src));
    }
    return kEndpoints;
  });
}
BENCHMARK(RingSteps)->Unit(benchmark::kMillisecond);

void Incast(benchmark::State& state) {
  Exchange(state, 16, [](fabric::Simulator& simulator, int) {
    for (int src = 1; src < kEndpoints; ++src) {
      simulator.Send(src, 0, kBytes, static_cast<uint64_t>(src));
    }
    return kEndpoints - 1;
  });
}
BENCHMARK(Incast)->Unit(benchmark::kMillisecond);

void AllToAll(benchmark::State& state) {
  Exchange(state, 1, [](fabric::Simulator& simulator, int) {
    for (int src = 0; src < kEndpoints; ++src) {
      for (int step = 1; step < kEndpoints; ++step) {
        simulator.Send(src, (src + step) % kEndpoints, kBytes, static_cast<uint64_t>(src));
      }
    }
    return kEndpoints * (kEndpoints - 1);
  });
}
BENCHMARK(AllToAll)->Unit(benchmark::kMillisecond);

}  // namespace
