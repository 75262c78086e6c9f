#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "fabric/description.h"
#include "fabric/nearest.h"

namespace fabric {
namespace {

// Distinct types of the values that share a C++ type.
struct BandwidthKey { double* value; };
struct LengthKey { double* value; };
struct FractionKey { double* value; };
struct TimeKey { Time* value; };
struct CountKey { int* value; };
struct BytesKey { int64_t* value; };
struct SeedKey { uint64_t* value; };
struct RoutingKey { Routing* value; };
struct TransferKey { Transfer* value; };
struct ResultsKey { bool* value; };
struct NameKey { std::string* value; };
struct NamesKey { std::vector<std::string>* value; };
struct RatioKey { double* value; };
struct DimensionsKey { std::vector<int>* value; };
struct DrawKey { Draw* value; };
struct CircuitsKey { CircuitPolicy* value; };

struct Key {
  std::string name;
  std::variant<BandwidthKey, LengthKey, FractionKey, TimeKey, CountKey, BytesKey, SeedKey,
               RoutingKey, TransferKey, ResultsKey, NameKey, NamesKey, RatioKey, DimensionsKey, DrawKey,
               CircuitsKey> target;
};

std::vector<Key> Keys(Description& d) {
  std::vector<Key> keys = {
      {"message_bandwidth", BandwidthKey{&d.message_bandwidth}},
      {"memory_bandwidth", BandwidthKey{&d.memory_bandwidth}},
      {"reduce_bandwidth", BandwidthKey{&d.reduce_bandwidth}},
      {"copy_bandwidth", BandwidthKey{&d.copy_bandwidth}},
      {"block_bandwidth", BandwidthKey{&d.block_bandwidth}},
      {"exchange_bandwidth", BandwidthKey{&d.exchange_bandwidth}},
      {"send_overhead", TimeKey{&d.send_overhead}},
      {"recv_overhead", TimeKey{&d.recv_overhead}},
      {"message_gap", TimeKey{&d.message_gap}},
      {"launch_overhead", TimeKey{&d.launch_overhead}},
      {"transfer", TransferKey{&d.transfer}},
      {"fibre_delay", TimeKey{&d.fibre_delay}},
      {"chunk", BytesKey{&d.chunk_bytes}},
      {"packet", BytesKey{&d.packet_bytes}},
      {"buffer", BytesKey{&d.buffer_bytes}},
      {"frame", BytesKey{&d.frame_bytes}},
      {"concurrent_sends", CountKey{&d.concurrent_sends}},
      {"seed", SeedKey{&d.seed}},
      {"calibrated.system", NameKey{&d.calibrated.system}},
      {"calibrated.min_bytes", BytesKey{&d.calibrated.min_bytes}},
      {"calibrated.max_bytes", BytesKey{&d.calibrated.max_bytes}},
      {"calibrated.min_ranks", CountKey{&d.calibrated.min_ranks}},
      {"calibrated.max_ranks", CountKey{&d.calibrated.max_ranks}},
      {"noise.distribution", DrawKey{&d.noise.distribution}},
      {"noise.latency", TimeKey{&d.noise.latency}},
      {"noise.send_overhead", TimeKey{&d.noise.send_overhead}},
      {"noise.seed", SeedKey{&d.noise.seed}},
  };
  const bool graph = !d.links.empty();  // its tier is computed
  if (!graph) keys.insert(keys.begin(), {"port_bandwidth", BandwidthKey{&d.tiers[0].port_bandwidth}});
  for (Tier& tier : d.tiers) {
    if (graph) break;
    const auto add = [&](const char* name, auto target) {
      keys.push_back({absl::StrCat(tier.name, ".", name), target});
    };
    add("group_size", CountKey{&tier.group_size});
    add("port_bandwidth", BandwidthKey{&tier.port_bandwidth});
    add("switch_latency", TimeKey{&tier.switch_latency});
    add("switch_hops", CountKey{&tier.switch_hops});
    add("fibre_length", LengthKey{&tier.fibre_length});
    add("transceiver_latency", TimeKey{&tier.transceiver_latency});
    add("fec_latency", TimeKey{&tier.fec_latency});
    add("bit_error_rate", FractionKey{&tier.bit_error_rate});
    add("retry_latency", TimeKey{&tier.retry_latency});
    if (tier.kind == TierKind::kCircuit) {
      add("circuits", CircuitsKey{&tier.circuits});
      add("reconfiguration", TimeKey{&tier.reconfiguration});
      add("reconfiguration_draw", DrawKey{&tier.reconfiguration_draw});
      add("reconfiguration_jitter", TimeKey{&tier.reconfiguration_jitter});
      continue;
    }
    if (tier.kind != TierKind::kSwitch) {
      add("link_bandwidth", BandwidthKey{&tier.link_bandwidth});
      if (tier.kind == TierKind::kTorus) add("dimensions", DimensionsKey{&tier.dimensions});
      continue;
    }
    add("rails", CountKey{&tier.rails});
    add("group_efficiency", FractionKey{&tier.group_efficiency});
    add("group_overhead", TimeKey{&tier.group_overhead});
    add("group_results", ResultsKey{&tier.group_to_all});
    if (&tier != &d.tiers.back()) {
      add("uplink_bandwidth", BandwidthKey{&tier.uplink_bandwidth});
      add("oversubscription", RatioKey{&tier.oversubscription});
      add("uplinks", CountKey{&tier.uplinks});
      add("routing", RoutingKey{&tier.routing});
    }
  }
  if (d.tiers.size() == 1 && !graph) keys.push_back({"latency", TimeKey{&d.tiers[0].switch_latency}});
  for (Protocol& protocol : d.protocols) {
    const auto add = [&](const char* name, auto target) {
      keys.push_back({absl::StrCat("protocol.", protocol.name, ".", name), target});
    };
    add("overhead", TimeKey{&protocol.overhead});
    add("efficiency", FractionKey{&protocol.efficiency});
    add("message_bandwidth", BandwidthKey{&protocol.message_bandwidth});
    add("tiers", NamesKey{&protocol.tiers});
    add("transfer", TransferKey{&protocol.transfer});
    add("max_bytes", BytesKey{&protocol.max_bytes});
  }
  return keys;
}

template <typename T>
absl::Status Assign(absl::StatusOr<T> parsed, T* target) {
  if (parsed.ok()) *target = *parsed;
  return parsed.status();
}

absl::Status Bad(absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not ", what));
}

struct Parse {
  absl::string_view text;

