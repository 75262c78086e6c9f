#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "transports/emulated/emulated.h"

namespace ccl {

Topology TopologyOf(const fabric::Description& d) {
  Topology topology;
  topology.ranks = d.endpoints;
  for (size_t i = 0; i < d.tiers.size(); ++i) {
    const fabric::Tier& tier = d.tiers[i];
    Level level;
    level.name = tier.name;
    const bool last = i + 1 == d.tiers.size() || tier.group_size >= d.endpoints;
    level.grouping = Grouping::Uniform(d.endpoints, last ? d.endpoints : tier.group_size);
    level.latency = d.TierLatency(static_cast<int>(i), true);
    for (size_t below = 0; below < i; ++below) {
      level.latency += 2 * d.TierLatency(static_cast<int>(below), false);
    }
    level.bandwidth = d.port_bandwidth;
    level.group_uplink = last ? 0 : tier.uplink_bandwidth;
    topology.levels.push_back(std::move(level));
    if (last) break;
  }
  topology.launch_overhead = d.launch_overhead;
  topology.send_overhead = d.send_overhead;
  topology.recv_overhead = d.recv_overhead;
  topology.reduce_bandwidth = d.reduce_bandwidth;
  topology.copy_bandwidth = d.copy_bandwidth;
  return topology;
}

absl::StatusOr<std::unique_ptr<Backend>> OpenEmulated(absl::string_view rest, int ranks) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(rest, absl::MaxSplits('?', 1));
  int asked = 0;
  std::vector<std::string> sets;
  for (absl::string_view option : absl::StrSplit(parts.second, '&', absl::SkipEmpty())) {
    if (absl::ConsumePrefix(&option, "ranks=")) {
      if (!absl::SimpleAtoi(option, &asked) || asked < 1) {
        return absl::InvalidArgumentError(
            absl::StrCat("emulated: '", option, "' is not a number of ranks"));
      }
    } else if (absl::ConsumePrefix(&option, "set=")) {
      sets.emplace_back(option);
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("emulated: unknown option '", option, "'; known: ranks=N, set=KEY=VALUE"));
    }
  }
  if (ranks > 0 && asked > 0 && ranks != asked) {
    return absl::InvalidArgumentError(absl::StrCat("emulated: the URL asks for ", asked,
                                                   " ranks, the caller for ", ranks));
  }
  auto description = fabric::Load(parts.first, ranks > 0 ? ranks : asked, sets);
  if (!description.ok()) return description.status();
  return EmulatedBackend::Create(*description);
}

}  // namespace ccl
