// What a simulated system is made of: endpoints, nested tiers of switches or links, and rates.
#ifndef FABRIC_DESCRIPTION_H_
#define FABRIC_DESCRIPTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fabric/timeline_event.h"
#include "fabric/units.h"

namespace fabric {

enum class TierKind : uint8_t {
  kSwitch,  // switches connect the groups of the tier below, or the endpoints
  kMesh,    // a link of its own from every endpoint of a group to every other
  kTorus,   // links between neighbours of a grid that closes on itself; a ring is one dimension
  kCircuit, // an optical switch that joins each endpoint's send port to at most one receive port
};

// Who decides which circuits a tier has. Either way the timeline and Simulator::Reconfigure set some.
enum class CircuitPolicy : uint8_t {
  kDemand,     // messages, first come first served at each port
  kScheduled,  // nobody else: a message whose circuit is not set waits
};

// How a random time with a scale is distributed.
enum class Draw : uint8_t {
  kNone,         // always 0
  kUniform,      // between 0 and the scale
  kExponential,  // with the scale as mean
  kNormal,       // around 0 with the scale as deviation, what is negative cut to 0: the sum of
                 // twelve uniform draws, so that it is the same on every machine
};

enum class Routing : uint8_t {
  kSpray,   // every message over all uplinks at once: one pipe
  kHash,    // one uplink a message, by a hash of its source and destination
  kModulo,  // one uplink a message: destination mod number of uplinks
};

// One level of the system. Endpoints e with equal e / group_size (and, with rails, equal
// e % rails) share a group of the tier. Two endpoints talk at the innermost tier that holds both
// in one group. A tier is entered through a port of its own at each endpoint (a NIC beside an
// NVLink port, say) or through the tier below: then a path climbs through the uplinks of the lower
// tiers, crosses this one, and descends.
struct Tier {
  std::string name;
  TierKind kind = TierKind::kSwitch;
  int group_size = 0;            // endpoints spanned by a group; a multiple of the next inner
                                 // tier's; Resolve: 0 in the outermost tier is all endpoints
  int rails = 1;                 // a switch per rail: it joins the endpoints with equal e % rails
  std::vector<int> dimensions;   // of a torus; their product is group_size; the first varies
                                 // fastest; Resolve: none is a ring
  double port_bandwidth = 0;     // bytes/s and direction of each endpoint's own port to this tier;
                                 // 0: entered through the tier below (or, links only, not a limit)
  double link_bandwidth = 0;     // bytes/s and direction of each link of a mesh or torus
  int switch_hops = 1;           // switches a path crosses each time it passes the tier
  Time switch_latency = 0;       // of one of them; of a mesh or torus: of each link
  double fibre_length = 0;       // metres, one way, from the tier below (or endpoint) to this one
  Time transceiver_latency = 0;  // at each end of a fibre
  Time fec_latency = 0;          // forward error correction, once per fibre
  double uplink_bandwidth = 0;   // bytes/s per group and direction towards the outer tier, all
                                 // uplinks together; 0: no limit
  double oversubscription = 0;   // Resolve: uplink_bandwidth is what can come into a group from
                                 // below divided by it; 0: uplink_bandwidth stands
  int uplinks = 1;               // parallel links (spines) that share uplink_bandwidth
  Routing routing = Routing::kSpray;
  double group_efficiency = 0;   // fraction of the port rate at which switches reduce and replicate
                                 // for group operations; 0: they do not
  Time group_overhead = 0;       // of a group operation that turns at this tier, at each source
                                 // before its first byte
  bool group_to_all = true;      // a reduction's result can go to all members at once; else to one,
                                 // as where an endpoint pulls operands through the switch
  double bit_error_rate = 0;     // of each fibre, after its forward error correction: frames with an
                                 // error are sent again, see noise.h
  Time retry_latency = 0;        // until a frame is sent again; Resolve: 0 is a round trip of the fibre
  // Of a tier of circuits.
  CircuitPolicy circuits = CircuitPolicy::kDemand;
  Time reconfiguration = 0;         // while a circuit changes, its two ports are dark so long
  Draw reconfiguration_draw = Draw::kNone;  // and longer by a draw of this scale
  Time reconfiguration_jitter = 0;
};

// What messages take longer than the model says, by draws from `seed`. The draws of the k-th message
// from one endpoint to another do not depend on anything else that happens: two algorithms that are
// run with one seed are compared pairwise. Group operations have none.
struct Noise {
  Draw distribution = Draw::kNone;
  Time latency = 0;        // scale of what is added between the last byte and the delivery
  Time send_overhead = 0;  // scale of what is added before the first byte
  uint64_t seed = 1;       // also of what retries and reconfigurations draw
};

// How the bytes of a message are moved.
enum class Transfer : uint8_t {
  kSend,   // both sides take part, as channels of a collective library do
  kWrite,  // the sender stores them at the receiver
  kRead,   // the receiver loads them from the sender
  kAny,    // of a protocol: however they are
};

// What a range of message sizes pays at an endpoint, as protocols of different overhead and
// efficiency do. A message takes the protocol under which it would be fastest on an idle port, of
// those of the tier where its path turns and of the system's transfer; if there is none, it pays
// nothing.
struct Protocol {
  std::string name;
  std::vector<std::string> tiers;  // that it serves; none: all
  Transfer transfer = Transfer::kAny;
  Time overhead = 0;               // added to send_overhead
  double efficiency = 1;           // payload bytes per byte on the wire, in (0, 1]
  double message_bandwidth = 0;    // bytes/s on the wire that one message can reach; 0: its port's
  int64_t max_bytes = INT64_MAX;   // largest message that may take it

