#include "fabric/description.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace fabric {

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
  if (HasLinks(tier)) return t.switch_latency + FibreLatency(tier);
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

int64_t Description::Pipes(int tier) const {
  int64_t pipes = 1;
  for (int i = EntryTier(tier); i <= tier; ++i) {
    if (tiers[i].routing != Routing::kSpray) pipes *= tiers[i].uplinks;
    pipes = std::min(pipes, int64_t{1} << 31);
  }
  return pipes;
}

double Description::GroupEfficiency(int tier) const {
  double efficiency = 1;
  for (int i = EntryTier(tier); i <= tier; ++i) {
    efficiency = std::min(efficiency, tiers[i].group_efficiency);
  }
  return efficiency;
}

bool Description::GroupToAll(int tier) const {
  for (int i = EntryTier(tier); i <= tier; ++i) {
    if (!tiers[i].group_to_all) return false;
  }
  return true;
}

std::string Description::Extrapolation(int64_t bytes) const {
  const Calibration& c = calibrated;
  if (c.system.empty()) return "";
  if (c.system != name) return absl::StrCat("fitted to measurements of ", c.system, ", not of ", name);
  if (endpoints < c.min_ranks || endpoints > c.max_ranks) {
    return absl::StrCat(endpoints, " ranks, fitted to ", c.min_ranks, " to ", c.max_ranks);
  }
  if (bytes < c.min_bytes || bytes > c.max_bytes) {
    return absl::StrCat(bytes, " bytes, fitted to ", c.min_bytes, " to ", c.max_bytes);
  }
  return "";
}

bool Protocol::Serves(absl::string_view tier, Transfer how) const {
  if (transfer != Transfer::kAny && transfer != how) return false;
  return tiers.empty() || std::find(tiers.begin(), tiers.end(), tier) != tiers.end();
}

std::vector<const Protocol*> Description::ProtocolsOf(int tier) const {
  std::vector<const Protocol*> found;
  for (const Protocol& protocol : protocols) {
    if (protocol.Serves(tiers[tier].name, transfer)) found.push_back(&protocol);
  }
  return found;
}

bool Description::HasHistory() const {
  return !timeline.empty() || noise.distribution != Draw::kNone ||
         std::any_of(tiers.begin(), tiers.end(), [](const Tier& t) {
           return t.kind == TierKind::kCircuit || t.bit_error_rate > 0;
         });
}

double Description::Goodput(int tier) const {
  const double rate = tiers[tier].bit_error_rate;
  return rate == 0 ? 1 : std::exp(8.0 * static_cast<double>(frame_bytes) * std::log1p(-rate));
}

double Description::PathBandwidth(int src, int dst) const {
  const int turn = MeetingTier(src, dst), entry = EntryTier(turn);
  double rate = HasLinks(entry) ? tiers[entry].link_bandwidth : tiers[entry].port_bandwidth;
  if (tiers[entry].port_bandwidth > 0) rate = std::min(rate, tiers[entry].port_bandwidth);
  rate *= Goodput(entry);
  if (message_bandwidth > 0) rate = std::min(rate, message_bandwidth);
  if (memory_bandwidth > 0) rate = std::min(rate, memory_bandwidth);
  for (int tier = entry; tier < turn; ++tier) {
    if (tiers[tier].uplink_bandwidth == 0) continue;
    rate = std::min(rate, tiers[tier].uplink_bandwidth / static_cast<double>(Pipes(tier)) *
                              Goodput(tier + 1));
  }
  return rate;
}

}  // namespace fabric
