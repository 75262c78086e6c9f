#ifndef BENCH_RECORD_H_
#define BENCH_RECORD_H_

#include <string>
#include <vector>

#include "bench/job.h"

namespace ccl {

// One row of a result file.
struct Record {
  std::string collective, algorithm, type, op;
  int ranks = 0;
  uint64_t bytes = 0, count = 0;  // nccl-tests' size and count columns
  bool phantom = false;
  double seconds = 0;
  double bound_seconds = 0;
  std::string constraint;  // that sets the bound
  std::string extrapolated;  // why it lies outside of what its fabric was fitted to; empty: it does not
  int64_t wrong = -1;
  Actors actors;           // that ran; fewer than ranks when folded by symmetry
  // Of a comparison over seeds: `seconds` is the median.
  int seeds = 0, wins = 0;
  double least_seconds = 0, most_seconds = 0;

  // "ring", or "ring, 8 ranks for 384": what a table says in the algorithm's column.
  std::string AlgorithmText() const;
  double algbw() const { return seconds > 0 ? static_cast<double>(bytes) / seconds / 1e9 : 0; }
  double busbw() const;  // nccl-tests' factors
};

// The fraction of what is possible that a run reached: the bound on its time over its time. What takes
// no time reached all of it.
double Reached(double bound_seconds, double seconds);

// {"tool","version","fabric","backend","engine","results":[...]}; times in microseconds, GB = 1e9
// bytes. engine is null in real time. Over seeds, time_us is the median and "seeds" says the rest.
absl::Status WriteJson(const std::string& path, World& world, const std::string& url,
                       const std::vector<Record>& records);
absl::Status WriteCsv(const std::string& path, const std::vector<Record>& records);

// "1KiB:1GiB:x4" (from, to, factor) or a comma list of sizes.
absl::StatusOr<std::vector<uint64_t>> ParseSizes(absl::string_view text);

}  // namespace ccl

#endif  // BENCH_RECORD_H_
