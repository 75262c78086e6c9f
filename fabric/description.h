// What a simulated system is made of: endpoints, nested switch tiers, link and engine rates.
#ifndef FABRIC_DESCRIPTION_H_
#define FABRIC_DESCRIPTION_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fabric/units.h"

namespace fabric {

// One level of switches. Endpoints e with equal e / group_size share a group of the tier. A path
// climbs to the innermost tier that holds both ends: it crosses that tier once and every tier
// further in twice, on the way up and on the way down.
struct Tier {
  std::string name;
  int group_size = 0;       // endpoints in a group; a multiple of the next inner tier's
  int switch_hops = 1;      // switches a path crosses each time it passes the tier
  Time switch_latency = 0;  // of one of them
  double fibre_length = 0;  // metres, one way, from the tier below (or endpoint) to this one
  double uplink_bandwidth =
      0;  // bytes/s per group and direction towards the outer tier; 0: no limit
};

struct Description {
  std::string name;
  int endpoints = 0;
  std::vector<Tier> tiers;      // innermost first; the last one holds every endpoint
  double port_bandwidth = 0;    // bytes/s, each direction of each endpoint
  Time fibre_delay = 0;         // per metre
  Time send_overhead = 0;       // from Send to the first byte at the port
  Time recv_overhead = 0;       // from the last byte at the port to the delivery
  Time launch_overhead = 0;     // once per operation; for the caller to apply, not the simulator
  double reduce_bandwidth = 0;  // bytes/s of an endpoint's engine; 0: free
  double copy_bandwidth = 0;    // likewise

  // One pass over tier `tier`: its switches and fibre, both fibres at the turning point of a path.
  Time TierLatency(int tier, bool turning) const;
  // The innermost tier in which both endpoints are in one group.
  int MeetingTier(int src, int dst) const;
  // Everything a path adds to bytes / bandwidth, without the overheads.
  Time PathLatency(int src, int dst) const;
};

absl::Status Validate(const Description& description);

// A preset ("crossbar", "cloudmatrix384"), or a file (its name ends in .toml; see file.h), with `endpoints` endpoints (0: its default) and
// "key=value" overrides. Keys: port_bandwidth, reduce_bandwidth, copy_bandwidth, send_overhead,
// recv_overhead, launch_overhead, fibre_delay (per metre), and for each tier TIER.switch_latency,
// TIER.fibre_length, TIER.uplink_bandwidth. A one-tier system also takes latency.
absl::StatusOr<Description> Load(absl::string_view name, int endpoints = 0,
                                 absl::Span<const std::string> sets = {});

std::vector<std::string> PresetNames();

// Sets one key of `Load` to a value with its unit; "key=value" in one.
absl::Status SetKey(absl::string_view key, absl::string_view value, Description& description);
absl::Status Set(absl::string_view key_and_value, Description& description);

}  // namespace fabric

#endif  // FABRIC_DESCRIPTION_H_
