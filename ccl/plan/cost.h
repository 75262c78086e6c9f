#ifndef CCL_PLAN_COST_H_
#define CCL_PLAN_COST_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ccl/algorithms/algorithm.h"
#include "ccl/topology/topology.h"

namespace ccl {

// Predicted time of `spec` for `bytes` of one rank's larger buffer (the vector; all n blocks of the per-rank
// collectives) on the topology: by what was measured of it, else by formula. In picoseconds; a prediction, so
// fractions are kept until the end.
double PredictTime(const AlgorithmSpec& spec, const Shape& shape, uint64_t bytes,
                   const Topology& topology);
bool WasMeasured(const AlgorithmSpec& spec, Collective collective, const Topology& topology);
// By the alpha-beta formulas of docs/algorithms.md, at the outermost level for flat algorithms and level by level for
// compositions; infinite without one.
double PredictByFormula(const AlgorithmSpec& spec, const Shape& shape, uint64_t bytes, const Topology& topology);

// Messages of one rank that are posted together take as long as the slowest of them, or as all of one
// direction take to pass the rank's port. In picoseconds, with the launch.
struct PeerMessage {
  int peer = 0;
  bool sends = false;
  uint64_t bytes = 0;
};
double PredictExchange(absl::Span<const PeerMessage> messages, int rank, const Topology& topology);

// The groupings of a topology that structure its ranks: neither all in one nor each alone.
std::vector<Grouping> GroupingsOf(const Topology& topology);

// No schedule on this topology can be faster: the largest of the latency between the ranks furthest
// apart, what a port must carry, and what a group's uplink must carry.
struct Bound {
  double time = 0;                 // picoseconds
  absl::string_view constraint;    // "latency", "port", "uplink"
};
Bound LowerBound(Collective collective, uint64_t bytes, const Topology& topology);

}  // namespace ccl

#endif  // CCL_PLAN_COST_H_
