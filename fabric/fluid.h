// The fluid engine: at every instant all messages share the ports of their paths max-min fairly.
//
// A message takes a share of every port of its path at once, from its entry until its last byte has
// drained: that is kSent. kDelivered follows after the latencies of the whole path. Shares are those
// of progressive filling: all rates grow together; a message stops growing when a port of its path
// is full or when it reaches its own rate. They change only when a message enters or drains,
// and only within the component of ports and messages that are connected to
// the change, which is solved once an instant.
//
// Where this is right: bandwidth. No queue, chunk or order of service takes part, so it is what a
// perfectly fair network would do, and the reference for engines that serve by turns.
// Where it is off:
// - All ports of a path are taken at one time, though bytes come to later ones only after the
//   latency of the hops before. Paths of unequal latency that meet at a port are off by as much as
//   their latencies differ; a message just drained no longer slows those it still precedes on the
//   way. Messages that enter as soon as others are sent are right at their senders' ports.
// - Nothing queues: a message of no bytes overtakes everything but a port that is down.
// - A solve costs time linear in the component. Irregular many-to-many traffic is one component that
//   changes at each of its messages: quadratic.
//
// Rates are integers of 2^-12 B/s or coarser, so a solution does not depend on the order of the
// calls, and messages whose situations are alike end at one and the same picosecond.
#ifndef FABRIC_FLUID_H_
#define FABRIC_FLUID_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "fabric/wires.h"

namespace fabric {

class FluidWires final : public Wires {
 public:
  FluidWires(const Network& network, Queue& queue, Arrivals& arrivals);

  absl::string_view name() const override { return "fluid"; }
  void Enter(const Passage& passage, const Path& path) override;
  void Handle(const Entry& entry) override;
  void SetRate(uint32_t port, int64_t rate) override;
  bool Holds(uint32_t port) const override;

 private:
  using Work = __int128;  // bytes x picoseconds of a second x units of rate
  enum Step : uint8_t { kDrain = kFirstStep, kSent, kHead, kDelivered, kSolve };

  struct Hop {
    uint32_t port;
    uint32_t place;  // in the port's flows
  };
  struct Flow {
    Work remaining = 0;      // at `updated`
    int64_t bytes = 0;
    int64_t rate = 0;        // in units
    int64_t cap = 0;         // in units
    int64_t level = -1;      // rate of the solution under way; -1: still growing
    Time entered = 0, updated = 0;
    Time not_before = 0;     // it does not drain earlier
    Time drain_at = 0;
    Time armed = -1;         // time of the latest kDrain entry
    Time latency = 0;        // of the path
    uint64_t order = 0;
    uint64_t epoch = 0;      // of the solve that has seen it
    bool active = false;     // has bytes to drain
    bool shared = false;     // has been one of several in a component
    bool owes_head = false;  // kHead is to be reported and has not been scheduled
    std::vector<Hop> hops;
  };
  struct Member {
    uint32_t flow;
    uint32_t hop;  // in the flow's path
  };
  struct PortState {
    int64_t capacity = 0;  // in units
    int64_t left = 0;      // of the solution under way: not given to flows that have stopped
    int64_t growing = 0;   // flows that have not
    uint64_t epoch = 0;
    std::vector<Member> flows;
  };

  int64_t Units(int64_t rate) const;
  // What each growing flow of a port would get; a unit at least, lest anybody wait forever.
  static int64_t Share(const PortState& p) {
    return p.capacity == 0 ? 0 : std::max<int64_t>(1, p.left / p.growing);
  }
  void Touch(uint32_t port);
  void Drain(uint32_t id);
  void Solve();
  void Collect(uint32_t port);
  void Fill();
  void FillCapped(int64_t level, size_t& next);
  void Stop(Flow& flow, int64_t level);
  void Apply(uint32_t id);

  const Network& network_;
  Queue& queue_;
  Arrivals& arrivals_;
  int shift_ = 0;  // a unit of rate is 2^-shift_ B/s
  uint64_t epoch_ = 0;
  Time solve_at_ = -1;
  std::vector<PortState> ports_;
  std::vector<Flow> flows_;
  std::vector<uint32_t> touched_;
  // Of the component being solved.
  std::vector<uint32_t> members_, reached_;
  std::vector<uint32_t> capped_;  // by their cap
  std::vector<std::pair<int64_t, uint32_t>> heap_;  // share of a port, or less
  std::vector<uint32_t> full_;
};

}  // namespace fabric

#endif  // FABRIC_FLUID_H_
