#include "bench/in_turn.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "bench/commands.h"
#include "bench/paired.h"
#include "ccl/base/status.h"
#include "ccl/plan/planner.h"

namespace ccl {

absl::StatusOr<std::vector<double>> TimesInTurn(Job& job, Trial trial,
                                                const std::vector<std::string>& algorithms, int repetitions,
                                                double hopeless) {
  constexpr double kBatch = 0.5e-3;  // seconds: short of a turn that somebody else gets
  trial.check = false;
  std::vector<std::vector<double>> times(algorithms.size());
  double least = HUGE_VAL;
  for (size_t i = 0; i < algorithms.size(); ++i) {
    trial.algorithm = algorithms[i];
    trial.warmup = 1;
    trial.iterations = 2;
    CCL_ASSIGN_OR_RETURN(const Outcome once, job.Run(trial));
    CCL_ASSIGN_OR_RETURN(const Outcome again, job.Run(trial));
    times[i].push_back(std::min(once.seconds, again.seconds));
    least = std::min(least, times[i].front());
  }
  trial.warmup = 0;
  for (int turn = 0; turn < repetitions; ++turn) {
    for (size_t i = 0; i < algorithms.size(); ++i) {
      const double once = times[i].front();
      if (once > hopeless * least) continue;
      trial.algorithm = algorithms[i];
      trial.iterations = std::clamp(static_cast<int>(kBatch / std::max(once, 1e-8)), 2, 1000);
      CCL_ASSIGN_OR_RETURN(const Outcome outcome, job.Run(trial));
      times[i].push_back(outcome.seconds);
    }
  }
  std::vector<double> medians;
  for (std::vector<double>& own : times) {
    // The first run chose the number of iterations, no more.
    if (own.size() > 1) own.erase(own.begin());
    medians.push_back(Median(own));
  }
  return medians;
}

absl::StatusOr<std::vector<std::string>> ChoicesOf(const Topology& topology, bool group_operations,
                                                   const Trial& trial) {
  Planner planner(topology, {}, group_operations);
  const uint64_t bytes = SizeColumn(trial, trial.count, topology.ranks);
  CCL_ASSIGN_OR_RETURN(const auto plan, planner.Choose(trial.collective, bytes, trial.root, ""));
  std::vector<std::string> algorithms;
  for (const Plan::Candidate& candidate : plan->candidates) {
    if (std::isfinite(candidate.time)) algorithms.push_back(Format(candidate.spec));
  }
  return algorithms;
}

absl::Status PrintBest(Job& job, const Trial& trial) {
  constexpr int kRepetitions = 9;
  World& world = job.world();
  CCL_ASSIGN_OR_RETURN(const std::vector<std::string> algorithms,
                       ChoicesOf(world.topology(), world.engine().abilities().group_operations, trial));
  // The planner's choice leads the list.
  CCL_ASSIGN_OR_RETURN(const std::vector<double> seconds,
                       TimesInTurn(job, trial, algorithms, kRepetitions, 3));
  const size_t best = static_cast<size_t>(std::min_element(seconds.begin(), seconds.end()) - seconds.begin());
  if (job.speaks()) {
    std::printf("#   chosen %s %.2f us; fastest of %zu: %s %.2f us; chosen/fastest %.2f\n",
                algorithms[0].c_str(), seconds[0] * 1e6, algorithms.size(), algorithms[best].c_str(),
                seconds[best] * 1e6, seconds[0] / seconds[best]);
  }
  return absl::OkStatus();
}

}  // namespace ccl
