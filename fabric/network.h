// A described system as ports, and the ports that a message visits.
#ifndef FABRIC_NETWORK_H_
#define FABRIC_NETWORK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fabric/description.h"
#include "fabric/units.h"

namespace fabric {

enum class PortKind : uint8_t {
  kSend, kReceive,  // an endpoint's own, of a tier
  kUp, kDown,       // a group's
  kLink,
  kLoad, kStore,    // an endpoint's memory, for all tiers
};
// "send", "receive", "up", "down", "link", "load", "store".
absl::string_view Name(PortKind kind);

// A directed link with the queue in front of it.
struct Port {
  int64_t rate = 0;  // bytes/s
  PortKind kind = PortKind::kLink;
  int16_t tier = 0;
};

// The ports of a message in order. hop_latency(i) of its profile passes between the head leaving
// port i and reaching port i + 1, or the end of the path after the last one.
struct Path {
  std::vector<uint32_t> ports;
  uint32_t profile = 0;
};

// A port, or one of several lanes that share its rate, that an event of the timeline is about.
struct Lane {
  uint32_t port = 0;
  int lane = -1;  // -1: the whole port
  int lanes = 1;  // that the port has, when `lane` is one of them
  int parts = 1;  // ports, or lanes of different ports, that share the rate of the event
};

// Ports and lanes that the events of a timeline may be about, all together.
inline constexpr size_t kMaxLanes = size_t{1} << 22;

// Routes may be computed on demand: not thread-safe.
class Network {
 public:
  static absl::StatusOr<std::unique_ptr<Network>> Create(const Description& description);
  virtual ~Network() = default;

  absl::Span<const Port> ports() const { return ports_; }
  absl::Span<const Time> hop_latencies(uint32_t profile) const { return profiles_[profile]; }

  // The least shift under which the machine is the same: with e + period (modulo the number of
  // endpoints) for every endpoint e, a path becomes the path of the shifted endpoints, port by port.
  // It divides the number of endpoints, and is that number when nothing is known.
  int period() const { return period_; }
  // From now on the ports of endpoints and groups with equal remainders modulo `modulus` are one: every
  // path is given in the ports of the first of them. A multiple of the period that divides the number
  // of endpoints; that number: every port is itself. See Simulator::Fold.
  void Fold(int modulus) { modulus_ = modulus; }
  int modulus() const { return modulus_; }

  // From src to dst, different endpoints or the same (which takes the way of a neighbour).
  virtual void Route(int src, int dst, Path& path) = 0;
  // The two halves of a path over the switches of tier `tier`, which group operations take: from
  // an endpoint to the switch, and from the switch to an endpoint.
  virtual void Climb(int src, int tier, Path& path) = 0;
  virtual void Descend(int tier, int dst, Path& path) = 0;
  // What an event is about. An error says what of its target does not exist.
  virtual absl::Status Find(const TimelineEvent& event, std::vector<Lane>& lanes) const = 0;
  // Says what is down, for routes to come.
  void SetDown(uint32_t port, bool down);
  // "endpoint 3 send node", "node 2 up 1": for messages and traces.
  virtual std::string PortName(uint32_t port) const = 0;
  // The endpoint that a port is a part of, or whose link it is; -1: a switch's.
  virtual int PortEndpoint(uint32_t port) const = 0;

 protected:
  explicit Network(int endpoints)
      : endpoints_(endpoints), period_(endpoints), modulus_(endpoints) {}
  uint32_t AddProfile(std::vector<Time> latencies);

  bool IsDown(uint32_t port) const { return downs_ > 0 && down_[port]; }

  const int endpoints_;
  int period_;
  int modulus_;  // of the endpoints whose ports are named
  int downs_ = 0;  // ports that are down
  std::vector<bool> down_;  // empty until one is
  std::vector<Port> ports_;
  std::vector<std::vector<Time>> profiles_;
};

}  // namespace fabric

#endif  // FABRIC_NETWORK_H_
