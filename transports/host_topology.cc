#include "transports/host_topology.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace ccl {
namespace {

constexpr Time kMicrosecond = 1'000'000;
constexpr double kReduceBandwidth = 40e9;  // of one operand among others
// What it takes to leave the parts of a host that lie closest together: times the latency, and the time a byte takes.
constexpr double kFurther = 1.5, kSlower = 1.25;

// Ranks of one part of a host follow each other, and some part has several. Nothing when they do not, or when somebody's
// is not known.
std::optional<Grouping> RunsOf(absl::Span<const Location> locations, int32_t Location::*part) {
  Grouping runs;
  std::set<std::pair<int32_t, int32_t>> parts;
  std::pair<int32_t, int32_t> last;
  for (size_t rank = 0; rank < locations.size(); ++rank) {
    const std::pair<int32_t, int32_t> own(locations[rank].host, locations[rank].*part);
    if (own.second == Location::kNone) return std::nullopt;
    if (rank > 0 && own == last) continue;
    if (!parts.insert(own).second) return std::nullopt;
    runs.starts.push_back(static_cast<int>(rank));
    last = own;
  }
  runs.starts.push_back(static_cast<int>(locations.size()));
  if (runs.groups() == runs.ranks()) return std::nullopt;
  return runs;
}

bool Nests(const Grouping& inner, const Grouping& outer) {
  return std::includes(inner.starts.begin(), inner.starts.end(), outer.starts.begin(), outer.starts.end());
}

// Ranks that take turns on a processor wait for each other's turns, and share its rates.
Level HostLevel(const char* name, Grouping grouping, double crowding) {
  Level level;
  level.name = name;
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

void MoveApart(Level& level) {
  level.latency = static_cast<Time>(static_cast<double>(level.latency) * kFurther);
  level.bandwidth /= kSlower;
  level.group_bandwidth /= kSlower;
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

Topology HostTopology(absl::Span<const Location> locations, double crowding) {
  const int ranks = static_cast<int>(locations.size());
  const bool one_host = std::all_of(locations.begin(), locations.end(),
                                    [&](const Location& location) { return location.host == locations.front().host; });
  Topology topology;
  topology.ranks = ranks;
  if (crowding > 0) topology.reduce_bandwidth = kReduceBandwidth / crowding;
  const auto add = [&](const char* name, std::optional<Grouping> grouping) {
    if (!grouping.has_value()) return;
    std::vector<Level>& levels = topology.levels;
    // Nobody would meet here first; or parts of the one are in several of the other, as sockets that share a cache.
    while (!levels.empty() && (levels.back().grouping == *grouping || !Nests(levels.back().grouping, *grouping))) {
      levels.pop_back();
    }
    Level level = HostLevel(name, *std::move(grouping), crowding);
    for (size_t inner = 0; inner < levels.size(); ++inner) MoveApart(level);
    levels.push_back(std::move(level));
  };
  std::optional<Grouping> hosts = one_host ? Grouping::Uniform(ranks, ranks) : RunsOf(locations, &Location::host);
  if (crowding > 0 && hosts.has_value()) {
    add("cache", RunsOf(locations, &Location::cache));
    add("socket", RunsOf(locations, &Location::socket));
  }
  add("host", std::move(hosts));
  if (!one_host) topology.levels.push_back(NetworkLevel(ranks));
  return topology;
}

}  // namespace ccl
