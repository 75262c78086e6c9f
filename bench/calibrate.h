// Fabrics and machines from measurements of one's own.
#ifndef BENCH_CALIBRATE_H_
#define BENCH_CALIBRATE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/logs.h"

namespace ccl {

struct CalibrateOptions {
  std::vector<std::string> from;  // logs
  bool live = false;              // measure: the ranks of mpirun
  LogHints hints;
  std::string library;            // NCCL or HCCL; empty: what the log is of
  std::string like;               // the system whose structure it has; empty: one switch
  std::string name = "calibrated", out;
  std::string command;            // as it was called, for the file
};

// Fits a fabric to measured times, prints predicted beside measured for the points that the fit did not
// see, and writes the file. With `live` collective over the processes of the job; rank 0 prints and
// writes.
absl::StatusOr<int> CalibrateFabric(const CalibrateOptions& options);

// Measures the ranks of mpirun and writes the file by which later jobs of their layout plan.
// Collective over the processes of the job; rank 0 prints and writes.
struct MachineOptions {
  int passes = 3;
  int repetitions = 5;  // of each time in a pass
  std::string largest = "16MiB";
};
absl::StatusOr<int> CalibrateMachine(const MachineOptions& options);

}  // namespace ccl

#endif  // BENCH_CALIBRATE_H_
