#include <algorithm>
#include <numeric>
#include <utility>

#include "ccl/topology/topology.h"

namespace ccl {
namespace {

// Runs of neighbours that share a group.
Grouping Runs(const Grouping& grouping, absl::Span<const int> ranks) {
  Grouping runs;
  int last = -1;
  for (size_t i = 0; i < ranks.size(); ++i) {
    const int group = grouping.GroupOf(ranks[i]);
    if (group != last) runs.starts.push_back(static_cast<int>(i));
    last = group;
  }
  runs.starts.push_back(static_cast<int>(ranks.size()));
  return runs;
}

// Whether they are all there are, in order.
bool Same(absl::Span<const int> ranks, int all) {
  for (size_t i = 0; i < ranks.size(); ++i) {
    if (ranks[i] != static_cast<int>(i)) return false;
  }
  return ranks.size() == static_cast<size_t>(all);
}

}  // namespace

Topology Subset(const Topology& topology, absl::Span<const int> ranks) {
  Topology subset = topology;
  subset.ranks = static_cast<int>(ranks.size());
  if (!Same(ranks, topology.ranks)) subset.measured = nullptr;
  subset.levels.clear();
  double uplink = 0;  // of a level left out: what its groups, now single ranks, get out
  for (size_t i = 0; i < topology.levels.size(); ++i) {
    Level level = topology.levels[i];
    level.grouping = Runs(level.grouping, ranks);
    const bool all = level.grouping.groups() == 1 || i + 1 == topology.levels.size();
    if (all) level.grouping = Grouping::Uniform(subset.ranks, subset.ranks);
    if (!all && level.grouping.groups() == subset.ranks) {
      if (level.group_uplink > 0) {
        uplink = uplink > 0 ? std::min(uplink, level.group_uplink) : level.group_uplink;
      }
      continue;
    }
    if (!subset.levels.empty() && subset.levels.back().grouping == level.grouping) {
      double& inner = subset.levels.back().group_uplink;
      if (all || inner == 0 || (level.group_uplink > 0 && level.group_uplink < inner)) {
        inner = all ? 0 : level.group_uplink;
      }
      if (all) break;
      continue;  // nobody meets here first
    }
    if (all) level.group_uplink = 0;
    if (uplink > 0) {
      const double port = level.port_bandwidth > 0 ? level.port_bandwidth : level.bandwidth;
      level.port_bandwidth = std::min(port, uplink);
      level.bandwidth = std::min(level.bandwidth, uplink);
    }
    subset.levels.push_back(std::move(level));
    if (all) break;
  }
  return subset;
}

Topology FirstHost(const Topology& topology) {
  std::vector<int> ranks(static_cast<size_t>(topology.Host()->grouping.size(0)));
  std::iota(ranks.begin(), ranks.end(), 0);
  return Subset(topology, ranks);
}

}  // namespace ccl