  absl::Status operator()(BandwidthKey key) const {
    return Assign(ParseBandwidth(text), key.value);
  }
  absl::Status operator()(LengthKey key) const { return Assign(ParseLength(text), key.value); }
  absl::Status operator()(TimeKey key) const { return Assign(ParseTime(text), key.value); }
  absl::Status operator()(BytesKey key) const { return Assign(ParseBytes(text), key.value); }
  absl::Status operator()(FractionKey key) const {
    return absl::SimpleAtod(text, key.value) && std::isfinite(*key.value)
               ? absl::OkStatus()
               : Bad(text, "a fraction such as 0.85");
  }
  absl::Status operator()(CountKey key) const {
    return absl::SimpleAtoi(text, key.value) ? absl::OkStatus()
                                             : Bad(text, "a whole number of 32 bits");
  }
  absl::Status operator()(RatioKey key) const {
    return absl::SimpleAtod(text, key.value) && *key.value >= 0 && *key.value <= 1e6
               ? absl::OkStatus()
               : Bad(text, "a ratio such as 2");
  }
  absl::Status operator()(DimensionsKey key) const {
    std::vector<int> dimensions;
    for (absl::string_view part : absl::StrSplit(text, absl::ByAnyChar("x,"))) {
      int size = 0;
      if (!absl::SimpleAtoi(part, &size) || size < 1) return Bad(text, "dimensions such as 4x4x4");
      dimensions.push_back(size);
    }
    if (dimensions.size() > 16) return Bad(text, "dimensions: at most 16");
    *key.value = std::move(dimensions);
    return absl::OkStatus();
  }
  absl::Status operator()(DrawKey key) const {
    if (text == "none") return *key.value = Draw::kNone, absl::OkStatus();
    if (text == "uniform") return *key.value = Draw::kUniform, absl::OkStatus();
    if (text == "exponential") return *key.value = Draw::kExponential, absl::OkStatus();
    if (text == "normal") return *key.value = Draw::kNormal, absl::OkStatus();
    return Bad(text, "a distribution: none, uniform, exponential or normal");
  }
  absl::Status operator()(CircuitsKey key) const {
    if (text == "demand") return *key.value = CircuitPolicy::kDemand, absl::OkStatus();
    if (text == "scheduled") return *key.value = CircuitPolicy::kScheduled, absl::OkStatus();
    return Bad(text, "a policy of circuits: demand or scheduled");
  }
  absl::Status operator()(SeedKey key) const {
    return absl::SimpleAtoi(text, key.value) ? absl::OkStatus() : Bad(text, "a whole number");
  }
  absl::Status operator()(RoutingKey key) const {
    if (text == "spray") return *key.value = Routing::kSpray, absl::OkStatus();
    if (text == "hash") return *key.value = Routing::kHash, absl::OkStatus();
    if (text == "modulo") return *key.value = Routing::kModulo, absl::OkStatus();
    return Bad(text, "a routing: spray, hash or modulo");
  }
  absl::Status operator()(TransferKey key) const {
    if (text == "send") return *key.value = Transfer::kSend, absl::OkStatus();
    if (text == "write") return *key.value = Transfer::kWrite, absl::OkStatus();
    if (text == "read") return *key.value = Transfer::kRead, absl::OkStatus();
    return Bad(text, "a transfer: send, write or read");
  }
  absl::Status operator()(ResultsKey key) const {
    if (text != "one" && text != "all") return Bad(text, "who gets a reduction's result: one or all");
    *key.value = text == "all";
    return absl::OkStatus();
  }
  absl::Status operator()(NameKey key) const {
    if (text.empty()) return Bad(text, "a name");
    *key.value = std::string(text);
    return absl::OkStatus();
  }
  absl::Status operator()(NamesKey key) const {
    std::vector<std::string> names;
    for (absl::string_view name : absl::StrSplit(text, ',')) {
      names.emplace_back(absl::StripAsciiWhitespace(name));
    }
    *key.value = std::move(names);
    return absl::OkStatus();
  }
};

struct Read {
  const std::string& key;

