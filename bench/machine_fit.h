// The figures of a machine that make the planner's formulas agree with what was measured.
#ifndef BENCH_MACHINE_FIT_H_
#define BENCH_MACHINE_FIT_H_

#include <vector>

#include "ccl/algorithms/algorithm.h"
#include "ccl/topology/measured.h"

namespace ccl {

// How long an algorithm took.
struct TimedRun {
  Collective collective = Collective::kAllReduce;
  AlgorithmSpec spec;
  uint64_t bytes = 0;    // of the larger buffer
  double time = 0;       // ps
  bool fastest = false;  // of its collective and size
};

// By formula, picoseconds; infinite without one.
double PredictRun(const TimedRun& run, const Topology& topology);

// Moves the latency, the overhead and the rates of `machine` until the formulas err least, in ratios, on what
// is fastest, and choose what is. `topology`: of the ranks that ran. `machine` has its key, and no
// times. Runs of one collective and size are neighbours.
Machine FitMachine(Machine machine, const std::vector<TimedRun>& runs, const Topology& topology);

}  // namespace ccl

#endif  // BENCH_MACHINE_FIT_H_
