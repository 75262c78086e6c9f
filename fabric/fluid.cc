#include "fabric/fluid.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>

namespace fabric {
namespace {

constexpr int kRateBits = 62;     // of the largest rate in units
constexpr int kUnitBits = 12;     // below 1 B/s
constexpr Time kNever = std::numeric_limits<Time>::max();
// Shares are rounded down to units, so a drain may seem to be this many units times its duration
// away although it is done.
constexpr int64_t kLostUnits = 64;

}  // namespace

FluidWires::FluidWires(const Network& network, Queue& queue, Arrivals& arrivals)
    : network_(network), queue_(queue), arrivals_(arrivals) {
  ports_.resize(network.ports().size());
  int64_t fastest = 1;
  for (const Port& port : network.ports()) fastest = std::max(fastest, port.rate);
  const int bits = static_cast<int>(std::bit_width(static_cast<uint64_t>(fastest)));
  shift_ = std::clamp(kRateBits - bits, 0, kUnitBits);
  for (size_t i = 0; i < ports_.size(); ++i) {
    ports_[i].capacity = Units(network.ports()[i].rate);
  }
}

int64_t FluidWires::Units(int64_t rate) const {
  return std::min(rate, (int64_t{1} << kRateBits) >> shift_) << shift_;
}

void FluidWires::Touch(uint32_t port) {
  touched_.push_back(port);
  if (solve_at_ == queue_.now()) return;
  // Behind everything that happens at this instant and is known by now.
  solve_at_ = queue_.now();
  queue_.Push({solve_at_, ~uint64_t{0}, 0, kSolve});
}

void FluidWires::Enter(const Passage& passage, const Path& path) {
  if (passage.id >= flows_.size()) flows_.resize(passage.id + 1);
  Flow& f = flows_[passage.id];
  const Time now = queue_.now();
  const Time least = passage.rate > 0 ? TransferTime(passage.bytes, passage.rate) : 0;
  f.order = passage.order;
  f.latency = 0;
  for (Time hop : network_.hop_latencies(path.profile)) f.latency += hop;
  const bool held = std::any_of(path.ports.begin(), path.ports.end(),
                                [&](uint32_t port) { return ports_[port].capacity == 0; });
  if (passage.bytes == 0 && !held) {
    queue_.Push({now, f.order, passage.id, kSent});
    if (passage.notify_head) queue_.Push({now + f.latency, f.order, passage.id, kHead});
    queue_.Push({now + f.latency, f.order, passage.id, kDelivered});
    return;
  }
  f.remaining = std::max<Work>(1, static_cast<Work>(passage.bytes) * kSecond << shift_);
  f.bytes = passage.bytes;
  f.rate = 0;
  f.cap = kNever;
  if (passage.rate > 0) f.cap = Units(passage.rate);
  f.entered = f.updated = now;
  f.not_before = now + least;
  f.drain_at = kNever;
  f.armed = -1;
  f.active = true;
  f.shared = false;
  f.owes_head = passage.notify_head;
  f.hops.clear();
  for (uint32_t i = 0; i < path.ports.size(); ++i) {
    PortState& p = ports_[path.ports[i]];
    f.hops.push_back({path.ports[i], static_cast<uint32_t>(p.flows.size())});
    p.flows.push_back({passage.id, i});
  }
  Touch(path.ports[0]);  // the others are connected to it
}

bool FluidWires::Holds(uint32_t port) const {
  return !ports_[port].flows.empty();
}

void FluidWires::SetRate(uint32_t port, int64_t rate) {
  ports_[port].capacity = Units(rate);
  if (!ports_[port].flows.empty()) Touch(port);
}

void FluidWires::Drain(uint32_t id) {
  Flow& f = flows_[id];
  for (const Hop& hop : f.hops) {
    if (observer_ != nullptr) {
      observer_->Booked(hop.port, id, f.bytes, f.entered, queue_.now());
    }
    std::vector<Member>& flows = ports_[hop.port].flows;
    const Member moved = flows.back();
    flows[hop.place] = moved;
    flows_[moved.flow].hops[moved.hop].place = hop.place;
    flows.pop_back();
    if (!flows.empty()) Touch(hop.port);
  }
  f.active = false;
  queue_.Push({queue_.now() + f.latency, f.order, id, kDelivered});
}

// The component of `port`, unless this solve has been there.
void FluidWires::Collect(uint32_t port) {
  members_.clear();
  reached_.clear();
  const auto reach = [&](uint32_t index) {
    if (ports_[index].epoch == epoch_) return;
    ports_[index].epoch = epoch_;
    reached_.push_back(index);
  };
  reach(port);
  for (size_t i = 0; i < reached_.size(); ++i) {
    for (const Member& member : ports_[reached_[i]].flows) {
      Flow& f = flows_[member.flow];
      if (f.epoch == epoch_) continue;
      f.epoch = epoch_;
      members_.push_back(member.flow);
      for (const Hop& hop : f.hops) reach(hop.port);
    }
  }
}

void FluidWires::Stop(Flow& flow, int64_t level) {
  flow.level = level;
  for (const Hop& hop : flow.hops) {
    ports_[hop.port].left -= level;
    --ports_[hop.port].growing;
  }
}

// Stops those whose own rate is not above `level`.
void FluidWires::FillCapped(int64_t level, size_t& next) {
  for (; next < capped_.size() && flows_[capped_[next]].cap <= level; ++next) {
    Flow& f = flows_[capped_[next]];
    if (f.level < 0) Stop(f, f.cap);
  }
}

void FluidWires::Fill() {
  capped_.clear();
  for (uint32_t id : members_) {
    flows_[id].level = -1;
    if (members_.size() > 1) flows_[id].shared = true;
    if (flows_[id].cap != kNever) capped_.push_back(id);
  }
  std::sort(capped_.begin(), capped_.end(),
            [&](uint32_t a, uint32_t b) { return flows_[a].cap < flows_[b].cap; });
  heap_.clear();
  for (uint32_t index : reached_) {
    PortState& p = ports_[index];
    p.left = p.capacity;
    p.growing = static_cast<int64_t>(p.flows.size());
    if (p.growing > 0) heap_.push_back({Share(p), index});
  }
  std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
  size_t next = 0;
  while (!heap_.empty()) {
    // All ports that are full at the lowest level; shares only grow, so what the heap knows of a
    // port is never too much.
    int64_t level = kNever;
    full_.clear();
    while (!heap_.empty() && heap_.front().first <= level) {
      const auto [known, index] = heap_.front();
      std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
      heap_.pop_back();
      const PortState& p = ports_[index];
      if (p.growing == 0) continue;
      const int64_t share = Share(p);
      if (share == known && share <= level) {
        level = share;
        full_.push_back(index);
      } else {
        heap_.push_back({share, index});
        std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
      }
    }
    if (full_.empty()) return;
    const size_t before = next;
    FillCapped(level, next);
    if (next != before) {  // what they leave raises the level
      for (uint32_t index : full_) {
        heap_.push_back({level, index});
        std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
      }
      continue;
    }
    for (uint32_t index : full_) {
      for (const Member& member : ports_[index].flows) {
        Flow& f = flows_[member.flow];
        if (f.level < 0) Stop(f, level);
      }
    }
  }
}

// From now on the flow has the rate of the solution.
void FluidWires::Apply(uint32_t id) {
  Flow& f = flows_[id];
  if (f.level == f.rate) return;
  const Time now = queue_.now();
  f.remaining = std::max<Work>(0, f.remaining - static_cast<Work>(f.rate) * (now - f.updated));
  f.updated = now;
  f.rate = f.level;
  f.drain_at = kNever;
  if (f.rate == 0) return;
  if (f.owes_head) queue_.Push({now + f.latency, f.order, id, kHead});
  f.owes_head = false;
  Work left = (f.remaining + f.rate - 1) / f.rate;
  if (f.shared && left > 0 &&
      f.remaining - (left - 1) * f.rate <= kLostUnits * (now - f.entered + left)) {
    --left;
  }
  left = std::min<Work>(left, kLongest);
  f.drain_at = std::max(f.not_before, now + static_cast<Time>(left));
}

void FluidWires::Solve() {
  ++epoch_;
  solve_at_ = -1;
  for (uint32_t port : touched_) {
    if (ports_[port].epoch == epoch_) continue;
    Collect(port);
    if (members_.empty()) continue;
    Fill();
    Time first = kNever;
    for (uint32_t id : members_) {
      Apply(id);
      first = std::min(first, flows_[id].drain_at);
    }
    if (first == kNever) continue;
    // Whatever happens before then has the component solved again.
    for (uint32_t id : members_) {
      Flow& f = flows_[id];
      if (f.drain_at != first || f.armed == first) continue;
      f.armed = first;
      queue_.Push({first, f.order, id, kDrain});
    }
  }
  touched_.clear();
}

void FluidWires::Handle(const Entry& entry) {
  switch (entry.step) {
    case kSolve:
      return Solve();
    case kDrain: {
      const Flow& f = flows_[entry.record];
      if (!f.active || f.drain_at != queue_.now()) return;
      Drain(entry.record);
      return arrivals_.Sent(entry.record);
    }
    case kSent:
      return arrivals_.Sent(entry.record);
    case kHead:
      return arrivals_.Head(entry.record);
    default:
      return arrivals_.Delivered(entry.record);
  }
}

}  // namespace fabric
