// The kernels beside memcpy, which is what memory allows: both in turn, in one run.
//
// Rates count what crosses between processor and memory as the program sees it: a copy of n bytes is 2n, a
// fold of k operands into another buffer is (k + 1) n. The argument is all of it: 256 KiB lie in a core's
// cache, 64 MiB in none. Counters: the median rates of fold and copy in GB/s, the median of their ratio
// (of_copy), and how many times as fast as a loop over elements without vectors (of_scalar).
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/micro/scalar_folds.h"
#include "benchmark/benchmark.h"
#include "ccl/backend/compute.h"
#include "ccl/backend/copy.h"

namespace ccl {
namespace {

constexpr int64_t kInCache = 256 << 10, kBeyondCache = 64 << 20;

using Clock = std::chrono::steady_clock;

template <typename F>
double SecondsOf(F f) {
  const Clock::time_point begin = Clock::now();
  f();
  benchmark::ClobberMemory();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void Fold(benchmark::State& state, DataType type, ReduceOp op, size_t operands) {
  const size_t total = static_cast<size_t>(state.range(0));
  const size_t bytes = total / (operands + 1) & ~size_t{4095}, count = bytes / SizeOf(type);
  const size_t traffic = bytes * (operands + 1), half = traffic / 2;
  // Buffers of a page more, so that they do not all begin in the same set of the cache. Zeros: whatever
  // the operation, nothing overflows or becomes subnormal.
  const size_t stride = bytes + 4096 + 128;
  const std::unique_ptr<char[]> memory(new char[stride * (operands + 1)]());
  std::vector<const void*> from;
  for (size_t i = 0; i < operands; ++i) from.push_back(memory.get() + i * stride);
  char* const to = memory.get() + operands * stride;
  // What is in the cache is too short to be timed once.
  const int turns = total > (1 << 20) ? 1 : 16;
  const bool small = turns > 1;
  const FoldKernel scalar = ScalarFoldOf(type, op);
  std::vector<double> folds, copies, ratios, scalars;
  for (auto _ : state) {
    const double copy = SecondsOf([&] {
      for (int i = 0; i < turns; ++i) {
        std::memcpy(memory.get() + half, memory.get(), half);
        benchmark::ClobberMemory();
      }
    });
    const double fold = SecondsOf([&] {
      for (int i = 0; i < turns; ++i) FoldInto(type, op, to, from, count);
    });
    if (small && scalars.size() < 64) {
      scalars.push_back(SecondsOf([&] { scalar(to, from, count); }) * turns / fold);
    }
    state.SetIterationTime(fold);
    const double moved = 1e-9 * static_cast<double>(traffic) * turns;
    folds.push_back(moved / fold);
    copies.push_back(moved / copy);
    ratios.push_back(copy / fold);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(traffic) * turns);
  state.counters["fold"] = Median(folds);
  state.counters["copy"] = Median(copies);
  state.counters["of_copy"] = Median(ratios);
  if (small) state.counters["of_scalar"] = Median(scalars);
}

void Register(DataType type, ReduceOp op, size_t operands) {
  benchmark::RegisterBenchmark(absl::StrCat("Fold/", Name(type), "/", Name(op), "/", operands).c_str(), Fold,
                               type, op, operands)
      ->Arg(kInCache)
      ->Arg(kBeyondCache)
      ->UseManualTime();
}

// Copy beside memcpy, to a destination that begins so many bytes behind the source modulo a page.
void CopyBehind(benchmark::State& state, size_t behind) {
  constexpr size_t kPage = 4096;
  const size_t bytes = static_cast<size_t>(state.range(0)), apart = (bytes / kPage + 2) * kPage;
  const std::unique_ptr<char[]> memory(new char[2 * apart + 2 * kPage]());
  const char* const from = memory.get() + -reinterpret_cast<uintptr_t>(memory.get()) % kPage;
  char* const to = memory.get() + (from - memory.get()) + apart + behind;
  const int turns = static_cast<int>(std::max<size_t>(1, (64 << 10) / bytes));
  std::vector<double> ours, libc, ratios;
  for (auto _ : state) {
    const double plain = SecondsOf([&] {
      for (int i = 0; i < turns; ++i) {
        std::memcpy(to, from, bytes);
        benchmark::ClobberMemory();
      }
    });
    const double own = SecondsOf([&] {
      for (int i = 0; i < turns; ++i) Copy(to, from, bytes);
    });
    state.SetIterationTime(own);
    const double moved = 2e-9 * static_cast<double>(bytes) * turns;
    ours.push_back(moved / own);
    libc.push_back(moved / plain);
    ratios.push_back(plain / own);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(2 * bytes) * turns);
  state.counters["copy"] = Median(ours);
  state.counters["memcpy"] = Median(libc);
  state.counters["of_memcpy"] = Median(ratios);
}

// Average folds as sum.
const bool registered = [] {
  for (int t = 0; t < kDataTypes; ++t) {
    const DataType type = static_cast<DataType>(t);
    for (ReduceOp op : {ReduceOp::kSum, ReduceOp::kProd, ReduceOp::kMax, ReduceOp::kMin}) {
      Register(type, op, 2);
    }
    for (size_t operands : {4, 8}) Register(type, ReduceOp::kSum, operands);
  }
  for (size_t behind : {0, 16, 64}) {
    benchmark::RegisterBenchmark(absl::StrCat("CopyBehind/", behind).c_str(), CopyBehind, behind)
        ->Arg(1 << 10)->Arg(4 << 10)->Arg(32 << 10)->Arg(256 << 10)->Arg(4 << 20)
        ->UseManualTime();
  }
  return true;
}();

}  // namespace
}  // namespace ccl
