// Algorithms against each other on real ranks.
#ifndef BENCH_IN_TURN_H_
#define BENCH_IN_TURN_H_

#include <string>
#include <vector>

#include "bench/job.h"

namespace ccl {

// Seconds that `trial` takes with each of the algorithms: the median of so many batches, which they run in
// turn, so that whatever else the machine does hits all alike. Who takes more than `hopeless` times as
// long as the fastest in both of two first runs is not run again; the faster of the two counts. Collective over the processes.
absl::StatusOr<std::vector<double>> TimesInTurn(Job& job, Trial trial,
                                                const std::vector<std::string>& algorithms, int repetitions,
                                                double hopeless);

// Every algorithm that the planner has a choice of for a collective.
absl::StatusOr<std::vector<std::string>> ChoicesOf(const Topology& topology, bool group_operations,
                                                   const Trial& trial);

// One line: the planner's choice, the fastest of all, and how much longer the choice takes.
absl::Status PrintBest(Job& job, const Trial& trial);

}  // namespace ccl

#endif  // BENCH_IN_TURN_H_
