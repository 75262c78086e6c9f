// Measurements that somebody published, and what stands for their systems here.
#ifndef BENCH_PUBLISHED_H_
#define BENCH_PUBLISHED_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/base/types.h"

namespace ccl {

// One measurement, as a row of a CSV file with these columns and `source`.
struct Published {
  std::string system, collective, metric, library, source;
  int ranks = 0, nodes = 1;
  uint64_t bytes = 0;  // nccl-tests' size column; 0 in a table of bandwidths: of long messages
  double value = 0;
};
absl::StatusOr<std::vector<Published>> ParsePublished(absl::string_view text, absl::string_view path);

// How a measurement is run here.
struct Stand {
  std::string preset;
  int endpoints = 0;                    // of the preset
  bool message = false;                 // a message from endpoint 0 to `peer`, no collective
  int peer = 0;
  std::string transfer;                 // of the message: send, write or read
  Collective collective = Collective::kAllReduce;
  std::vector<std::string> algorithms;  // that the library has for it; the fastest predicted is run
};

// How the ranks of a job lie: in a node, in a node that they fill, in several nodes.
enum class Where : uint8_t { kNode, kFilledNode, kNodes };

// What a library runs for a collective, as far as it is known; the fastest predicted is meant. `library`
// is a name with a word such as Ring or NVLS where one was forced.
absl::StatusOr<std::vector<std::string>> AlgorithmsOf(const std::string& library,
                                                      Collective collective, Where where);

// InvalidArgument says why a measurement cannot be run here: a system, metric, collective, library or
// placement of ranks that is not known. `preset`: what to take for its system; empty: what the table
// of systems says, or the preset of that name.
absl::StatusOr<Stand> StandFor(const Published& row, absl::string_view preset);

// What a row's metric is of an operation of so many bytes that takes so long.
double MetricOf(const Published& row, uint64_t bytes, double seconds);

}  // namespace ccl

#endif  // BENCH_PUBLISHED_H_
