#include <algorithm>

#include "ccl/plan/cost.h"

namespace ccl {

Bound LowerBound(Collective asked, uint64_t bytes, const Topology& t) {
  const Collective collective = EvenForm(asked);
  const int n = t.ranks;
  Bound bound{0, "latency"};
  if (n == 1) return bound;
  const double m = static_cast<double>(bytes), block = m / n;
  const double ends = static_cast<double>(t.launch_overhead + t.send_overhead + t.recv_overhead);
  const auto raise = [&](double time, absl::string_view constraint) {
    if (time > bound.time) bound = {time, constraint};
  };
  raise(ends + static_cast<double>(t.levels.back().latency), "latency");
  // Bytes that some port must carry after its first byte has crossed the nearest hop. Allreduce:
  // every element of the vector leaves a rank n - 1 times in sum, and n - 1 times comes back:
  // Patarasuk and Yuan, 2009.
  // Switches that reduce take an element once from every rank.
  const auto reduces = [](const Level& level) { return level.group_bandwidth > 0; };
  const double allreduce = std::any_of(t.levels.begin(), t.levels.end(), reduces) ? 1 : 2;
  double port = 0;
  switch (collective) {
    case Collective::kAllReduce:
      port = allreduce * (n - 1) * block;
      break;
    case Collective::kBroadcast:
    case Collective::kReduce:
    case Collective::kScan:
    case Collective::kExscan:
      port = m;
      break;
    case Collective::kBarrier:
      break;
    default:
      port = (n - 1) * block;
  }
  const double near = static_cast<double>(t.levels.front().latency);
  const double injection =
      t.injection_bandwidth > 0 ? t.injection_bandwidth : t.levels.front().bandwidth;
  raise(ends + near + port * 1e12 / injection, "port");
  // Bytes that a group of g ranks must pass through its uplink, one way.
  // Once from every group, if the outermost switches reduce.
  const double between = t.levels.back().group_bandwidth > 0 ? 1 : 2;
  for (const Level& level : t.levels) {
    if (level.group_uplink <= 0 || level.grouping.groups() < 2) continue;
    const double g = level.grouping.SmallestSize(), groups = level.grouping.groups();
    double cut = 0;
    switch (collective) {
      case Collective::kAllReduce:
        cut = between * (groups - 1) * m / groups;
        break;
      case Collective::kAllGather:
      case Collective::kReduceScatter:
        cut = (n - g) * block;
        break;
      case Collective::kAllToAll:
        cut = g * (n - g) * block;
        break;
      case Collective::kBroadcast:
      case Collective::kReduce:
      case Collective::kScan:
      case Collective::kExscan:
        cut = m;
        break;
      case Collective::kBarrier:
        continue;
      default:
        cut = (n - g) * block;  // into or out of the root's group
    }
    raise(ends + static_cast<double>(t.levels.back().latency) + cut * 1e12 / level.group_uplink,
          "uplink");
  }
  return bound;
}

}  // namespace ccl
