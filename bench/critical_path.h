#ifndef BENCH_CRITICAL_PATH_H_
#define BENCH_CRITICAL_PATH_H_

#include "ccl/backend/backend.h"

namespace ccl {

// The chain of flows that ends last: each began at the instant at which the one before it ended at
// the rank that was last to post. Its time is split without rest:
struct CriticalPath {
  Time latency = 0;        // propagation, switches, endpoint overheads
  Time serialisation = 0;  // bytes over bandwidth
  Time waiting = 0;        // for ports and links that others use
  Time local = 0;          // reductions, copies and delays
  int messages = 0;
  int first_rank = 0, last_rank = 0;

  Time total() const { return latency + serialisation + waiting + local; }
};
CriticalPath FindCriticalPath(absl::Span<const FlowRecord> flows);

}  // namespace ccl

#endif  // BENCH_CRITICAL_PATH_H_
