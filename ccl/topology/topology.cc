#include "ccl/topology/topology.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ccl/topology/measured_times.h"

namespace ccl {

int Grouping::GroupOf(int rank) const {
  const auto it = std::upper_bound(starts.begin(), starts.end(), rank);
  return static_cast<int>(it - starts.begin()) - 1;
}

int Grouping::SmallestSize() const {
  int smallest = size(0);
  for (int i = 1; i < groups(); ++i) smallest = std::min(smallest, size(i));
  return smallest;
}

bool Grouping::uniform() const {
  for (int i = 1; i < groups(); ++i) {
    if (size(i) != size(0)) return false;
  }
  return true;
}

Grouping Grouping::Uniform(int ranks, int size) {
  Grouping grouping;
  for (int start = 0; start < ranks; start += size) grouping.starts.push_back(start);
  grouping.starts.push_back(ranks);
  return grouping;
}

int Topology::LevelIndexOf(int a, int b) const {
  for (size_t i = 0; i + 1 < levels.size(); ++i) {
    if (levels[i].grouping.GroupOf(a) == levels[i].grouping.GroupOf(b)) return static_cast<int>(i);
  }
  return static_cast<int>(levels.size()) - 1;
}

const Level& Topology::LevelOf(int a, int b) const { return levels[LevelIndexOf(a, b)]; }

const Level* Topology::Host() const {
  if (levels.back().name != "network") return &levels.back();
  return levels.size() > 1 ? &levels[levels.size() - 2] : nullptr;
}

bool Topology::DoesGroupOperations(absl::Span<const int> ranks, bool to_all) const {
  if (ranks.empty()) return false;
  const Level& level = LevelOf(ranks.front(), ranks.back());
  return level.group_bandwidth > 0 && (!to_all || level.group_to_all);
}

Time Topology::LaunchTime(Collective collective, uint64_t bytes, int ranks) const {
  const bool exchange = EvenForm(collective) == Collective::kAllToAll;
  const double rate = exchange ? exchange_bandwidth : block_bandwidth;
  if (rate == 0 || HasRoot(collective)) return launch_overhead;
  const double passed = static_cast<double>(bytes) / (exchange ? 1 : ranks);
  return launch_overhead + static_cast<Time>(std::ceil(passed * 1e12 / rate));
}

std::string Topology::ToString() const {
  std::string text =
      absl::StrCat("ranks=", ranks, " injection=", injection_bandwidth,
                   "B/s launch=", launch_overhead, "ps block=", block_bandwidth, "B/s exchange=",
                   exchange_bandwidth, "B/s send=", send_overhead, "ps recv=", recv_overhead,
                   "ps reduce=", reduce_bandwidth, "B/s copy=", copy_bandwidth, "B/s");
  for (const Level& level : levels) {
    absl::StrAppend(&text, "\n", level.name, " starts=", absl::StrJoin(level.grouping.starts, ","),
                    " latency=", level.latency, "ps bandwidth=", level.bandwidth,
                    "B/s port=", level.port_bandwidth, "B/s uplink=", level.group_uplink,
                    "B/s group=", level.group_bandwidth, "B/s+", level.group_overhead, "ps",
                    level.group_to_all ? " to all" : " to one",
                    level.group_by_members ? " by members" : "",
                    level.group_together ? " together" : "");
    for (const Protocol& p : level.protocols) {
      absl::StrAppend(&text, " protocol=", p.overhead, "ps+", p.bandwidth, "B/s*", p.efficiency,
                      "<=", p.max_bytes, "B");
    }
  }
  if (measured != nullptr) absl::StrAppend(&text, "\nmeasured:\n", measured->ToString());
  return text;
}

Topology Topology::Flat(int ranks, Time latency, double bandwidth) {
  Topology topology;
  topology.ranks = ranks;
  Level level;
  level.name = "all";
  level.grouping = Grouping::Uniform(ranks, ranks);
  level.latency = latency;
  level.bandwidth = bandwidth;
  topology.levels.push_back(level);
  return topology;
}

absl::Status Validate(const Topology& t) {
  if (t.ranks < 1) return absl::InvalidArgumentError("a topology needs at least one rank");
  if (t.levels.empty()) return absl::InvalidArgumentError("a topology needs at least one level");
  for (const Level& level : t.levels) {
    const std::vector<int>& s = level.grouping.starts;
    const bool ascending = std::adjacent_find(s.begin(), s.end(), std::greater_equal<int>()) ==
                           s.end();
    if (s.size() < 2 || s.front() != 0 || s.back() != t.ranks || !ascending) {
      return absl::InvalidArgumentError(absl::StrCat(
          "level '", level.name, "': group starts must ascend from 0 to ", t.ranks));
    }
    if (level.latency < 0 || !(level.bandwidth > 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("level '", level.name, "': latency must be >= 0 and bandwidth > 0"));
    }
  }
  if (t.levels.back().grouping.groups() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("the outermost level '", t.levels.back().name, "' must hold all ranks"));
  }
  return absl::OkStatus();
}

}  // namespace ccl
