#include "transports/host_topology.h"

#include <set>
#include <utility>

namespace ccl {
namespace {

constexpr Time kMicrosecond = 1'000'000;
constexpr double kReduceBandwidth = 40e9;  // of one operand among others

// Ranks that take turns on a processor wait for each other's turns, and share its rates.
Level HostLevel(Grouping grouping, double crowding) {
  Level level;
  level.name = "host";
  level.grouping = std::move(grouping);
  level.latency = 1 * kMicrosecond;
  level.bandwidth = 8e9;
  if (crowding == 0) return level;
  level.latency = crowding > 1 ? 2 * kMicrosecond : kMicrosecond / 4;
  level.bandwidth = 7e9 / crowding;
  level.group_bandwidth = 10e9 / crowding;
  level.group_by_members = true;
  level.group_together = crowding > 1;
  return level;
}

Level NetworkLevel(int ranks) {
  Level level;
  level.name = "network";
  level.grouping = Grouping::Uniform(ranks, ranks);
  level.latency = 5 * kMicrosecond;
  level.bandwidth = 3e9;
  return level;
}

}  // namespace

Topology HostTopology(absl::Span<const int> hosts, double crowding) {
  const int ranks = static_cast<int>(hosts.size());
  Grouping runs;
  for (int rank = 0; rank < ranks; ++rank) {
    if (rank == 0 || hosts[rank] != hosts[rank - 1]) runs.starts.push_back(rank);
  }
  runs.starts.push_back(ranks);
  const int distinct = static_cast<int>(std::set<int>(hosts.begin(), hosts.end()).size());
  const bool consecutive = runs.groups() == distinct;

  Topology topology;
  topology.ranks = ranks;
  if (crowding > 0) topology.reduce_bandwidth = kReduceBandwidth / crowding;
  if (distinct == 1) {
    topology.levels.push_back(HostLevel(std::move(runs), crowding));
    return topology;
  }
  if (consecutive && distinct < ranks) topology.levels.push_back(HostLevel(std::move(runs), crowding));
  topology.levels.push_back(NetworkLevel(ranks));
  return topology;
}

}  // namespace ccl