  Parameter operator()(BandwidthKey k) const { return {key, *k.value, "B/s", true}; }
  Parameter operator()(LengthKey k) const { return {key, *k.value, "m"}; }
  Parameter operator()(FractionKey k) const { return {key, *k.value}; }
  Parameter operator()(RatioKey k) const { return {key, *k.value}; }
  Parameter operator()(TimeKey k) const { return {key, static_cast<double>(*k.value), "ps", true}; }
  Parameter operator()(BytesKey k) const { return {key, static_cast<double>(*k.value), "B", true}; }
  // Counts and choices.
  template <typename T>
  Parameter operator()(T) const { return {}; }
};

// Where the value is.
struct Address {
  template <typename T>
  const void* operator()(T key) const { return key.value; }
};

}  // namespace

std::vector<Parameter> Parameters(const Description& description) {
  Description d = description;
  std::vector<Parameter> parameters;
  std::vector<const void*> seen;
  std::vector<std::string> ratios;  // of uplinks, which then have no rate of their own
  for (const Tier& tier : d.tiers) {
    if (tier.oversubscription > 0) ratios.push_back(absl::StrCat(tier.name, ".uplink_bandwidth"));
  }
  for (const Key& key : Keys(d)) {
    const void* address = std::visit(Address{}, key.target);
    Parameter parameter = std::visit(Read{key.name}, key.target);
    if (parameter.key.empty() || std::find(seen.begin(), seen.end(), address) != seen.end() ||
        std::find(ratios.begin(), ratios.end(), key.name) != ratios.end() ||
        absl::StartsWith(key.name, "calibrated.") ||
        parameter.value >= static_cast<double>(INT64_MAX)) {
      continue;
    }
    seen.push_back(address);
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

std::string ValueText(const Parameter& p) {
  return absl::StrCat(p.whole ? absl::StrFormat("%.0f", p.value) : absl::StrFormat("%.12g", p.value),
                      p.unit.empty() ? "" : " ", p.unit);
}

absl::Status SetKey(absl::string_view name, absl::string_view value, Description& d) {
  std::vector<std::string> names;
  for (const Key& key : Keys(d)) {
    if (key.name != name) {
      names.push_back(key.name);
      continue;
    }
    absl::Status status = std::visit(Parse{absl::StripAsciiWhitespace(value)}, key.target);
    for (Tier& tier : d.tiers) {  // a rate takes the place of a ratio
      if (name == absl::StrCat(tier.name, ".uplink_bandwidth")) tier.oversubscription = 0;
    }
    if (status.ok()) return status;
    return absl::Status(status.code(), absl::StrCat(name, ": ", status.message()));
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown key \"", name, "\" of ", d.name,
                                                 "; did you mean \"", Nearest(name, names),
                                                 "\"? Keys: ", absl::StrJoin(names, ", ")));
}

absl::Status Set(absl::string_view set, Description& d) {
  const size_t equals = set.find('=');
  if (equals == absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("\"", set, "\" is not of the form key=value"));
  }
  return SetKey(absl::StripAsciiWhitespace(set.substr(0, equals)), set.substr(equals + 1), d);
}

}  // namespace fabric
