#include "fabric/description.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fabric/file.h"
#include "fabric/nearest.h"

namespace fabric {
namespace {

constexpr int kMaxEndpoints = 1 << 20;

Description Crossbar(int endpoints) {
  Description d;
  d.name = "crossbar";
  d.endpoints = endpoints == 0 ? 8 : endpoints;
  d.tiers = {{.name = "switch",
              .group_size = d.endpoints,
              .port_bandwidth = 400e9,  // a round model value, of no particular product
              .switch_latency = kMicrosecond}};  // likewise: the whole path
  return d;
}

Description CloudMatrix384(int endpoints) {
  Description d;
  d.name = "cloudmatrix384";
  // 48 nodes x 8 NPUs: "Serving Large Language Models on Huawei CloudMatrix384", arXiv 2506.12708.
  d.endpoints = endpoints == 0 ? 384 : endpoints;
  // 7 UB planes x 56 GB/s (two dies x 28 GB/s, 224 Gb/s) per NPU and direction: public reviews of
  // arXiv 2506.12708; besthub.dev "Inside Huawei's CloudMatrix384" gives the same 392 GB/s.
  Tier node;
  node.port_bandwidth = 7 * 56e9;
  // Light in silica, refractive index about 1.47: 1 m / (c / 1.47) = 4.9 ns, rounded.
  d.fibre_delay = 5 * kNanosecond;
  node.name = "node";
  node.group_size = 8;
  // 200 ns per UB switch: vendor's launch claim (from 2 us down to 200 ns); not a measurement.
  node.switch_latency = 200 * kNanosecond;
  // 7 L1 chips per node, each 16 x 28 GB/s = 448 GB/s up: one to one with 8 x 392 GB/s. Derived
  // from the chip inventory in public reviews of arXiv 2506.12708.
  node.uplink_bandwidth = 7 * 448e9;
  Tier supernode;
  supernode.name = "supernode";
  supernode.group_size = 384;
  supernode.switch_latency = 200 * kNanosecond;  // L2, the same claim
  // No published figure: an assumption for 12 compute and 4 switch racks in a row.
  supernode.fibre_length = 20;
  d.tiers = {node, supernode};
  return d;
}

struct Preset {
  absl::string_view name;
  Description (*make)(int endpoints);
};
constexpr Preset kPresets[] = {{"crossbar", Crossbar}, {"cloudmatrix384", CloudMatrix384}};

// Bandwidths are used as whole bytes per second; zero means no limit where that is allowed.
bool IsRate(double value, bool may_be_zero) {
  return (may_be_zero && value == 0) || (value >= 1 && value <= 1e18);
}

bool IsDelay(Time value) { return value >= 0 && value <= kSecond * 100'000; }

}  // namespace

bool Description::OwnPort(int tier) const {
  return tier == 0 || tiers[tier].port_bandwidth > 0 || tiers[tier].kind != TierKind::kSwitch ||
         tiers[tier - 1].kind != TierKind::kSwitch;
}

int Description::EntryTier(int tier) const {
  while (!OwnPort(tier)) --tier;
  return tier;
}

int Description::Groups(int tier) const {
  const Tier& t = tiers[tier];
  return (endpoints + t.group_size - 1) / t.group_size * t.rails;
}

int Description::GroupOf(int endpoint, int tier) const {
  const Tier& t = tiers[tier];
  return t.rails == 1 ? endpoint / t.group_size
                      : endpoint / t.group_size * t.rails + endpoint % t.rails;
}

Time Description::FibreLatency(int tier) const {
  const Tier& t = tiers[tier];
  return std::llround(t.fibre_length * static_cast<double>(fibre_delay)) +
         2 * t.transceiver_latency + t.fec_latency;
}

Time Description::TierLatency(int tier, bool turning) const {
  const Tier& t = tiers[tier];
  if (t.kind != TierKind::kSwitch) return t.switch_latency + FibreLatency(tier);
  return t.switch_hops * t.switch_latency + (turning ? 2 : 1) * FibreLatency(tier);
}

int Description::MeetingTier(int src, int dst) const {
  int tier = 0;
  while (GroupOf(src, tier) != GroupOf(dst, tier)) ++tier;
  return tier;
}

int Description::TorusDistance(int tier, int src, int dst) const {
  int distance = 0;
  src %= tiers[tier].group_size;
  dst %= tiers[tier].group_size;
  for (int size : tiers[tier].dimensions) {
    const int ahead = (dst % size - src % size + size) % size;
    distance += std::min(ahead, size - ahead);
    src /= size;
    dst /= size;
  }
  return distance;
}

Time Description::PathLatency(int src, int dst) const {
  const int meeting = MeetingTier(src, dst);
  Time latency = TierLatency(meeting, true);
  if (tiers[meeting].kind == TierKind::kTorus) {
    return latency * std::max(1, TorusDistance(meeting, src, dst));
  }
  for (int tier = EntryTier(meeting); tier < meeting; ++tier) {
    latency += 2 * TierLatency(tier, false);
  }
  return latency;
}

double Description::PathBandwidth(int src, int dst) const {
  const int turn = MeetingTier(src, dst), entry = EntryTier(turn);
  double rate = tiers[entry].kind == TierKind::kSwitch ? tiers[entry].port_bandwidth
                                                       : tiers[entry].link_bandwidth;
  if (tiers[entry].port_bandwidth > 0) rate = std::min(rate, tiers[entry].port_bandwidth);
  if (message_bandwidth > 0) rate = std::min(rate, message_bandwidth);
  for (int tier = entry; tier < turn; ++tier) {
    const Tier& t = tiers[tier];
    if (t.uplink_bandwidth == 0) continue;
    rate = std::min(rate, t.routing == Routing::kSpray ? t.uplink_bandwidth
                                                       : t.uplink_bandwidth / t.uplinks);
  }
  return rate;
}

// Of one tier, given that the tiers below it are valid.
static absl::Status ValidateTier(const Description& d, int index) {
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
  for (Time delay : {tier.switch_latency, tier.transceiver_latency, tier.fec_latency}) {
    if (!IsDelay(delay)) return error("a latency is out of range");
  }
  if (!(tier.fibre_length >= 0 && tier.fibre_length <= 1e7)) {
    return error("fibre_length out of range");
  }
  const bool links = tier.kind != TierKind::kSwitch;
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
  if (links && (tier.rails != 1 || tier.group_efficiency > 0)) {
    return error("rails and group operations need switches");
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
  if (d.tiers.back().rails != 1) return error("the outermost tier must not have rails");
  const int inner = d.tiers.back().group_size;
  if (inner < d.endpoints) {
    return error("holds at most ", inner, " endpoints, not ", d.endpoints);
  }
  if (!IsRate(d.message_bandwidth, true)) return error("message_bandwidth out of range");
  if (!IsRate(d.reduce_bandwidth, true)) return error("reduce_bandwidth out of range");
  if (!IsRate(d.copy_bandwidth, true)) return error("copy_bandwidth out of range");
  for (Time delay : {d.send_overhead, d.recv_overhead, d.launch_overhead, d.message_gap}) {
    if (!IsDelay(delay)) return error("an overhead is out of range");
  }
  if (d.chunk_bytes < 1) return error("chunk must be at least a byte");
  for (const Protocol& protocol : d.protocols) {
    if (!(protocol.efficiency > 0 && protocol.efficiency <= 1) || !IsDelay(protocol.overhead) ||
        protocol.max_bytes < 0) {
      return error("protocol ", protocol.name, ": efficiency must be in 0..1, overhead and "
                   "max_bytes not negative");
    }
  }
  if (d.fibre_delay < 0 || d.fibre_delay > kMicrosecond) return error("fibre_delay out of range");
  return absl::OkStatus();
}

std::vector<std::string> PresetNames() {
  std::vector<std::string> names;
  for (const Preset& preset : kPresets) names.emplace_back(preset.name);
  return names;
}

absl::StatusOr<Description> Load(absl::string_view name, int endpoints,
                                 absl::Span<const std::string> sets) {
  for (const Preset& preset : kPresets) {
    if (preset.name != name) continue;
    if (endpoints < 0) return absl::InvalidArgumentError("endpoints must not be negative");
    Description d = preset.make(endpoints);
    for (const std::string& set : sets) {
      if (absl::Status status = Set(set, d); !status.ok()) return status;
    }
    if (absl::Status status = Validate(d); !status.ok()) return status;
    return d;
  }
  if (absl::EndsWith(name, ".toml")) return LoadFile(std::string(name), endpoints, sets);
  const std::vector<std::string> names = PresetNames();
  return absl::NotFoundError(
      absl::StrCat("unknown system \"", name, "\"; did you mean \"", Nearest(name, names), "\"?"));
}

}  // namespace fabric
