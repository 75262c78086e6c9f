// What measuring programs print: nccl-tests, hccl_test, and tables of comma-separated values.
#ifndef BENCH_LOGS_H_
#define BENCH_LOGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/base/types.h"

namespace ccl {

// One time that somebody measured.
struct Sample {
  bool sendrecv = false;   // every rank sends to the next; else `collective`
  Collective collective = Collective::kAllReduce;
  std::string algorithm;   // that ran; empty: not known
  std::string library;     // that measured; empty: not known
  int ranks = 0;
  uint64_t bytes = 0;      // of a rank's larger buffer
  double seconds = 0;
};

// What a log does not say itself; empty or 0: it has to.
struct LogHints {
  std::string collective;
  int ranks = 0;
};

// The samples of a log's text; whatever else it holds is passed over. Tables of nccl-tests: their
// out-of-place times. Of hccl_test, whose data_size is what one NPU has: the larger buffer of an
// allgather or reduce-scatter has as many of it as there are ranks. CSV: columns collective, ranks,
// bytes, time_us, and algorithm when it is known. InvalidArgument, beginning with `path`, when there
// is no sample, or it does not say of which collective or how many ranks. Any bytes are safe to pass.
absl::StatusOr<std::vector<Sample>> ParseLog(absl::string_view text, absl::string_view path,
                                             const LogHints& hints);

}  // namespace ccl

#endif  // BENCH_LOGS_H_
