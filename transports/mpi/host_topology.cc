#include "transports/mpi/host_topology.h"

#include <set>
#include <utility>

namespace ccl::mpi {
namespace {

constexpr Time kMicrosecond = 1'000'000;

Level HostLevel(Grouping grouping) {
  Level level;
  level.name = "host";
  level.grouping = std::move(grouping);
  level.latency = 1 * kMicrosecond;
  level.bandwidth = 8e9;
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

Topology HostTopology(absl::Span<const int> hosts) {
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
  if (distinct == 1) {
    topology.levels.push_back(HostLevel(std::move(runs)));
    return topology;
  }
  if (consecutive && distinct < ranks) topology.levels.push_back(HostLevel(std::move(runs)));
  topology.levels.push_back(NetworkLevel(ranks));
  return topology;
}

}  // namespace ccl::mpi
