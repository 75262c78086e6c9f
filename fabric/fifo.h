// The default engine: messages pass from port to port, each with a queue.
//
// Forwarding is cut-through: the head moves on after the latency of a hop, the tail is held to the
// slowest port passed so far. At a port of rate C that is busy until V, b bytes whose head arrives
// at h and whose tail at t take
//   V' = max(V, h) + b/C,   tail out = max(t, V'),   head out = max(h, tail out - duration)
// where duration is b over the slowest rate passed. A port thus carries several slower streams side
// by side, as an uplink sprayed over many links does, without ever exceeding its rate.
//
// A message that nobody contends with crosses a port whole, in one event. One that would be delayed
// waits; what is being served is cut at its next chunk, and from then on those who wait take turns,
// a chunk each, until one is left. A cut takes back what the port has promised to ports further
// on; what has passed stays passed. So the result is that of messages always cut in chunks, up to
// where a turn begins, at the cost of one event a hop where there is no contention.
//
// Buffers of switches have no end for the order of things, but senders feel one: a message is sent
// when all of it has left its first port and what of it is behind, above what is on its way, fits
// the buffer of a switch.
//
// Messages that wait at their first port before any of their bytes has left come in the order in
// which their source asked for them, whenever their receiver was ready.
//
// When the rate of a port changes, all that it is serving is cut at the byte that is passing; the
// rests come to the port anew, ahead of what waits there, and are served at the new rate. For that
// a port whose rate may change remembers all that it has promised, not the last alone.
#ifndef FABRIC_FIFO_H_
#define FABRIC_FIFO_H_

#include <array>
#include <cstdint>
#include <vector>

#include "fabric/pool.h"
#include "fabric/wires.h"

namespace fabric {

class FifoWires final : public Wires {
 public:
  FifoWires(const Network& network, const Description& description, bool rates_change,
            Queue& queue, Arrivals& arrivals);

  absl::string_view name() const override { return "fifo"; }
  void Enter(const Passage& passage, const Path& path) override;
  void Handle(const Entry& entry) override;
  void Soon(const Entry& entry, bool again) const override;
  void SetRate(uint32_t port, int64_t rate) override;
  bool Holds(uint32_t port) const override;

 private:
  static constexpr uint32_t kNone = ~0u;
  static constexpr uint32_t kShort = 4;  // ports of a path that are kept with the message
  static constexpr int64_t kWithdrawn = -1;  // as offset: the segment is of no more use
  enum Step : uint8_t { kServe = kFirstStep, kArrive, kSent, kHead, kDelivered };

  // Consecutive bytes of a message on their way together.
  struct Segment {
    Time head, tail;   // when they reach the port that is next
    Time duration;     // bytes over the slowest rate passed
    int64_t offset, bytes;  // of the message
    uint32_t message;
    uint32_t next;     // in the queue of its port
    uint32_t sibling;  // the message's next newer one; of the newest, the oldest
    uint32_t stage : 30;  // index in the path of the next port; its length: past the last
    uint32_t waiting : 1;  // in the queue of that port
    uint32_t orphan : 1;   // there although its message has ended: withdrawn
  };
  struct Message {
    int64_t unsent, undelivered;  // bytes that have not been served by the first and last port
    Time sent_at, head_at, delivered_at;
    uint64_t order;
    int64_t chunk;
    int64_t waiting;    // bytes in the queues of ports behind the first
    uint32_t newest;    // segment
    uint32_t turn;
    uint32_t profile;
    uint32_t ports[kShort];  // of a short path; of a longer one the first says where it is in paths_
    uint16_t length;
    bool notify_head;
    bool held_back;     // it would be sent, were the buffers of switches larger
    bool sent;
  };
  struct PortState {
    Time busy = 0;      // until then
    Time started = 0;   // of what was served last:
    Time tail = 0;      //   when its tail reached the port
    int64_t offset = 0, bytes = 0;
    uint32_t message = kNone;
    uint32_t first = kNone, last = kNone;  // waiting
    uint32_t placed = kNone;  // of them, the last that had its place by turn
    Time serve_at = -1;  // the pending kServe entry that counts
    int64_t rate = 0;
  };
  // What a port has promised to serve of a message, and has not served to its end.
  struct Promise {
    Time head, tail;    // reach the port
    Time started;       // of the port's own time that it takes
    Time begins, ends;  // to leave the port
    int64_t offset, bytes;
    uint32_t message, stage;
  };

