// A discrete-event simulator of messages between the endpoints of a described system.
//
// A message costs its source send_overhead, passes the ports of its path (see fifo.h for the law of
// a port under the default engine) and costs its destination recv_overhead. Alone, b bytes take the
// overheads, the path's latency and b / bandwidth, rounded up to 1 ps.
//
// The timeline of the description happens as time passes, before all else of its instant. A route is
// chosen when a message enters: hashed uplinks avoid what is down then. Work that has begun when an
// endpoint becomes slow is not slowed. Of a dead endpoint nothing is reported any more.
#ifndef FABRIC_SIMULATOR_H_
#define FABRIC_SIMULATOR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fabric/circuits.h"
#include "fabric/description.h"
#include "fabric/network.h"
#include "fabric/noise.h"
#include "fabric/observer.h"
#include "fabric/pool.h"
#include "fabric/queue.h"
#include "fabric/timeline.h"
#include "fabric/units.h"
#include "fabric/wires.h"

namespace fabric {

enum class EventKind : uint8_t {
  kSent,       // the last byte left the source
  kDelivered,  // the last byte arrived, and the receive overhead has passed
  kTimer,      // a timer expired, or a reduction or copy is done
};

struct Event {
  Time time = 0;
  EventKind kind = EventKind::kTimer;
  int src = -1;  // of a reduction or copy: its endpoint; of a timer or a combined result: -1
  int dst = -1;  // of a timer: whose computing it is, or -1
  int64_t bytes = 0;
  uint64_t user = 0;

  friend bool operator==(const Event&, const Event&) = default;
};

// Not thread-safe. Endpoints out of range and negative sizes or delays end the program.
class Simulator final : private Arrivals, private CircuitUser {
 public:
  static absl::StatusOr<std::unique_ptr<Simulator>> Create(
      Description description, EngineKind engine = EngineKind::kFifo);
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  Time now() const { return queue_.now(); }
  const Description& description() const { return description_; }
  // Whether something was to end later than kLongest: then it never does.
  bool out_of_time() const { return queue_.out_of_time(); }
  absl::string_view engine() const { return wires_->name(); }
  const Network& network() const { return *network_; }
  // From now on; null: nobody. It lives for as long as messages are under way.
  void Watch(Observer* observer);

  // Symmetry. The machine is the same when every endpoint e becomes e + period(), modulo their
  // number. Let m be a multiple of period() that divides that number. If every endpoint does what the
  // one m before it does with every peer shifted likewise, at the same instants, then all that happens
  // is shifted too, and the first m endpoints say everything: a port of endpoint (or group) e serves,
  // when it does, the shifts of what a port of e modulo m serves. Folded by m, the simulator takes
  // these ports as one and the sends of the first m endpoints only, to any destination: at a folded
  // port they meet exactly as at each of the ports that it stands for, where of every folded message
  // exactly one shift passes. Ties do not see the difference either (see Order).
  // period() is the number of endpoints when there is nothing to gain: no symmetry known, or an
  // engine other than fifo, or a run with a history, or a limit of sends.
  int period() const {
    return description_.HasHistory() || description_.concurrent_sends > 0 ? description_.endpoints
                                                                          : period_;
  }
  // By `modulus` from now on, which is the number of endpoints when nothing is folded. With nothing in
  // flight. Every endpoint is as the one that stood for it.
  void Fold(int modulus);

  // Reported as kSent and as kDelivered. src == dst takes the way of a neighbour. Messages of a source
  // that wait for one port, none of them begun, are served by `turn`: a message that could not start
  // with those that were asked for after it comes before them. Without it, in the order of the calls.
  void Send(int src, int dst, int64_t bytes, uint64_t user) {
    Require(src >= 0 && src < description_.endpoints, "Send: source out of range");
    Send(src, dst, bytes, user, AskedBy(src).times);
  }
  void Send(int src, int dst, int64_t bytes, uint64_t user, uint32_t turn);
  // `endpoint`: whose computing it is, -1: nobody's.
  void After(Time delay, uint64_t user, int endpoint = -1);
  // One after the other on the engine of `endpoint`, in the order of the calls.
  void Reduce(int endpoint, int64_t bytes, uint64_t user);
  void Copy(int endpoint, int64_t bytes, uint64_t user);

  // The tier whose switches can reduce and replicate among all these endpoints, or -1. `to_all`: and
  // hand the result of a reduction to all of them at once.
  int GroupTier(absl::Span<const int> endpoints, bool to_all = false) const;
  // What the switches of tier `tier`, as GroupTier gave it, do with `bytes` of every source: combine
  // them (one source: nothing to combine) and bring the result to every target. Reported as kSent
  // of each source and, with src -1, as kDelivered of each target.
  void Group(int tier, absl::Span<const int> sources, absl::Span<const int> targets, int64_t bytes,
             uint64_t user);

