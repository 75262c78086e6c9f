// Published measurements beside what the presets predict.
#ifndef BENCH_EVALUATE_H_
#define BENCH_EVALUATE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ccl {

struct EvaluateOptions {
  std::string file, json;
  std::string system;                       // only rows of this one; empty: all
  std::vector<std::string> maps;            // "SYSTEM=PRESET"
  std::vector<std::string> sets;            // "KEY=VALUE" of every fabric that is run
};

// Runs every row of a CSV file on its preset and prints predicted beside published, then what remains:
// medians, largest messages, and the rows that could not be run, with the reason. An error is about the
// file; rows that do not fit are no error.
absl::StatusOr<int> Evaluate(const EvaluateOptions& options);

}  // namespace ccl

#endif  // BENCH_EVALUATE_H_
