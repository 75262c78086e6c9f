// The packet engine: every message is cut into packets of Description.packet_bytes, which are stored
// and forwarded at each port through finite buffers. A referee for small cases: it costs two events
// for each packet and hop.
//
// A port serves one packet at a time, in turn those of the messages that begin there and those that
// came in over each link. What comes in over a link waits in one queue for each port it may go on
// to, so a port that is congested holds up nobody who turns elsewhere at that switch. Each of these
// queues has room for Description.buffer_bytes and for what its link can have in flight; a port
// sends a packet only if there is room for it where it goes (a credit), so nothing is ever lost.
// Credits come back at once when a packet has left. A packet larger than the buffer goes if the queue is empty.
//
// Alone, b bytes in packets of p over k ports of rate C take L + b/C + (k - 1) p/C, where cut-through
// takes L + b/C. kSent is when the last packet has left the first port.
//
// Deadlock: a queue waits only for queues further on in some path, and the last port of a path waits
// for nobody. Where paths climb and descend through tiers of switches, or take one link of a mesh,
// ports follow each other in one order (send, up, down, receive; send, link, receive), so no cycle
// of queues can wait. Links of a torus form cycles around each dimension, and those of a graph may
// form any; queues behind them are not bounded instead.
//
// Where it is off: one packet a port on each message's latency, which real switches that cut through
// do not take; and turns by input, not by message, so that behind an uplink the messages that share
// an input share its turn.
#ifndef FABRIC_PACKET_H_
#define FABRIC_PACKET_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "fabric/wires.h"

namespace fabric {

class PacketWires final : public Wires {
 public:
  PacketWires(const Network& network, const Description& description, Queue& queue,
              Arrivals& arrivals);

  absl::string_view name() const override { return "packet"; }
  void Enter(const Passage& passage, const Path& path) override;
  void Handle(const Entry& entry) override;
  void SetRate(uint32_t port, int64_t rate) override;
  bool Holds(uint32_t port) const override;

  // Most bytes that any bounded queue has held: at most buffer_bytes and the bytes that pass its
  // link in the link's latency, or one packet.
  int64_t fullest() const { return fullest_; }

 private:
  static constexpr uint32_t kNone = ~0u;
  static constexpr uint32_t kLane = 1u << 31;  // in turns: a lane, not a message
  enum Step : uint8_t { kReady = kFirstStep, kArrive, kServed, kHead, kDelivered };

  struct Hop {
    uint32_t port;
    uint32_t lane;  // behind it; kNone behind the last
  };
  struct Message {
    int64_t bytes, unsent;  // unsent: not yet in a packet
    int64_t packets;        // that have not passed the last port
    Time entered, spread;
    uint64_t order;
    uint32_t profile;
    bool owes_head;
    std::vector<Hop> hops;
  };
  struct Packet {
    int64_t bytes;
    uint32_t message;
    uint32_t hop;   // where it is or waits
    uint32_t next;  // in its lane
  };
  // The queue of what comes in from one port and goes on to another.
  struct Lane {
    uint32_t input, output;
    uint32_t first = kNone, last = kNone;
    int64_t claimed = 0;  // bytes in it, on the way to it and leaving it
    int64_t held = 0;     // of these, those that are not on the way to it
    bool bounded = true;
  };
  struct PortState {
    int64_t rate = 0;
    uint32_t packet = kNone;  // under way
    Time began = 0;           // to pass
    int64_t left = 0;         // bytes of it that had not passed at `since`
    Time since = 0;
    Time served_at = -1;      // when it will have; -1: the port is down
    std::vector<uint32_t> turns;  // messages, and lanes | kLane, that have a packet to send
  };

  uint32_t LaneOf(uint32_t input, uint32_t output);
  void Offer(uint32_t id);
  bool HasRoom(const Message& message, uint32_t hop, int64_t bytes) const;
  void Serve(uint32_t port);
  uint32_t TakePacket(uint32_t port, uint32_t source);
  void Arrive(uint32_t packet);
  void Served(uint32_t port);
  void Finish(uint32_t port);

  const Network& network_;
  const Description& description_;
  Queue& queue_;
  Arrivals& arrivals_;
  int64_t fullest_ = 0;
  std::vector<PortState> ports_;
  std::vector<Message> messages_;
  std::vector<Packet> packets_;
  std::vector<uint32_t> free_packets_;
  std::vector<Lane> lanes_;
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, uint32_t> lane_of_;
};

}  // namespace fabric

#endif  // FABRIC_PACKET_H_
