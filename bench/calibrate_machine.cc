// cclbench calibrate machine: what the planner goes by on real ranks.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "bench/calibrate.h"
#include "bench/commands.h"
#include "bench/in_turn.h"
#include "bench/machine_fit.h"
#include "bench/paired.h"
#include "bench/record.h"
#include "ccl/backend/compute.h"
#include "ccl/base/status.h"
#include "ccl/plan/planner.h"

namespace ccl {
namespace {

Time PsOf(double seconds) { return std::max<Time>(1, static_cast<Time>(seconds * 1e12)); }

absl::StatusOr<double> SecondsOf(Job& job, Trial trial, const std::string& algorithm, uint64_t bytes,
                                 int repetitions) {
  trial.count = CountOf(trial, bytes, job.ranks(), true);
  CCL_ASSIGN_OR_RETURN(const std::vector<double> seconds,
                       TimesInTurn(job, trial, {algorithm}, repetitions, 1));
  return seconds[0];
}

// Bytes a second that f moves, over some milliseconds; every rank does so at once.
template <typename F>
double RateOf(size_t bytes, F f) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  double passed = 0, moved = 0;
  while (passed < 10e-3) {
    f();
    moved += static_cast<double>(bytes);
    passed = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  return moved / passed;
}

// Latency and rates of messages, of group operations and of a rank alone.
absl::Status MeasureFigures(Job& job, int repetitions, Machine& machine) {
  constexpr uint64_t kLong = 1 << 20;
  const int n = job.ranks();
  Trial message;
  CCL_RETURN_IF_ERROR(SetCollective("sendrecv", message));
  CCL_ASSIGN_OR_RETURN(const double latency, SecondsOf(job, message, "", 8, repetitions));
  CCL_ASSIGN_OR_RETURN(const double whole, SecondsOf(job, message, "", kLong, repetitions));
  machine.latency = PsOf(latency);
  machine.bandwidth = static_cast<double>(kLong) / std::max(whole - latency, 1e-9);
  if (job.world().topology().levels.back().group_bandwidth > 0) {
    Trial gather;
    gather.collective = Collective::kAllGather;
    CCL_ASSIGN_OR_RETURN(const double least, SecondsOf(job, gather, "group_direct", 8, repetitions));
    CCL_ASSIGN_OR_RETURN(const double most, SecondsOf(job, gather, "group_direct", kLong, repetitions));
    machine.group_overhead = std::max<Time>(0, PsOf(least) - machine.latency);
    machine.group_bandwidth = static_cast<double>(kLong) * (n - 1) / n / std::max(most - least, 1e-9);
  }
  constexpr size_t kBytes = 128 << 10;
  std::vector<float> a(kBytes / sizeof(float), 1), b(a), c(a);
  const void* operands[] = {a.data(), b.data()};
  machine.reduce_bandwidth = RateOf(kBytes, [&] {
    FoldInto(DataType::kFloat32, ReduceOp::kSum, c.data(), operands, c.size());
  });
  machine.copy_bandwidth = RateOf(kBytes, [&] { std::memcpy(c.data(), a.data(), kBytes); });
  return absl::OkStatus();
}

// A collective at a size, and what every algorithm for it took.
struct Case {
  Trial trial;
  uint64_t bytes = 0;  // of the larger buffer
  std::vector<std::string> algorithms;
  // By pass: of the middle algorithm, which noise moves least, and by algorithm how many times as long.
  std::vector<double> middle;
  std::vector<std::vector<double>> ratios;
};

// `topology`: the job's, without what was measured before.
absl::StatusOr<std::vector<Case>> CasesOf(Job& job, const Topology& topology, const std::vector<uint64_t>& sizes) {
  std::vector<Case> cases;
  for (const Collective collective :
       {Collective::kAllReduce, Collective::kReduceScatter, Collective::kAllGather, Collective::kBroadcast,
        Collective::kReduce, Collective::kAllToAll, Collective::kGather, Collective::kScatter,
        Collective::kBarrier}) {
    Trial trial;
    trial.collective = collective;
    for (const uint64_t size : SizesOf(trial, sizes)) {
      trial.count = CountOf(trial, size, job.ranks(), true);
      const uint64_t bytes = SizeColumn(trial, trial.count, job.ranks());
      const bool rounded_up = !cases.empty() && cases.back().trial.collective == collective &&
                              cases.back().bytes >= bytes;
      if (rounded_up) continue;
      CCL_ASSIGN_OR_RETURN(std::vector<std::string> algorithms,
                           ChoicesOf(topology, job.world().engine().abilities().group_operations, trial));
      if (algorithms.empty()) continue;
      cases.push_back({trial, bytes, std::move(algorithms), {}, {}});
      cases.back().ratios.resize(cases.back().algorithms.size());
    }
  }
  return cases;
}

// Every algorithm of every case, in so many passes over them all: a machine has moods that last for seconds, which
// then are not one case's.
absl::Status RunCases(Job& job, const MachineOptions& o, std::vector<Case>& cases) {
  constexpr double kHopeless = 2.5;
  for (int pass = 0; pass < o.passes; ++pass) {
    for (Case& c : cases) {
      CCL_ASSIGN_OR_RETURN(const std::vector<double> seconds,
                           TimesInTurn(job, c.trial, c.algorithms, o.repetitions, kHopeless));
      c.middle.push_back(Median(seconds));
      for (size_t i = 0; i < seconds.size(); ++i) c.ratios[i].push_back(seconds[i] / c.middle.back());
    }
  }
  return absl::OkStatus();
}

// Algorithms are compared within passes, in which what else the machine did hit them alike.
absl::StatusOr<std::vector<TimedRun>> RunsOf(const std::vector<Case>& cases) {
  std::vector<TimedRun> runs;
  for (const Case& c : cases) {
    std::vector<double> ratios;
    for (const std::vector<double>& own : c.ratios) ratios.push_back(Median(own));
    // As the planner would choose: of those that take equally long, the first by formula.
    const double least = *std::min_element(ratios.begin(), ratios.end());
    const auto fastest = std::find_if(ratios.begin(), ratios.end(),
                                      [&](double ratio) { return ratio <= least * Planner::kEqually; });
    for (size_t i = 0; i < ratios.size(); ++i) {
      CCL_ASSIGN_OR_RETURN(AlgorithmSpec spec, ParseAlgorithm(c.algorithms[i]));
      runs.push_back({c.trial.collective, std::move(spec), c.bytes, ratios[i] * Median(c.middle) * 1e12,
                      ratios.begin() + static_cast<std::ptrdiff_t>(i) == fastest});
    }
  }
  return runs;
}

// The fastest of every collective and size, measured once more: what comes of a prediction.
absl::StatusOr<std::vector<double>> RunAgain(Job& job, const std::vector<TimedRun>& runs, int repetitions) {
  std::vector<double> seconds;
  for (const TimedRun& run : runs) {
    if (!run.fastest) continue;
    Trial trial;
    trial.collective = run.collective;
    CCL_ASSIGN_OR_RETURN(const double again, SecondsOf(job, trial, Format(run.spec), run.bytes, repetitions));
    seconds.push_back(again);
  }
  return seconds;
}

// `again`: seconds of the fastest ones. `topology`: with the figures that were fitted, and no times.
void Print(const std::vector<TimedRun>& runs, const std::vector<double>& again, const Topology& topology) {
  std::printf("%-15s %10s  %-28s %12s %12s %6s %12s %6s\n", "collective", "bytes", "fastest", "measured us",
              "once more us", "ratio", "formula us", "ratio");
  int rows = 0, near = 0, by_formula = 0;  // of 4 KiB and up
  size_t at = 0;
  for (const TimedRun& run : runs) {
    if (!run.fastest) continue;
    const double now = again[at++] * 1e12, formula = PredictRun(run, topology);
    std::printf("%-15s %10lu  %-28s %12.2f %12.2f %6.2f %12.2f %6.2f\n", std::string(Name(run.collective)).c_str(),
                static_cast<unsigned long>(run.bytes), Format(run.spec).c_str(), run.time / 1e6, now / 1e6,
                run.time / now, formula / 1e6, formula / now);
    if (run.bytes < 4096) continue;
    const auto is_near = [&](double predicted) { return std::abs(predicted / now - 1) <= 0.25; };
    ++rows;
    near += is_near(run.time);
    by_formula += is_near(formula);
  }
  std::printf("\nfrom 4 KiB up %d of %d times measured, and %d of those by formula, lie within 25 %% of what was "
              "measured once more\n", near, rows, by_formula);
}

}  // namespace

absl::StatusOr<int> CalibrateMachine(const MachineOptions& o) {
  CCL_ASSIGN_OR_RETURN(const uint64_t largest, ParseSize(o.largest));
  CCL_ASSIGN_OR_RETURN(std::unique_ptr<Job> job, Job::Open(Options(), 0));
  if (job->virtual_time() || job->ranks() < 2) {
    return absl::InvalidArgumentError(
        "calibrate machine measures two real ranks or more: mpirun -n N cclbench calibrate machine");
  }
  Topology topology = job->world().topology();
  topology.measured = nullptr;
  std::vector<uint64_t> sizes;
  for (const uint64_t size : {8, 512, 4096}) sizes.push_back(size);
  while (sizes.back() * 4 <= largest) sizes.push_back(sizes.back() * 4);
  Machine machine;
  machine.key = KeyOf(job->world().engine().backend_name(), topology);
  CCL_RETURN_IF_ERROR(MeasureFigures(*job, o.repetitions, machine));
  CCL_ASSIGN_OR_RETURN(std::vector<Case> cases, CasesOf(*job, topology, sizes));
  CCL_RETURN_IF_ERROR(RunCases(*job, o, cases));
  CCL_ASSIGN_OR_RETURN(const std::vector<TimedRun> runs, RunsOf(cases));
  CCL_ASSIGN_OR_RETURN(const std::vector<double> again, RunAgain(*job, runs, o.repetitions));
  if (!job->speaks()) return 0;
  machine = FitMachine(machine, runs, topology);
  Topology fitted = topology;
  TakeMeasured(machine, fitted);
  Print(runs, again, fitted);
  for (const TimedRun& run : runs) {
    const MeasuredTimes::Point point{run.bytes, PsOf(run.time / 1e12)};
    CCL_RETURN_IF_ERROR(machine.times.Add(run.collective, Format(run.spec), point));
  }
  CCL_RETURN_IF_ERROR(WriteMachine(machine));
  std::printf("a message: %.2f us and %.1f GB/s; group operations: %.2f us more, %.1f GB/s; operands fold at "
              "%.1f GB/s\nwrote %s\njobs of this layout that start at this host plan by it\n",
              static_cast<double>(machine.latency) / 1e6, machine.bandwidth / 1e9,
              static_cast<double>(machine.group_overhead) / 1e6, machine.group_bandwidth / 1e9,
              machine.reduce_bandwidth / 1e9, MachinePath(machine.key).c_str());
  return 0;
}

}  // namespace ccl
