#include "bench/machine_fit.h"

#include <algorithm>
#include <cmath>

#include "ccl/plan/cost.h"

namespace ccl {
namespace {

// Of one collective and size.
bool SameCase(const TimedRun& a, const TimedRun& b) {
  return a.collective == b.collective && a.bytes == b.bytes;
}

// Sum of the logarithms of how many times too much or too little is predicted of what is fastest and, less,
// of the others; and of how many times longer than the fastest takes what is chosen.
double Error(const Machine& machine, const std::vector<TimedRun>& runs, const Topology& typical) {
  constexpr double kOfOthers = 0.05, kOfChoices = 3, kOfSmall = 0.25;
  constexpr uint64_t kSmall = 4096;  // what is smaller varies more than formulas can say
  Topology topology = typical;
  TakeMeasured(machine, topology);
  double error = 0;
  for (size_t begin = 0, end = 0; begin < runs.size(); begin = end) {
    double least = HUGE_VAL, chosen = 0, fastest = 0, sum = 0;
    for (end = begin; end < runs.size() && SameCase(runs[begin], runs[end]); ++end) {
      const TimedRun& run = runs[end];
      const double predicted = std::max(PredictRun(run, topology), 1.0);
      if (run.fastest) fastest = run.time;
      if (!std::isfinite(predicted)) continue;
      sum += (run.fastest ? 1 : kOfOthers) * std::abs(std::log(predicted / run.time));
      if (predicted >= least) continue;
      least = predicted;
      chosen = run.time;
    }
    if (chosen > 0 && fastest > 0) sum += kOfChoices * std::log(chosen / fastest);
    error += sum * (runs[begin].bytes < kSmall ? kOfSmall : 1);
  }
  return error;
}

// Logarithms by which the figures differ.
double Distance(const Machine& a, const Machine& b) {
  const auto apart = [](double x, double y) { return x > 0 && y > 0 ? std::abs(std::log(x / y)) : 0; };
  // An overhead may be next to nothing, of which any multiple is as good.
  const double overheads = apart(static_cast<double>(a.group_overhead), static_cast<double>(b.group_overhead)) / 4;
  return apart(static_cast<double>(a.latency), static_cast<double>(b.latency)) + apart(a.bandwidth, b.bandwidth) +
         overheads + apart(a.group_bandwidth, b.group_bandwidth) + apart(a.reduce_bandwidth, b.reduce_bandwidth);
}

// Moves one figure at a time, in ever smaller steps; returns the error that is left. A figure stays near where it
// was, which makes sense, unless there is much to be gained: otherwise noise sends it anywhere.
double Descend(Machine& machine, const std::vector<TimedRun>& runs, const Topology& topology) {
  const Machine start = machine;
  const auto error_of = [&](const Machine& moved) { return Error(moved, runs, topology) + Distance(moved, start); };
  double least = error_of(machine);
  constexpr int kSteps = 7;  // each half of the one before, in logarithms: the last one is of one percent
  double factor = 2;
  for (int i = 0; i < kSteps; ++i, factor = std::sqrt(factor)) {
    for (bool better = true; better;) {
      better = false;
      for (int figure = 0; figure < 5; ++figure) {
        for (const double by : {factor, 1 / factor}) {
          Machine moved = machine;
          const auto move = [&](auto& value) {
            value = static_cast<std::decay_t<decltype(value)>>(static_cast<double>(value) * by);
          };
          if (figure == 0) move(moved.latency);
          if (figure == 1) move(moved.bandwidth);
          if (figure == 2) move(moved.group_overhead);
          if (figure == 3) move(moved.group_bandwidth);
          if (figure == 4) move(moved.reduce_bandwidth);
          moved.latency = std::max<Time>(moved.latency, 1000);
          moved.group_overhead = std::max<Time>(moved.group_overhead, 1000);
          const double error = error_of(moved);
          if (error >= least * 0.9999) continue;  // too little to go after
          machine = moved;
          least = error;
          better = true;
        }
      }
    }
  }
  return least;
}

}  // namespace

double PredictRun(const TimedRun& run, const Topology& topology) {
  const Shape shape{run.collective, topology.ranks, 0, 0, GroupingsOf(topology)};
  return PredictByFormula(run.spec, shape, run.bytes, topology);
}

Machine FitMachine(Machine machine, const std::vector<TimedRun>& runs, const Topology& topology) {
  // From what was measured of messages, and from the figures in use.
  Machine used = machine;
  const Level& level = topology.levels.back();
  used.latency = level.latency;
  used.bandwidth = level.bandwidth;
  used.group_overhead = level.group_overhead;
  used.group_bandwidth = level.group_bandwidth;
  if (topology.reduce_bandwidth > 0) used.reduce_bandwidth = topology.reduce_bandwidth;
  for (Machine* start : {&machine, &used}) start->group_overhead = std::max<Time>(start->group_overhead, 10'000);
  return Descend(used, runs, topology) < Descend(machine, runs, topology) ? used : machine;
}

}  // namespace ccl
