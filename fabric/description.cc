#include "fabric/description.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fabric/file.h"

namespace fabric {
namespace {

constexpr int kMaxEndpoints = 1 << 20;

Description Crossbar(int endpoints) {
  Description d;
  d.name = "crossbar";
  d.endpoints = endpoints == 0 ? 8 : endpoints;
  d.port_bandwidth = 400e9;  // a round model value, of no particular product
  d.tiers = {{.name = "switch",
              .group_size = d.endpoints,
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
  d.port_bandwidth = 7 * 56e9;
  // Light in silica, refractive index about 1.47: 1 m / (c / 1.47) = 4.9 ns, rounded.
  d.fibre_delay = 5 * kNanosecond;
  Tier node;
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

int EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i) + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const int substitute = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substitute, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

absl::string_view Nearest(absl::string_view key, absl::Span<const std::string> known) {
  return *std::min_element(known.begin(), known.end(),
                           [&](const std::string& a, const std::string& b) {
                             return EditDistance(key, a) < EditDistance(key, b);
                           });
}

// A settable key: exactly one of the two targets is set.
struct Key {
  std::string name;
  Time* time = nullptr;
  double* bandwidth = nullptr;
  double* length = nullptr;
};

std::vector<Key> Keys(Description& d) {
  std::vector<Key> keys = {
      {.name = "port_bandwidth", .bandwidth = &d.port_bandwidth},
      {.name = "reduce_bandwidth", .bandwidth = &d.reduce_bandwidth},
      {.name = "copy_bandwidth", .bandwidth = &d.copy_bandwidth},
      {.name = "send_overhead", .time = &d.send_overhead},
      {.name = "recv_overhead", .time = &d.recv_overhead},
      {.name = "launch_overhead", .time = &d.launch_overhead},
      {.name = "fibre_delay", .time = &d.fibre_delay},
  };
  for (Tier& tier : d.tiers) {
    keys.push_back({.name = tier.name + ".switch_latency", .time = &tier.switch_latency});
    keys.push_back({.name = tier.name + ".fibre_length", .length = &tier.fibre_length});
    if (&tier != &d.tiers.back()) {
      keys.push_back(
          {.name = tier.name + ".uplink_bandwidth", .bandwidth = &tier.uplink_bandwidth});
    }
  }
  if (d.tiers.size() == 1) {
    keys.push_back({.name = "latency", .time = &d.tiers[0].switch_latency});
  }
  return keys;
}

template <typename T>
absl::Status Assign(absl::string_view key, absl::StatusOr<T> value, T* target) {
  if (!value.ok()) {
    return absl::Status(value.status().code(), absl::StrCat(key, ": ", value.status().message()));
  }
  *target = *value;
  return absl::OkStatus();
}

// Bandwidths are used as whole bytes per second; zero means no limit where that is allowed.
bool IsRate(double value, bool may_be_zero) {
  return (may_be_zero && value == 0) || (value >= 1 && value <= 1e18);
}

bool IsDelay(Time value) { return value >= 0 && value <= kSecond * 100'000; }

}  // namespace

Time Description::TierLatency(int tier, bool turning) const {
  const Tier& t = tiers[tier];
  const Time fibre = std::llround(t.fibre_length * static_cast<double>(fibre_delay));
  return t.switch_hops * t.switch_latency + (turning ? 2 : 1) * fibre;
}

int Description::MeetingTier(int src, int dst) const {
  int tier = 0;
  while (src / tiers[tier].group_size != dst / tiers[tier].group_size) ++tier;
  return tier;
}

Time Description::PathLatency(int src, int dst) const {
  const int meeting = MeetingTier(src, dst);
  Time latency = TierLatency(meeting, true);
  for (int tier = 0; tier < meeting; ++tier) latency += 2 * TierLatency(tier, false);
  return latency;
}

absl::Status Validate(const Description& d) {
  const auto error = [&](auto... parts) {
    return absl::InvalidArgumentError(absl::StrCat(d.name, ": ", parts...));
  };
  if (d.endpoints < 1 || d.endpoints > kMaxEndpoints) {
    return error("endpoints must be in 1..", kMaxEndpoints, ", not ", d.endpoints);
  }
  if (d.tiers.empty() || d.tiers.size() > 100) return error("needs 1 to 100 tiers");
  int inner = 1;
  for (const Tier& tier : d.tiers) {
    if (tier.group_size < 1 || tier.group_size % inner != 0) {
      return error("group size ", tier.group_size, " of tier ", tier.name, " is not a multiple of ",
                   inner);
    }
    inner = tier.group_size;
    if (tier.switch_hops < 0 || tier.switch_hops > 100 || !IsDelay(tier.switch_latency)) {
      return error("switch hops or latency of tier ", tier.name, " out of range");
    }
    if (!(tier.fibre_length >= 0 && tier.fibre_length <= 1e7)) {
      return error("fibre length of tier ", tier.name, " out of range");
    }
    if (!IsRate(tier.uplink_bandwidth, true)) {
      return error("uplink bandwidth of tier ", tier.name, " out of range");
    }
  }
  if (inner < d.endpoints) {
    return error("holds at most ", inner, " endpoints, not ", d.endpoints);
  }
  if (!IsRate(d.port_bandwidth, false)) return error("port_bandwidth out of range");
  if (!IsRate(d.reduce_bandwidth, true)) return error("reduce_bandwidth out of range");
  if (!IsRate(d.copy_bandwidth, true)) return error("copy_bandwidth out of range");
  if (!IsDelay(d.send_overhead) || !IsDelay(d.recv_overhead) || !IsDelay(d.launch_overhead)) {
    return error("overheads out of range");
  }
  if (d.fibre_delay < 0 || d.fibre_delay > kMicrosecond) return error("fibre_delay out of range");
  return absl::OkStatus();
}

absl::Status Set(absl::string_view set, Description& d) {
  const size_t equals = set.find('=');
  if (equals == absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("\"", set, "\" is not of the form key=value"));
  }
  return SetKey(absl::StripAsciiWhitespace(set.substr(0, equals)), set.substr(equals + 1), d);
}

absl::Status SetKey(absl::string_view name, absl::string_view value, Description& d) {
  const std::vector<Key> keys = Keys(d);
  std::vector<std::string> names;
  for (const Key& key : keys) {
    if (key.name != name) {
      names.push_back(key.name);
      continue;
    }
    if (key.time != nullptr) return Assign(name, ParseTime(value), key.time);
    if (key.bandwidth != nullptr) return Assign(name, ParseBandwidth(value), key.bandwidth);
    return Assign(name, ParseLength(value), key.length);
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown key \"", name, "\" of ", d.name,
                                                 "; did you mean \"", Nearest(name, names),
                                                 "\"? Keys: ", absl::StrJoin(names, ", ")));
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
