// Programs: batches fetched a second by their cursor, and messages proved a second by the verifier.
#include <memory>
#include <string>

#include "benchmark/benchmark.h"
#include "ccl/algorithms/algorithm.h"
#include "ccl/schedule/verify.h"

namespace ccl {
namespace {

// An allreduce of nodes of 8, or null with the benchmark marked as failed.
std::shared_ptr<const Program> Build(benchmark::State& state, const std::string& text, int ranks) {
  auto spec = ParseAlgorithm(text);
  absl::Status status = spec.status();
  if (spec.ok()) {
    auto program = BuildProgram(
        *spec, {Collective::kAllReduce, ranks, 0, 0, {Grouping::Uniform(ranks, 8)}}, true);
    if (program.ok()) return *program;
    status = program.status();
  }
  state.SkipWithError(std::string(status.message()).c_str());
  return nullptr;
}

void Fetch(benchmark::State& state, const std::string& text) {
  const auto program = Build(state, text, 384);
  if (program == nullptr) return;
  StepList list;
  int64_t batches = 0, steps = 0;
  int rank = 0;
  for (auto _ : state) {
    for (uint32_t lane = 0; lane < program->info().lanes; ++lane) {
      const uint32_t length = program->batches(rank, lane);
      for (uint32_t batch = 0; batch < length; ++batch) {
        list.Clear();
        program->Fetch(rank, lane, batch, list);
        steps += static_cast<int64_t>(list.steps.size());
      }
      batches += length;
    }
    rank = (rank + 1) % program->info().ranks;
  }
  state.SetItemsProcessed(batches);
  state.counters["steps"] =
      benchmark::Counter(static_cast<double>(steps), benchmark::Counter::kIsRate);
}

void Proof(benchmark::State& state, const std::string& text, bool races) {
  const auto program = Build(state, text, 64);
  if (program == nullptr) return;
  int64_t messages = 0;
  for (auto _ : state) {
    auto report = Verify(*program, {.races = races});
    if (!report.ok()) return state.SkipWithError(std::string(report.status().message()).c_str());
    messages += static_cast<int64_t>(report->messages);
  }
  state.SetItemsProcessed(messages);
}

const bool registered = [] {
  for (const char* text : {"ring", "ring*4", "nhr", "two_shot", "double_binary_tree*16",
                           "hier(two_shot+nhr)*4"}) {
    const std::string name = text;
    benchmark::RegisterBenchmark(("Fetch/" + name).c_str(), Fetch, name);
    for (bool races : {false, true}) {
      benchmark::RegisterBenchmark(("Verify/" + name + (races ? "/races" : "")).c_str(), Proof, name,
                                   races)
          ->Unit(benchmark::kMillisecond);
    }
  }
  return true;
}();

}  // namespace
}  // namespace ccl