  // What a message takes that meets no other: `latency` with overheads, `bytes` behind its first one.
  struct Lone {
    Time latency, bytes;
  };
  Lone Alone(int src, int dst, int64_t bytes) const;

  // The tier of circuits, or -1.
  int CircuitTier() const { return circuits_ == nullptr ? -1 : circuits_->tier(); }
  // Sets circuits of that tier as soon as their ports are idle; others stay as far as their ports
  // are free. Reported as a kTimer when all are set. They must not overlap.
  void Reconfigure(absl::Span<const Circuit> circuits, uint64_t user);

  // When Advance has returned false although something is under way: why it will never end, by the
  // ports that are down, the endpoints that are dead and the circuits that are not set. Else empty.
  std::string Stalled() const;

  // Moves to the next instant with events and appends all of them, in an order that depends only
  // on the calls made. False, with nothing appended, if nothing is in flight.
  bool Advance(std::vector<Event>& out);

 private:
  enum Step : uint8_t { kChange, kCircuit, kStart, kReport, kTimer };
  static void Require(bool condition, const char* what);

  // A pooled message, timer or engine task.
  struct Record {
    int64_t bytes;
    int64_t wire;       // bytes on the wire: a protocol's, or a group operation's
    uint64_t user;
    uint64_t order;
    int32_t src;
    int32_t dst;
    int32_t group;      // index in groups_, or -1
    uint32_t turn;
    int16_t protocol;   // index in the description's, or -1
    uint8_t pending;    // reports to come
    bool climbs;        // of a group: on its way to the switch
  };
  struct GroupState {
    std::vector<int> targets;
    int tier;
    int heads, tails;   // operands that have not reached the switch
    int results;        // targets to report
    Time last_tail;
    std::vector<uint32_t> held;  // results that came down before the last operand's last byte rose
  };

  // What an endpoint has asked for since nothing was in flight.
  struct Asked {
    uint32_t idle = 0;  // idle_ when it last asked
    uint32_t times = 0;
  };

  struct Sends {
    int leaving = 0;
    std::deque<uint32_t> waiting;
  };

  Simulator(Description description, std::unique_ptr<Network> network, EngineKind engine);
  absl::Status Begin(EngineKind engine);
  void Change();
  bool Take();
  void Announce(size_t i) const;
  Time Slowed(int endpoint, Time time) const;
  bool Dead(int endpoint) const {
    return timeline_ != nullptr && endpoint >= 0 && timeline_->Dead(endpoint);
  }
  bool TakesCircuit(const Record& record) const;
  void Pass(uint32_t id) override;
  void Changed(uint32_t id) override;

  Asked& AskedBy(int endpoint) {
    Asked& asked = asked_[static_cast<size_t>(endpoint)];
    if (asked.idle != idle_) asked = {idle_, 0};
    return asked;
  }
  uint64_t Order(int endpoint, int distance = 0);
  uint32_t NewRecord(int src, int dst, int64_t bytes, uint64_t user, uint64_t order);
  void Release(uint32_t id);
  void Enter(uint32_t id);
  Time ChooseProtocol(Record& record) const;
  void Engine(int endpoint, int64_t bytes, int64_t rate, uint64_t user);
  void Report(uint32_t id, EventKind kind);
  void Sent(uint32_t id) override;
  void Head(uint32_t id) override;
  void Delivered(uint32_t id) override;

  const Description description_;
  const std::unique_ptr<Network> network_;
  Queue queue_;
  std::unique_ptr<Timeline> timeline_;  // null when nothing happens
  std::unique_ptr<Wires> wires_;
  Noisy noise_;
  std::unique_ptr<Circuits> circuits_;  // null without a tier of them
  std::vector<Sends> sends_;            // of each endpoint, when concurrent_sends limits them
  std::vector<Time> late_;              // by record, when there is noise
  Time quiet_since_ = -1;               // since when nothing but the timeline has moved
  const int64_t reduce_rate_, copy_rate_, message_rate_;
  std::vector<std::vector<int16_t>> protocols_;  // of each tier: indices in the description's
  std::vector<Time> engines_;      // until when each endpoint's engine is taken
  std::vector<Time> next_start_;   // of a message of each endpoint, when messages have a gap
  Pool<Record> records_;
  std::vector<GroupState> groups_;
  std::vector<int32_t> free_groups_;
  std::vector<Entry> batch_;
  Path path_;
  const int period_;
  const int copies_bits_;     // of a number of those that are shifts of each other by the period
  std::vector<Asked> asked_;  // by each endpoint
  uint32_t idle_ = 0;         // how often nothing has been in flight
  uint64_t timers_ = 0;
  Observer* observer_ = nullptr;
  std::vector<Event>* out_ = nullptr;  // of the Advance under way
};

}  // namespace fabric

#endif  // FABRIC_SIMULATOR_H_
