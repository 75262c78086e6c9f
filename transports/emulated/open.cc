#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "fabric/figures.h"
#include "transports/emulated/emulated.h"

namespace ccl {

Topology TopologyOf(const fabric::Description& d) {
  Topology topology;
  topology.ranks = d.endpoints;
  const int tiers = static_cast<int>(d.tiers.size());
  for (int i = 0; i < tiers; ++i) {
    const fabric::Tier& tier = d.tiers[i];
    const bool last = i + 1 == tiers || (tier.group_size >= d.endpoints && tier.rails == 1);
    topology.injection_bandwidth += fabric::OwnBandwidth(d, i);
    if (tier.rails > 1) continue;  // its groups are not of consecutive ranks
    Level level;
    level.name = tier.name;
    level.grouping = Grouping::Uniform(d.endpoints, last ? d.endpoints : tier.group_size);
    const int entry = d.EntryTier(i);
    level.latency = d.TierLatency(i, true);
    for (int below = entry; below < i; ++below) level.latency += 2 * d.TierLatency(below, false);
    const fabric::Tier& ports = d.tiers[entry];
    double wire = d.HasLinks(i) ? tier.link_bandwidth : ports.port_bandwidth;
    double port = fabric::OwnBandwidth(d, entry);
    if (d.memory_bandwidth > 0) port = std::min(port, d.memory_bandwidth);
    if (d.message_bandwidth > 0) wire = std::min(wire, d.message_bandwidth);
    wire = std::min(wire, port);
    // The level's own figures are those of the protocols that make most of the wire.
    level.bandwidth = wire, level.port_bandwidth = port;
    for (const fabric::Protocol* p : d.ProtocolsOf(i)) {
      const double most = p->message_bandwidth > 0 ? std::min(wire, p->message_bandwidth) : wire;
      if (level.protocols.empty()) level.bandwidth = level.port_bandwidth = 0;
      level.protocols.push_back({p->overhead, p->efficiency * most, p->efficiency,
                                 static_cast<uint64_t>(p->max_bytes)});
      level.bandwidth = std::max(level.bandwidth, p->efficiency * most);
      level.port_bandwidth = std::max(level.port_bandwidth, p->efficiency * port);
    }
    for (Protocol& p : level.protocols) p.efficiency *= port / level.port_bandwidth;
    // Out of a group lead its uplinks, or the members' own ports to the next tier.
    if (!last) {
      level.group_uplink = d.EntryTier(i + 1) == i + 1
                               ? tier.group_size * fabric::OwnBandwidth(d, i + 1)
                               : tier.uplink_bandwidth;
    }
    level.group_bandwidth = d.GroupEfficiency(i) * std::min(port, ports.port_bandwidth);
    level.group_overhead = tier.group_overhead;
    level.group_to_all = d.GroupToAll(i);
    topology.levels.push_back(std::move(level));
    if (last) break;
  }
  if (d.memory_bandwidth > 0) {
    topology.injection_bandwidth = std::min(topology.injection_bandwidth, d.memory_bandwidth);
  }
  topology.launch_overhead = d.launch_overhead;
  topology.block_bandwidth = d.block_bandwidth;
  topology.exchange_bandwidth = d.exchange_bandwidth;
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
  std::vector<std::string> sets, events;
  EmulatedOptions options;
  for (absl::string_view option : absl::StrSplit(parts.second, '&', absl::SkipEmpty())) {
    if (absl::ConsumePrefix(&option, "ranks=")) {
      if (!absl::SimpleAtoi(option, &asked) || asked < 1) {
        return absl::InvalidArgumentError(
            absl::StrCat("emulated: '", option, "' is not a number of ranks"));
      }
    } else if (absl::ConsumePrefix(&option, "set=")) {
      sets.emplace_back(option);
    } else if (absl::ConsumePrefix(&option, "event=")) {
      events.emplace_back(option);
    } else if (absl::ConsumePrefix(&option, "engine=")) {
      auto parsed = fabric::ParseEngine(option);
      if (!parsed.ok()) return parsed.status();
      options.engine = *parsed;
    } else if (absl::ConsumePrefix(&option, "trace=")) {
      options.trace = std::string(option);
    } else if (absl::ConsumePrefix(&option, "pace=")) {
      if (!absl::SimpleAtod(option, &options.dilation) ||
          !(options.dilation > 0 && options.dilation <= 1e12)) {
        return absl::InvalidArgumentError(
            absl::StrCat("emulated: '", option, "' is not a pace: how many real seconds a virtual one "
                         "takes, above 0, up to 1e12"));
      }
    } else if (option == "fold=yes" || option == "fold=no") {
      options.folds = option == "fold=yes";
    } else {
      return absl::InvalidArgumentError(absl::StrCat(
          "emulated: unknown option '", option,
          "'; known: ranks=N, set=KEY=VALUE, event=EVENT, engine=NAME, fold=yes|no, trace=FILE, "
          "pace=X"));
    }
  }
  if (ranks > 0 && asked > 0 && ranks != asked) {
    return absl::InvalidArgumentError(absl::StrCat("emulated: the URL asks for ", asked,
                                                   " ranks, the caller for ", ranks));
  }
  auto description = fabric::Load(parts.first, ranks > 0 ? ranks : asked, sets, events);
  if (!description.ok()) return description.status();
  return EmulatedBackend::Create(*description, options);
}

}  // namespace ccl
