#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fabric/description.h"
#include "fabric/file.h"
#include "fabric/graph.h"
#include "fabric/nearest.h"
#include "fabric/presets.h"

namespace fabric {
namespace {

constexpr int64_t kMaxEndpoints = 1 << 20;

// What can come into a group of tier `tier` from below, in bytes/s.
double IntoGroup(const Description& d, int tier) {
  const Tier& t = d.tiers[tier];
  const int holds = t.group_size / std::max(1, t.rails);
  if (d.OwnPort(tier)) return t.port_bandwidth * holds;
  const Tier& below = d.tiers[tier - 1];
  const int each = below.group_size / std::max(1, below.rails);
  const double from = below.uplink_bandwidth > 0 ? below.uplink_bandwidth : IntoGroup(d, tier - 1);
  return from * holds / std::max(1, each);
}

}  // namespace

absl::Status Resolve(int endpoints, Description& d) {
  const auto error = [&](auto... parts) {
    return absl::InvalidArgumentError(absl::StrCat(d.name, ": ", parts...));
  };
  if (endpoints < 0) return error("endpoints must not be negative");
  if (!d.links.empty()) {
    if (endpoints > 0 && endpoints != d.endpoints) {
      return error("is a graph of ", d.endpoints, " endpoints, not ", endpoints);
    }
    if (absl::Status status = ValidateGraph(d); !status.ok()) return status;
    d.tiers = {GraphTier(d)};
    d.minimum_endpoints = d.maximum_endpoints = d.endpoints;
    return absl::OkStatus();
  }
  if (d.tiers.empty()) return error("has no tiers");
  if (endpoints > 0) d.endpoints = endpoints;
  for (size_t i = 0; i < d.tiers.size(); ++i) {
    if (d.tiers[i].group_size < 0) {
      return error("tier ", d.tiers[i].name, ": group_size must not be negative");
    }
    if (d.tiers[i].group_size > 0 || i + 1 == d.tiers.size()) continue;
    return error("tier ", d.tiers[i].name, ": only the outermost tier may leave out group_size");
  }
  Tier& outer = d.tiers.back();
  const bool open = outer.group_size == 0;
  if (open && !outer.dimensions.empty()) {
    int64_t product = 1;
    for (int size : outer.dimensions) {
      product = std::min(kMaxEndpoints + 1, product * std::max(1, size));
    }
    outer.group_size = static_cast<int>(product);
    if (d.endpoints == 0) d.endpoints = outer.group_size;
    if (d.endpoints != outer.group_size) {
      return error(d.endpoints, " endpoints do not fill the dimensions of tier ", outer.name,
                   ", which hold ", product, "; set ", outer.name, ".dimensions");
    }
  }
  if (d.endpoints == 0) d.endpoints = outer.group_size;
  if (d.endpoints == 0) return error("needs endpoints, or a group_size in its outermost tier");
  const int holds = open ? d.maximum_endpoints : outer.group_size;
  if (d.maximum_endpoints == 0) d.maximum_endpoints = holds;
  const int most = d.maximum_endpoints == 0 ? static_cast<int>(kMaxEndpoints) : d.maximum_endpoints;
  if (d.endpoints > most) return error("holds at most ", most, " endpoints, not ", d.endpoints);
  if (d.endpoints < d.minimum_endpoints) {
    return error("needs at least ", d.minimum_endpoints, " endpoints, not ", d.endpoints);
  }
  if (outer.group_size == 0) {
    const int64_t inner =
        d.tiers.size() == 1 ? 1 : std::max(1, d.tiers[d.tiers.size() - 2].group_size);
    outer.group_size = static_cast<int>((d.endpoints + inner - 1) / inner * inner);
  }
  for (size_t i = 0; i < d.tiers.size(); ++i) {
    Tier& tier = d.tiers[i];
    if (tier.kind == TierKind::kTorus && tier.dimensions.empty()) {
      tier.dimensions = {tier.group_size};
    }
    if (tier.bit_error_rate > 0 && tier.retry_latency == 0) {
      tier.retry_latency = 2 * d.FibreLatency(static_cast<int>(i));
    }
    if (tier.oversubscription > 0) {
      tier.uplink_bandwidth = IntoGroup(d, static_cast<int>(i)) / tier.oversubscription;
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> PresetNames() {
  std::vector<std::string> names;
  for (const PresetFile& preset : Presets()) names.emplace_back(preset.name);
  return names;
}

absl::StatusOr<std::string> SourceOf(absl::string_view name) {
  for (const PresetFile& preset : Presets()) {
    if (preset.name == name) return std::string(preset.text);
  }
  if (absl::EndsWith(name, ".toml")) return ReadFile(std::string(name));
  const std::vector<std::string> names = PresetNames();
  return absl::NotFoundError(absl::StrCat("unknown system \"", name, "\"; did you mean \"",
                                          Nearest(name, names), "\"? A file ends in .toml"));
}

absl::StatusOr<Description> Load(absl::string_view name, int endpoints,
                                 absl::Span<const std::string> sets,
                                 absl::Span<const std::string> events) {
  auto text = SourceOf(name);
  if (!text.ok()) return text.status();
  return ParseText(*text, name, endpoints, sets, events);
}

}  // namespace fabric