  // Bytes that had passed a port before it had time of its own for them, when its rate changed. It
  // serves nobody else until they are paid.
  struct Debt {
    int64_t bytes = 0;
    Time since = 0;
  };

  // What a port of rate `rate` takes for so many bytes.
  Time Service(int64_t bytes, int64_t rate) {
    Served& known = served_[static_cast<uint64_t>(bytes ^ rate) * 0x9e3779b97f4a7c15u >> 58];
    if (known.bytes != bytes || known.rate != rate) known = {bytes, rate, TransferTime(bytes, rate)};
    return known.time;
  }
  bool Reusable(const Segment& s) const;
  uint32_t NewSegment(uint32_t message);
  // Oldest first.
  template <typename F>
  void ForSegments(const Message& m, F f) {
    if (m.newest == kNone) return;
    for (uint32_t i = segments_[m.newest].sibling, next;; i = next) {
      next = segments_[i].sibling;
      f(i);
      if (i == m.newest) return;
    }
  }
  uint32_t PortOf(const Segment& segment) const {
    return PathOf(messages_[segment.message])[segment.stage];
  }
  const uint32_t* PathOf(const Message& message) const {
    return message.length <= kShort ? message.ports : paths_.data() + message.ports[0];
  }
  void StorePath(Message& message, const Path& path);
  void FreePath(const Message& message);
  void Arrive(uint32_t index);
  void Serve(uint32_t port, uint32_t index);
  void ServeNext(uint32_t port);
  void Wait(uint32_t port, uint32_t index);
  uint32_t Before(PortState& port, uint32_t index);
  void HoldBack(Message& message, uint32_t id, const Segment& segment, const PortState& port);
  void WakeAt(uint32_t port, Time time);
  uint32_t Cut(uint32_t port, int64_t granularity);
  void Promised(uint32_t port, const Promise& promise);
  uint32_t Withdraw(uint32_t message, uint32_t stage, int64_t begin, int64_t end, Time head,
                    Time tail);
  void TakeBack(uint32_t message, uint32_t stage, int64_t begin, int64_t end);
  void TakeBackPromises(uint32_t port, uint32_t message, int64_t begin, int64_t end);
  static void Shorten(Promise& promise, int64_t keep);
  void Shorten(uint32_t index, int64_t keep);
  uint32_t SplitFront(uint32_t index, int64_t bytes);
  void Finish(uint32_t id);

  struct Served {
    int64_t bytes = 0, rate = 1;
    Time time = 0;
  };

  const Network& network_;
  Queue& queue_;
  Arrivals& arrivals_;
  const int64_t chunk_bytes_, buffer_bytes_, packet_bytes_;
  const bool rates_change_;
  std::array<Served, 64> served_;  // most messages are as long as others: saves divisions
  std::vector<PortState> ports_;
  Pool<Message> messages_;  // numbered by their owner
  Pool<Segment> segments_;
  std::vector<int64_t> lost_;  // of the cut under way: bytes taken back, by stage
  std::vector<uint32_t> paths_;
  std::vector<std::vector<uint32_t>> free_paths_;  // by log2 of the room
  // By port, when rates change.
  std::vector<std::vector<Promise>> promises_;  // in order
  std::vector<Debt> debts_;
};

}  // namespace fabric

#endif  // FABRIC_FIFO_H_
