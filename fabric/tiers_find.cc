// What events of the timeline are about, in a system of tiers.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "fabric/nearest.h"
#include "fabric/tiers.h"

namespace fabric {
namespace {

template <typename... Parts>
absl::Status Wrong(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

}  // namespace

absl::Status TieredNetwork::FindEndpoint(int endpoint, int tier, std::vector<Lane>& lanes) const {
  const Tier& t = d_.tiers[tier];
  const TierPorts& ports = tiers_[tier];
  if (ports.entry != tier) {
    return Wrong("endpoints have no ports of their own to tier ", t.name, "; they enter it through ",
                 d_.tiers[ports.entry].name);
  }
  if (ports.send != kNone) {
    lanes.push_back({.port = ports.send + endpoint});
    lanes.push_back({.port = ports.receive + endpoint});
  }
  const int size = t.group_size, begin = endpoint / size * size;
  if (t.kind == TierKind::kMesh) {
    for (int e = begin; e < std::min(begin + size, d_.endpoints); ++e) {
      if (e == endpoint) continue;
      lanes.push_back({.port = ports.links + static_cast<uint32_t>(endpoint) * size + (e - begin)});
      lanes.push_back({.port = ports.links + static_cast<uint32_t>(e) * size + (endpoint - begin)});
    }
  } else if (t.kind == TierKind::kTorus) {
    const int each = static_cast<int>(2 * t.dimensions.size());
    int stride = 1;
    for (int link = 0; link < each; ++link) {
      const int n = t.dimensions[link / 2], x = (endpoint - begin) / stride % n;
      const int to = endpoint + ((x + (link % 2 == 0 ? 1 : n - 1)) % n - x) * stride;
      lanes.push_back({.port = ports.links + static_cast<uint32_t>(endpoint * each + link)});
      lanes.push_back({.port = ports.links + static_cast<uint32_t>(to * each + (link ^ 1))});
      if (link % 2 == 1) stride *= n;
    }
  }
  return absl::OkStatus();
}

absl::Status TieredNetwork::FindUplinks(const TimelineEvent& event, int tier,
                                        std::vector<Lane>& lanes) const {
  const Tier& t = d_.tiers[tier];
  const TierPorts& ports = tiers_[tier];
  if (ports.down == kNone) {
    return Wrong("tier ", t.name, " has no uplinks", t.uplink_bandwidth > 0 ? "" : " of a rate");
  }
  const int groups = d_.Groups(tier);
  if (event.group >= groups) {
    return Wrong("there is no group ", event.group, " of tier ", t.name, ", only 0 to ", groups - 1);
  }
  if (event.uplink >= t.uplinks) {
    return Wrong("there is no uplink ", event.uplink, " of a group of tier ", t.name, ", only 0 to ",
                 t.uplinks - 1);
  }
  const bool one = event.uplink != TimelineEvent::kUnset, spray = t.routing == Routing::kSpray;
  const bool all = event.group == TimelineEvent::kAll;
  for (int group = all ? 0 : event.group; group < (all ? groups : event.group + 1); ++group) {
    for (int pipe = 0; pipe < ports.pipes; ++pipe) {
      if (one && !spray && pipe % t.uplinks != event.uplink) continue;
      Lane lane;
      lane.parts = one && !spray ? ports.pipes / t.uplinks : ports.pipes;
      if (one && spray && t.uplinks > 1) lane.lane = event.uplink, lane.lanes = t.uplinks;
      for (uint32_t first : {ports.up, ports.down}) {
        lane.port = first + static_cast<uint32_t>(group * ports.pipes + pipe);
        lanes.push_back(lane);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status TieredNetwork::FindLink(const TimelineEvent& event, int tier,
                                     std::vector<Lane>& lanes) const {
  int ends[2];
  for (int i = 0; i < 2; ++i) {
    const std::string& text = i == 0 ? event.from : event.to;
    if (!absl::SimpleAtoi(text, &ends[i]) || ends[i] < 0 || ends[i] >= d_.endpoints) {
      return Wrong(i == 0 ? "from" : "to", ": there is no endpoint \"", text, "\", only 0 to ",
                   d_.endpoints - 1);
    }
  }
  if (ends[0] == ends[1]) return Wrong("a link ends where it begins");
  if (tier < 0) tier = d_.MeetingTier(ends[0], ends[1]);
  const Tier& t = d_.tiers[tier];
  const uint32_t links = tiers_[tier].links;
  if (links == kNone) return Wrong("tier ", t.name, " has no links between endpoints");
  const int size = t.group_size, begin = ends[0] / size * size;
  if (ends[1] / size * size != begin) {
    return Wrong("endpoints ", ends[0], " and ", ends[1], " are in different groups of ", t.name);
  }
  const uint32_t each = static_cast<uint32_t>(2 * t.dimensions.size());
  for (int i = 0; i < 2; ++i) {
    const int src = ends[i], dst = ends[1 - i];
    if (t.kind == TierKind::kMesh) {
      lanes.push_back({.port = links + static_cast<uint32_t>(src) * size + (dst - begin)});
      continue;
    }
    int stride = 1;
    for (uint32_t link = 0; link < each; ++link) {
      const int n = t.dimensions[link / 2], x = (src - begin) / stride % n;
      const int to = src + ((x + (link % 2 == 0 ? 1 : n - 1)) % n - x) * stride;
      if (to == dst) lanes.push_back({.port = links + static_cast<uint32_t>(src) * each + link});
      if (link % 2 == 1) stride *= n;
    }
  }
  if (lanes.empty()) {
    return Wrong("endpoints ", ends[0], " and ", ends[1], " of ", t.name, " are no neighbours");
  }
  return absl::OkStatus();
}

absl::Status TieredNetwork::Find(const TimelineEvent& event, std::vector<Lane>& lanes) const {
  int tier = -1;
  std::vector<std::string> names;
  for (int i = 0; i < static_cast<int>(d_.tiers.size()); ++i) {
    names.push_back(d_.tiers[i].name);
    if (event.tier == names.back()) tier = i;
  }
  if (!event.tier.empty() && tier < 0) {
    return Wrong("there is no tier \"", event.tier, "\"; did you mean \"", Nearest(event.tier, names),
                 "\"?");
  }
  if (event.group != TimelineEvent::kUnset) return FindUplinks(event, tier, lanes);
  if (!event.from.empty()) return FindLink(event, tier, lanes);
  const bool all = event.endpoint == TimelineEvent::kAll;
  for (int e = all ? 0 : event.endpoint; e < (all ? d_.endpoints : event.endpoint + 1); ++e) {
    for (int i = 0; i < static_cast<int>(tiers_.size()); ++i) {
      if (tier >= 0 ? i != tier : tiers_[i].entry != i) continue;
      if (absl::Status status = FindEndpoint(e, i, lanes); !status.ok()) return status;
      if (lanes.size() > kMaxLanes) return Wrong("is about more than ", kMaxLanes, " ports");
    }
  }
  return absl::OkStatus();
}

}  // namespace fabric
