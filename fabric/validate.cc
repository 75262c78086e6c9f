#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fabric/description.h"
#include "fabric/nearest.h"

namespace fabric {
namespace {

constexpr int kMaxEndpoints = 1 << 20;

// Bandwidths are used as whole bytes per second; zero means no limit where that is allowed.
bool IsRate(double value, bool may_be_zero) {
  return (may_be_zero && value == 0) || (value >= 1 && value <= 1e18);
}

// Of one tier, given that the tiers below it are valid.
absl::Status ValidateTier(const Description& d, int index) {
  const Tier& tier = d.tiers[index];
  const auto error = [&](auto... parts) {
    return absl::InvalidArgumentError(absl::StrCat(d.name, ": tier ", tier.name, ": ", parts...));
  };
  const int inner = index == 0 ? 1 : d.tiers[index - 1].group_size;
  if (tier.group_size < 1 || tier.group_size > kMaxEndpoints) {
    return error("group size ", tier.group_size, " out of range");
  }
  if (tier.group_size % inner != 0) {
    return error("group size ", tier.group_size, " is not a multiple of ", inner);
  }
  if (tier.rails < 1 || tier.group_size % tier.rails != 0) {
    return error(tier.rails, " rails do not divide a group of ", tier.group_size);
  }
  if (tier.switch_hops < 0 || tier.switch_hops > 100) return error("switch_hops out of range");
  for (Time delay : {tier.switch_latency, tier.transceiver_latency, tier.fec_latency,
                     tier.retry_latency, tier.reconfiguration, tier.reconfiguration_jitter}) {
    if (!IsDelay(delay)) return error("a latency is out of range");
  }
  if (!(tier.fibre_length >= 0 && tier.fibre_length <= 1e7)) {
    return error("fibre_length out of range");
  }
  const bool links = d.HasLinks(index), circuits = tier.kind == TierKind::kCircuit;
  if (!IsRate(tier.port_bandwidth, links || !d.OwnPort(index))) {
    return error("port_bandwidth out of range", index == 0 || links
                     ? "" : ": a tier of switches above links needs ports of its own");
  }
  if (!IsRate(tier.link_bandwidth, !links)) return error("link_bandwidth out of range");
  if (!links && tier.link_bandwidth > 0) return error("only a mesh or torus has links");
  if (!IsRate(tier.uplink_bandwidth, true)) return error("uplink_bandwidth out of range");
  if (tier.uplinks < 1 || tier.uplinks > 65536) return error("uplinks out of range");
  if (!(tier.group_efficiency >= 0 && tier.group_efficiency <= 1)) {
    return error("group_efficiency must be in 0..1");
  }
  if (!IsDelay(tier.group_overhead)) return error("group_overhead is out of range");
  if ((links || circuits) && (tier.rails != 1 || tier.group_efficiency > 0)) {
    return error("rails and group operations need switches");
  }
  if (!(tier.bit_error_rate >= 0 && tier.bit_error_rate < 1) || d.Goodput(index) < 0.01) {
    return error("bit_error_rate must leave frames whole, at least one of a hundred");
  }
  if (tier.kind == TierKind::kTorus) {
    int64_t product = 1;
    for (int size : tier.dimensions) {
      if (size < 1) return error("dimensions must be positive");
      product *= size;
      if (product > kMaxEndpoints) break;
    }
    if (product != tier.group_size) {
      return error("its dimensions hold ", product, " endpoints, its group ", tier.group_size);
    }
    if (d.endpoints % tier.group_size != 0) {
      return error(d.endpoints, " endpoints leave holes in a torus of ", tier.group_size);
    }
  } else if (!tier.dimensions.empty()) {
    return error("only a torus has dimensions");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Validate(const Description& d) {
  const auto error = [&](auto... parts) {
    return absl::InvalidArgumentError(absl::StrCat(d.name, ": ", parts...));
  };
  if (d.endpoints < 1 || d.endpoints > kMaxEndpoints) {
    return error("endpoints must be in 1..", kMaxEndpoints, ", not ", d.endpoints);
  }
  if (d.tiers.empty() || d.tiers.size() > 100) return error("needs 1 to 100 tiers");
  for (size_t i = 0; i < d.tiers.size(); ++i) {
    if (absl::Status status = ValidateTier(d, static_cast<int>(i)); !status.ok()) return status;
  }
  int circuits = 0;
  for (const Tier& tier : d.tiers) circuits += tier.kind == TierKind::kCircuit;
  if (circuits > 1) return error("has ", circuits, " tiers of circuits; one is what can be");
  if (d.tiers.back().rails != 1) return error("the outermost tier must not have rails");
  const int inner = d.tiers.back().group_size;
  if (inner < d.endpoints) {
    return error("holds at most ", inner, " endpoints, not ", d.endpoints);
  }
  if (!IsRate(d.message_bandwidth, true)) return error("message_bandwidth out of range");
  if (!IsRate(d.memory_bandwidth, true)) return error("memory_bandwidth out of range");
  if (d.memory_bandwidth > 0 && !d.links.empty()) {
    return error("memory_bandwidth is for tiers; in a graph the links of an endpoint limit it");
  }
  if (!IsRate(d.block_bandwidth, true)) return error("block_bandwidth out of range");
  if (!IsRate(d.exchange_bandwidth, true)) return error("exchange_bandwidth out of range");
  if (!IsRate(d.reduce_bandwidth, true)) return error("reduce_bandwidth out of range");
  if (!IsRate(d.copy_bandwidth, true)) return error("copy_bandwidth out of range");
  for (Time delay : {d.send_overhead, d.recv_overhead, d.launch_overhead, d.message_gap}) {
    if (!IsDelay(delay)) return error("an overhead is out of range");
  }
  if (d.chunk_bytes < 1) return error("chunk must be at least a byte");
  if (d.concurrent_sends < 0) return error("concurrent_sends must not be negative; 0 is any number");
  if (!IsDelay(d.noise.latency) || !IsDelay(d.noise.send_overhead)) return error("noise out of range");
  if (d.frame_bytes < 1) return error("frame must be at least a byte");
  for (const TimelineEvent& event : d.timeline) {
    if (absl::Status status = ValidateEvent(event); !status.ok()) return status;
  }
  if (d.packet_bytes < 1) return error("packet must be at least a byte");
  if (d.buffer_bytes < 1) return error("buffer must be at least a byte");
  for (const Protocol& protocol : d.protocols) {
    if (!(protocol.efficiency > 0 && protocol.efficiency <= 1) || !IsDelay(protocol.overhead) ||
        protocol.max_bytes < 0) {
      return error("protocol ", protocol.name, ": efficiency must be in 0..1, overhead and "
                   "max_bytes not negative");
    }
    if (!IsRate(protocol.message_bandwidth, true)) {
      return error("protocol ", protocol.name, ": message_bandwidth out of range");
    }
    for (const std::string& tier : protocol.tiers) {
      std::vector<std::string> names;
      for (const Tier& t : d.tiers) names.push_back(t.name);
      if (std::find(names.begin(), names.end(), tier) != names.end()) continue;
      return error("protocol ", protocol.name, ": there is no tier \"", tier,
                   "\"; did you mean \"", Nearest(tier, names), "\"?");
    }
  }
  if (d.fibre_delay < 0 || d.fibre_delay > kMicrosecond) return error("fibre_delay out of range");
  return absl::OkStatus();
}

}  // namespace fabric
