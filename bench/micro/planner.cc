// A choice by the planner: one made before, one for a new size, the first of a world.
#include <optional>

#include "benchmark/benchmark.h"
#include "ccl/backend/backend.h"
#include "ccl/plan/planner.h"

namespace ccl {
namespace {

std::optional<Topology> Flagship(benchmark::State& state) {
  auto backend = OpenBackend("emulated:cloudmatrix384", 0);
  if (backend.ok()) return (*backend)->topology();
  state.SkipWithError(std::string(backend.status().message()).c_str());
  return std::nullopt;
}

void Choose(benchmark::State& state, Planner& planner, uint64_t bytes) {
  auto plan = planner.Choose(Collective::kAllReduce, bytes, 0, "");
  if (!plan.ok()) state.SkipWithError(std::string(plan.status().message()).c_str());
  benchmark::DoNotOptimize(plan);
}

void PlanAgain(benchmark::State& state) {
  const auto topology = Flagship(state);
  if (!topology) return;
  Planner planner(*topology, {}, false);
  for (auto _ : state) Choose(state, planner, 1 << 20);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(PlanAgain);

void PlanNewSize(benchmark::State& state) {
  const auto topology = Flagship(state);
  if (!topology) return;
  Planner planner(*topology, {}, false);
  uint64_t bytes = 1 << 20;
  for (auto _ : state) Choose(state, planner, bytes += 4);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(PlanNewSize);

void PlanFirst(benchmark::State& state) {
  const auto topology = Flagship(state);
  if (!topology) return;
  for (auto _ : state) {
    Planner planner(*topology, {}, false);
    Choose(state, planner, 1 << 20);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(PlanFirst);

}  // namespace
}  // namespace ccl
