// Whole calls through the C API: the cost of a call that has nothing to communicate, and the flagship's
// allreduce without bytes, whose 294,144 messages are all that happens.
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "ccl/ccl.h"

namespace {

// The ranks of an emulated world, driven by one thread.
class Ranks {
 public:
  Ranks(benchmark::State& state, const std::string& backend, int n, const char* algorithms,
        bool phantom)
      : state_(state), comms_(static_cast<size_t>(n)) {
    cclConfig_t config = CCL_CONFIG_INITIALIZER;
    config.backend = backend.c_str();
    config.algorithms = algorithms;
    config.phantom = phantom ? 1 : 0;
    open_ = Check(cclCommInitAllConfig(comms_.data(), n, nullptr, &config));
  }
  ~Ranks() {
    if (!open_) return;
    for (cclComm_t comm : comms_) cclCommDestroy(comm);
  }
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  bool AllReduce(const void* in, void* out, size_t count) {
    if (!open_ || !Check(cclGroupStart())) return false;
    for (cclComm_t comm : comms_) cclAllReduce(in, out, count, cclFloat, cclSum, comm, nullptr);
    if (!Check(cclGroupEnd())) return false;  // with the first error of its calls
    for (cclComm_t comm : comms_) {
      if (!Check(cclCommSynchronize(comm))) return false;
    }
    return true;
  }

 private:
  bool Check(cclResult_t result) {
    if (result != cclSuccess) state_.SkipWithError(cclGetLastError(nullptr));
    return result == cclSuccess;
  }

  benchmark::State& state_;
  std::vector<cclComm_t> comms_;
  bool open_ = false;
};

void AllReduceAlone(benchmark::State& state) {
  Ranks ranks(state, "emulated:crossbar", 1, nullptr, false);
  std::vector<float> data(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    if (!ranks.AllReduce(data.data(), data.data(), data.size())) return;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(AllReduceAlone)->Arg(1)->Arg(1024);

// In real time: what a repeated call costs before anything is communicated. Needs no MPI, whose leaks a
// sanitizer would report as those of this program.
void AllReduceOfOneProcess(benchmark::State& state) {
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.backend = "shm:";
  cclUniqueId id{};
  cclComm_t comm = nullptr;
  if (cclCommInitRankConfig(&comm, 1, id, 0, &config) != cclSuccess) {
    state.SkipWithError(cclGetLastError(nullptr));
    return;
  }
  std::vector<float> in(static_cast<size_t>(state.range(0))), out(in.size());
  for (auto _ : state) {
    cclResult_t result = cclAllReduce(in.data(), out.data(), in.size(), cclFloat, cclSum, comm, nullptr);
    if (result == cclSuccess) result = cclCommSynchronize(comm);
    if (result != cclSuccess) {
      state.SkipWithError(cclGetLastError(nullptr));
      break;
    }
  }
  cclCommDestroy(comm);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(AllReduceOfOneProcess)->Arg(1)->Arg(1024);

void AllReduceRing384Phantom(benchmark::State& state) {
  constexpr int kRanks = 384;
  Ranks ranks(state, "emulated:cloudmatrix384", kRanks, "allreduce:@ring", true);
  for (auto _ : state) {
    if (!ranks.AllReduce(nullptr, nullptr, 4 << 20)) return;
  }
  state.SetItemsProcessed(state.iterations() * kRanks * 2 * (kRanks - 1));
}
BENCHMARK(AllReduceRing384Phantom)->Unit(benchmark::kMillisecond);

}  // namespace
