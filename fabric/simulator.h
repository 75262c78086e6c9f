// A discrete-event simulator of messages through the ports of a described fabric.
//
// A message passes the send port of its source, the uplinks and downlinks of the groups it leaves
// and enters, and the receive port of its destination. Every port serves messages in the order in
// which their heads arrive, equal times by source and then by order of issue. Forwarding is
// cut-through: the head moves on after the latency of a hop, the tail is held to the slowest link
// passed so far. Alone, b bytes take the path latency plus b / bandwidth, rounded up to 1 ps.
//
// For a port of rate C with clock V, a message whose head arrives at h and whose tail at t:
//   V' = max(V, h) + b/C,   tail out = max(t, V'),   head out = max(h, tail out - duration)
// where duration is b over the slowest rate passed. A port thus carries several slower streams side
// by side, as a group's uplink sprayed over many links does, without ever exceeding its rate. An
// uplink at least as fast as all ports of its group cannot queue and is passed without being
// visited. A message counts in full when its head arrives: a short message that shares a downlink
// with a long one waits up to the long one's b/C.
#ifndef FABRIC_SIMULATOR_H_
#define FABRIC_SIMULATOR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "fabric/description.h"
#include "fabric/units.h"

namespace fabric {

enum class EventKind : uint8_t {
  kSent,       // the last byte left the source
  kDelivered,  // the last byte arrived, and the receive overhead has passed
  kTimer,      // a timer expired, or a reduction or copy is done
};

struct Event {
  Time time = 0;
  EventKind kind = EventKind::kTimer;
  int src = -1;  // of a reduction or copy: its endpoint; of a timer: -1
  int dst = -1;
  int64_t bytes = 0;
  uint64_t user = 0;

  friend bool operator==(const Event&, const Event&) = default;
};

// Not thread-safe. Endpoints out of range and negative sizes or delays end the program.
class Simulator {
 public:
  static absl::StatusOr<Simulator> Create(Description description);

  Time now() const { return queue_.last; }
  const Description& description() const { return description_; }

  // Reported as kSent and as kDelivered. src == dst takes the way of a neighbour.
  void Send(int src, int dst, int64_t bytes, uint64_t user);
  void After(Time delay, uint64_t user);
  // One after the other on the engine of `endpoint`, in the order of the calls.
  void Reduce(int endpoint, int64_t bytes, uint64_t user);
  void Copy(int endpoint, int64_t bytes, uint64_t user);

  // Moves to the next instant with events and appends all of them, in an order that depends only
  // on the calls made. False, with nothing appended, if nothing is in flight.
  bool Advance(std::vector<Event>& out);

 private:
  enum class Step : uint8_t { kArrive, kSent, kDelivered, kTimer };

  struct Entry {
    Time time;
    uint64_t order;  // source in the upper bits, then sequence
    uint32_t record;
    Step step;
  };

  // A monotone radix heap: bucket 0 holds the current instant, bucket i the entries whose highest
  // bit different from `last` is i - 1.
  struct Queue {
    Time last = 0;
    uint64_t occupied = 0;
    std::array<std::vector<Entry>, 64> buckets;

    void Push(const Entry& entry);
    bool Refill();  // moves the earliest instant to bucket 0; false if empty
  };

  // A pooled message, timer or engine task.
  struct Record {
    Time tail;
    Time duration;
    int64_t bytes;
    uint64_t user;
    uint64_t order;
    int32_t src;
    int32_t dst;
    uint16_t stage;   // index in stages_
    uint8_t pending;  // entries in the queue that refer to the record
  };

  // A port to visit after a hop. Its clocks are at clocks_[base + endpoint / group_size].
  struct Stage {
    Time latency;  // of the hop that leads to it
    int64_t rate;
    size_t base;
    int group_size;
    bool at_source;
    bool last;
  };

  explicit Simulator(Description description);

  uint32_t NewRecord(int src, int dst, int64_t bytes, uint64_t user, int order_source);
  void Release(uint32_t index);
  void Schedule(Time time, uint32_t record, Step step);
  void Engine(int endpoint, int64_t bytes, int64_t rate, uint64_t user);
  void Arrive(uint32_t index, Time head);
  void Handle(const Entry& entry, std::vector<Event>& out);

  Description description_;
  int64_t port_rate_ = 0;
  int64_t reduce_rate_ = 0;
  int64_t copy_rate_ = 0;
  std::vector<Stage> stages_;
  std::vector<uint16_t> first_stage_;  // of a path that turns at a tier
  std::vector<Time> clocks_;           // when each port is free
  std::vector<Time> engines_;
  std::vector<Record> records_;
  std::vector<uint32_t> free_;
  std::vector<Entry> batch_;
  uint64_t sequence_ = 0;
  Queue queue_;
};

}  // namespace fabric

#endif  // FABRIC_SIMULATOR_H_
