// The folds of two operands, in bytes of operands read a second, beside what memcpy reads. 64 KiB lie
// in the cache, 16 MiB do not.
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "ccl/backend/compute.h"

namespace ccl {
namespace {

constexpr int64_t kSizes[] = {64 << 10, 16 << 20};

void Memcpy(benchmark::State& state) {
  const size_t bytes = static_cast<size_t>(state.range(0));
  std::vector<char> from(bytes, 1), to(bytes);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), bytes);
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Memcpy)->Arg(kSizes[0])->Arg(kSizes[1]);

void Fold(benchmark::State& state, DataType type, ReduceOp op) {
  const size_t bytes = static_cast<size_t>(state.range(0)), count = bytes / SizeOf(type);
  // Zeros: whatever the operation, a fold of folds neither overflows nor becomes subnormal.
  std::vector<char> mine(bytes), arriving(bytes);
  const void* operands[] = {mine.data(), arriving.data()};
  for (auto _ : state) {
    FoldInto(type, op, mine.data(), operands, count);
    benchmark::DoNotOptimize(mine.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 2);
}

// Average folds as sum.
const bool registered = [] {
  for (int type = 0; type < kDataTypes; ++type) {
    for (ReduceOp op : {ReduceOp::kSum, ReduceOp::kProd, ReduceOp::kMax, ReduceOp::kMin}) {
      const DataType t = static_cast<DataType>(type);
      benchmark::RegisterBenchmark(absl::StrCat("Fold/", Name(t), "/", Name(op)).c_str(), Fold, t, op)
          ->Arg(kSizes[0])
          ->Arg(kSizes[1]);
    }
  }
  return true;
}();

}  // namespace
}  // namespace ccl
