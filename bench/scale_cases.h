#ifndef BENCH_SCALE_CASES_H_
#define BENCH_SCALE_CASES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/job.h"

// What `cclbench scale` runs.
namespace ccl {

struct ScaleCase {
  std::string name;
  std::string fabric;        // as the table says it
  std::string backend;       // the URL
  Collective collective = Collective::kAllReduce;
  std::string algorithm;     // empty: an all-to-all of point-to-point messages of uneven sizes
  int ranks = 0;
  uint64_t bytes = 0;        // of a rank's larger buffer
  double target = 0;         // CPU seconds
  bool has_peer = false;     // simgrid_peer runs it too
};
std::vector<ScaleCase> ScaleCases();

// float32 elements, as the call of the case takes them.
uint64_t ScaleCount(const ScaleCase& c);

struct ScaleRun {
  int64_t messages = 0;  // of all ranks, folded or not
  Time time = 0;         // virtual, picoseconds
  int actors = 0;        // ranks that were simulated
};
// Opens the world and runs the case once.
absl::StatusOr<ScaleRun> RunScaleCase(const ScaleCase& c);

}  // namespace ccl

#endif  // BENCH_SCALE_CASES_H_