  bool Serves(absl::string_view tier, Transfer how) const;
};

// Of a system that is a graph instead of tiers. Nodes are endpoints by number, then switches.
struct GraphSwitch {
  std::string name;
  Time latency = 0;
};
struct Link {               // both ways at once
  int from = 0, to = 0;     // nodes
  double bandwidth = 0;     // bytes/s and direction
  Time latency = 0;
};

// Of what measurements the figures of a system were fitted to. No system: they were not, or it is
// none that exists.
struct Calibration {
  std::string system;                    // the preset that was measured
  int64_t min_bytes = 0, max_bytes = 0;  // of a rank's larger buffer
  int min_ranks = 0, max_ranks = 0;
};

struct Description {
  std::string name;
  std::string summary;              // one line for lists
  int endpoints = 0;
  int minimum_endpoints = 1;        // what it may be made of; Resolve: a maximum of 0 is what the
  int maximum_endpoints = 0;        // tiers hold
  std::vector<Tier> tiers;          // innermost first; the last one holds every endpoint
  std::vector<GraphSwitch> switches;
  std::vector<Link> links;          // any: the system is a graph; Resolve makes `tiers` one tier with
                                    // its largest latency and least bandwidth of an endpoint
  bool hash_routes = false;         // of a graph: shortest routes by hash, not lowest numbers first
  std::vector<Protocol> protocols;  // none: no overhead, efficiency 1
  Transfer transfer = Transfer::kSend;   // of all messages
  Calibration calibrated;
  Time fibre_delay = 0;             // per metre
  Time send_overhead = 0;           // from Send to the first byte at the port
  Time recv_overhead = 0;           // from the last byte at the port to the delivery
  Time message_gap = 0;             // least time between the starts of two messages of an endpoint
  Time launch_overhead = 0;         // once per operation; for the caller to apply, not the simulator
  double block_bandwidth = 0;       // bytes/s at which an operation passes a rank's own block through
                                    // its processors besides what it sends (into the output of an
                                    // allgather, through the last fold of a reduction), once; 0:
                                    // free. For the caller to apply
  double exchange_bandwidth = 0;    // likewise, for the whole buffer of an all-to-all, where a library
                                    // stages what it does not forward
  double memory_bandwidth = 0;      // bytes/s that an endpoint's memory gives to all of its ports
                                    // together, and takes from them; 0: no limit. Tiers only
  double message_bandwidth = 0;     // bytes/s that a single message can reach; 0: its port's
  double reduce_bandwidth = 0;      // bytes/s of an endpoint's engine; 0: free
  double copy_bandwidth = 0;        // likewise
  int concurrent_sends = 0;         // messages of an endpoint that may be leaving at once; what is more
                                    // queues at the source in order; 0: any number
  Noise noise;
  std::vector<TimelineEvent> timeline;
  int64_t frame_bytes = 256;        // what a fibre with bit errors sends again
  int64_t chunk_bytes = 65536;      // contending messages take turns at a port by so many bytes; short
                                    // ones by a quarter of them, at least a packet
  int64_t packet_bytes = 4096;      // of the packet engine: the largest packet
  int64_t buffer_bytes = 65536;     // of a switch input, for each output; of fifo: for each message
  uint64_t seed = 1;                // of the hash that routes

  // Whether endpoints have ports (or links) of their own to tier `tier`.
  bool OwnPort(int tier) const;
  // The tier whose ports a path that turns at `tier` begins and ends with.
  int EntryTier(int tier) const;
  int Groups(int tier) const;
  int GroupOf(int endpoint, int tier) const;
  // One fibre between the tier below (or endpoint) and this tier, transceivers and FEC included.
  Time FibreLatency(int tier) const;
  // One pass over tier `tier`: its switches and fibre, both fibres at the turning point of a path.
  // Of a mesh or torus: one link.
  Time TierLatency(int tier, bool turning) const;
  // The innermost tier in which both endpoints are in one group.
  int MeetingTier(int src, int dst) const;
  // Links of a torus between two of its endpoints.
  int TorusDistance(int tier, int src, int dst) const;
  // Uplinks of a group of tier `tier` that a message chooses among: those of the tiers that it has
  // climbed multiply. Up to 2^31.
  int64_t Pipes(int tier) const;
  // What switches leave of the port rate of a group operation that turns at tier `tier`: the least
  // of the tiers on the way. 0: they do none.
  double GroupEfficiency(int tier) const;
  // Whether they hand the result of a reduction to all members at once: all tiers on the way do.
  bool GroupToAll(int tier) const;
  // The protocols of messages that turn at tier `tier`.
  std::vector<const Protocol*> ProtocolsOf(int tier) const;
  // Why an operation of all endpoints on buffers of so many bytes lies outside of what the figures
  // were fitted to; empty: it does not, or they were not fitted to anything.
  std::string Extrapolation(int64_t bytes) const;
  // Whether a run depends on when it begins and on what was before it: a timeline, noise, circuits.
  bool HasHistory() const;
  // Of the rate of the fibres of tier `tier`, what retries leave.
  double Goodput(int tier) const;
  // Whether the tier is made of links between endpoints.
  bool HasLinks(int tier) const {
    return tiers[tier].kind == TierKind::kMesh || tiers[tier].kind == TierKind::kTorus;
  }
  // What a single message can reach, in bytes/s, the wire's overhead not counted.
  double PathBandwidth(int src, int dst) const;
  // Everything a path adds to bytes / bandwidth, without the overheads.
  Time PathLatency(int src, int dst) const;
};

// Fills in what a description may leave open, for so many endpoints (0: its own number): see the
// fields. An error says when the system cannot have so many.
absl::Status Resolve(int endpoints, Description& description);

// Of a resolved description.
absl::Status Validate(const Description& description);

// A preset, or a file (its name ends in .toml; see file.h), with `endpoints` endpoints (0: its
// default), "key=value" overrides and more events for its timeline. Keys: see SetKey; events: see
// ParseEvent.
absl::StatusOr<Description> Load(absl::string_view name, int endpoints = 0,
                                 absl::Span<const std::string> sets = {},
                                 absl::Span<const std::string> events = {});

// The text of a preset or of a file.
absl::StatusOr<std::string> SourceOf(absl::string_view name);

// The preset that `text`, of the file `path`, begins with; empty: none.
absl::StatusOr<std::string> PresetOf(absl::string_view text, absl::string_view path);

std::vector<std::string> PresetNames();

// Sets one key to a value with its unit; "key=value" in one. Keys of the system: port_bandwidth (of
// the innermost tier), message_bandwidth, memory_bandwidth, reduce_bandwidth, copy_bandwidth,
// block_bandwidth, exchange_bandwidth, send_overhead, recv_overhead, message_gap, launch_overhead,
// transfer (send, write or read), fibre_delay (per metre), concurrent_sends, chunk, packet, buffer and
// frame (bytes), seed; noise.distribution (none, uniform, exponential, normal), noise.latency,
// noise.send_overhead, noise.seed; of each tier, as TIER.key: the fields of Tier by their names,
// group_results = one or all for group_to_all; of each protocol, protocol.NAME.key; calibrated.system,
// min_bytes, max_bytes, min_ranks, max_ranks. A one-tier system also takes latency. Setting a tier's
// uplink_bandwidth clears
// its oversubscription. What Resolve reads takes effect when it is called.
absl::Status SetKey(absl::string_view key, absl::string_view value, Description& description);
absl::Status Set(absl::string_view key_and_value, Description& description);

// A number that SetKey sets and that may take any value near its own: no count, no choice.
struct Parameter {
  std::string key;
  double value = 0;
  std::string unit;  // "ps", "B/s", "m", "B"; "" of a ratio or fraction
  bool whole = false;
};
// Those of a resolved description, each once though some have two keys.
std::vector<Parameter> Parameters(const Description& description);
// As SetKey reads it.
std::string ValueText(const Parameter& parameter);

}  // namespace fabric

#endif  // FABRIC_DESCRIPTION_H_
