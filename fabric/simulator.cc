#include "fabric/simulator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace fabric {
namespace {

// The order of events at one instant, see Order: the bits of a sequence and of a distance. Those above
// and below, of an endpoint's remainder + 1 and of which of its kind it is, are 21 together. Wires' own
// entries come first, with port numbers below 2^24 alone.
constexpr int kSequenceBits = 22, kDistanceBits = 20;
// Entries of one instant: as many as that are more than the cache holds, and are announced so many
// turns before theirs.
constexpr size_t kLarge = 4096, kAhead = 8;
constexpr uint64_t kTimerOrder = uint64_t{1} << 63;

}  // namespace

void Simulator::Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fabric: %s\n", what);
  std::abort();
}

absl::StatusOr<std::unique_ptr<Simulator>> Simulator::Create(Description description,
                                                             EngineKind engine) {
  auto network = Network::Create(description);
  if (!network.ok()) return network.status();
  std::unique_ptr<Simulator> simulator(
      new Simulator(std::move(description), *std::move(network), engine));
  if (absl::Status status = simulator->Begin(engine); !status.ok()) return status;
  return simulator;
}

Simulator::Simulator(Description description, std::unique_ptr<Network> network,
                     EngineKind engine)
    : description_(std::move(description)),
      network_(std::move(network)),
      noise_(description_),
      reduce_rate_(std::llround(description_.reduce_bandwidth)),
      copy_rate_(std::llround(description_.copy_bandwidth)),
      message_rate_(std::llround(description_.message_bandwidth)),
      engines_(description_.endpoints, 0),
      next_start_(description_.message_gap > 0 ? description_.endpoints : 0, 0),
      period_(engine == EngineKind::kFifo ? network_->period() : description_.endpoints),
      copies_bits_(std::bit_width(static_cast<unsigned>(description_.endpoints / period_ - 1))),
      asked_(description_.endpoints) {
  if (description_.concurrent_sends > 0) sends_.resize(description_.endpoints);
  for (int i = 0; i < static_cast<int>(description_.tiers.size()); ++i) {
    if (description_.tiers[i].kind != TierKind::kCircuit) continue;
    CircuitUser& user = *this;
    circuits_ = std::make_unique<Circuits>(description_, i, noise_, kCircuit, queue_, user);
  }
  if (description_.protocols.empty()) return;
  for (const Tier& tier : description_.tiers) {
    std::vector<int16_t>& served = protocols_.emplace_back();
    for (size_t i = 0; i < description_.protocols.size(); ++i) {
      const bool serves = description_.protocols[i].Serves(tier.name, description_.transfer);
      if (serves) served.push_back(static_cast<int16_t>(i));
    }
  }
}

absl::Status Simulator::Begin(EngineKind engine) {
  bool rates_change = false;
  if (!description_.timeline.empty()) {
    auto timeline = Timeline::Create(description_, *network_);
    if (!timeline.ok()) return timeline.status();
    timeline_ = *std::move(timeline);
    rates_change = !timeline_->touched().empty();
  }
  wires_ = Wires::Create(engine, *network_, description_, rates_change, queue_, *this);
  if (timeline_ != nullptr && timeline_->next() == 0) Change();
  return absl::OkStatus();
}

void Simulator::Watch(Observer* observer) {
  observer_ = observer;
  wires_->Watch(observer);
}

void Simulator::Fold(int modulus) {
  Require(queue_.empty(), "Fold: something is in flight");
  Require(modulus % period_ == 0 && description_.endpoints % modulus == 0, "Fold: no shift of the machine");
  // Endpoints that have nothing in flight differ by their gaps alone.
  const size_t stood = static_cast<size_t>(network_->modulus());
  for (size_t e = stood; e < next_start_.size(); ++e) next_start_[e] = next_start_[e % stood];
  network_->Fold(modulus);
}

// What breaks a tie must not know where endpoint 0 is, nor what an endpoint did before: endpoints that
// are shifts of each other by the period come in the order of what they have asked for since nothing
// was in flight, then of how far it goes, and by number only then. Two messages that still differ by
// number alone are shifts of each other by the period, and never meet at a port.
uint64_t Simulator::Order(int endpoint, int distance) {
  const uint64_t sequence = AskedBy(endpoint).times++ & ((uint64_t{1} << kSequenceBits) - 1);
  const uint64_t kind = static_cast<uint64_t>(endpoint % period_) + 1;
  return ((kind << kSequenceBits | sequence) << kDistanceBits | static_cast<uint64_t>(distance))
             << copies_bits_ |
         static_cast<uint64_t>(endpoint / period_);
}

uint32_t Simulator::NewRecord(int src, int dst, int64_t bytes, uint64_t user, uint64_t order) {
  const uint32_t id = records_.New();
  records_[id] = {.bytes = bytes, .wire = bytes, .user = user, .order = order, .src = src, .dst = dst,
                  .group = -1, .turn = 0, .protocol = -1, .pending = 1, .climbs = false};
  return id;
}

void Simulator::Release(uint32_t id) {
  if (--records_[id].pending == 0) records_.Free(id);
}

// Sets the protocol that suits a message, and its bytes on the wire; what it costs before.
Time Simulator::ChooseProtocol(Record& record) const {
  const Description& d = description_;
  const std::vector<int16_t>& served = protocols_[d.MeetingTier(record.src, record.dst)];
  if (served.empty()) return 0;
  const double path = d.PathBandwidth(record.src, record.dst);
  const double bytes = static_cast<double>(record.bytes);
  double least = 0;
  for (int16_t index : served) {
    const Protocol& protocol = d.protocols[index];
    if (record.bytes > protocol.max_bytes) continue;
    const double rate = protocol.message_bandwidth > 0
                            ? std::min(path, protocol.message_bandwidth) : path;
    const double cost = static_cast<double>(protocol.overhead) +
                        bytes * kSecond / (protocol.efficiency * rate);
    if (record.protocol < 0 || cost < least) record.protocol = index, least = cost;
  }
  if (record.protocol < 0) return 0;
  const Protocol& chosen = d.protocols[record.protocol];
  record.wire = std::llround(bytes / chosen.efficiency);
  return chosen.overhead;
}

void Simulator::Send(int src, int dst, int64_t bytes, uint64_t user, uint32_t turn) {
  Require(src >= 0 && src < description_.endpoints, "Send: source out of range");
  Require(dst >= 0 && dst < description_.endpoints, "Send: destination out of range");
  Require(bytes >= 0, "Send: negative size");
  const int distance = dst < src ? dst - src + description_.endpoints : dst - src;
  const uint32_t id = NewRecord(src, dst, bytes, user, Order(src, distance));
  records_[id].pending = 2;
  records_[id].turn = turn;
  Time overhead = description_.send_overhead;
  if (!protocols_.empty()) overhead += ChooseProtocol(records_[id]);
  Time start = now() + Slowed(src, overhead);
  if (noise_.any()) {
    const Noisy::Delays delays = noise_.Next(src, dst, records_[id].wire);
    if (late_.size() <= id) late_.resize(id + 1);
    late_[id] = delays.late;
    start += delays.start;
  }
  if (!next_start_.empty()) {
    start = std::max(start, next_start_[src]);
    next_start_[src] = start + Slowed(src, description_.message_gap);
  }
  if (start == now()) return Enter(id);
  queue_.Push({start, records_[id].order, id, kStart});
}

Simulator::Lone Simulator::Alone(int src, int dst, int64_t bytes) const {
  const Description& d = description_;
  Record record{.bytes = bytes, .wire = bytes, .user = 0, .order = 0, .src = src, .dst = dst,
                .group = -1, .turn = 0, .protocol = -1, .pending = 0, .climbs = false};
  Time latency = d.send_overhead + d.PathLatency(src, dst) + d.recv_overhead;
  if (!protocols_.empty()) latency += ChooseProtocol(record);
  double rate = d.PathBandwidth(src, dst);
  if (record.protocol >= 0 && d.protocols[record.protocol].message_bandwidth > 0) {
    rate = std::min(rate, d.protocols[record.protocol].message_bandwidth);
  }
  return {latency, TransferTime(record.wire, static_cast<int64_t>(rate))};
}

void Simulator::Enter(uint32_t id) {
  const Record& r = records_[id];
  if (Dead(r.src)) return;
  if (r.group < 0 && !sends_.empty()) {
    Sends& sends = sends_[r.src];
    if (sends.leaving >= description_.concurrent_sends) return sends.waiting.push_back(id);
    ++sends.leaving;
  }
  if (TakesCircuit(r)) return circuits_->Ask(id, r.src, r.dst);
  Pass(id);
}

void Simulator::Reconfigure(absl::Span<const Circuit> circuits, uint64_t user) {
  Require(circuits_ != nullptr, "Reconfigure: no circuits");
  circuits_->Set(circuits, NewRecord(-1, -1, 0, user, kTimerOrder | timers_++));
}

void Simulator::Pass(uint32_t id) {
  const Record& r = records_[id];
  Passage passage{.id = id, .bytes = r.wire, .rate = message_rate_, .order = r.order,
                  .turn = r.turn};
  if (r.group < 0) {
    if (r.protocol >= 0) {
      const int64_t rate = std::llround(description_.protocols[r.protocol].message_bandwidth);
      if (rate > 0 && (passage.rate == 0 || rate < passage.rate)) passage.rate = rate;
    }
    network_->Route(r.src, r.dst, path_);
  } else {
    const int tier = groups_[r.group].tier;
    passage.rate = 0;
    passage.notify_head = r.climbs;
    if (r.climbs) {
      network_->Climb(r.src, tier, path_);
    } else {
      network_->Descend(tier, r.dst, path_);
    }
  }
  if (observer_ != nullptr) observer_->Entered(id, r.src, r.dst);
  wires_->Enter(passage, path_);
}

void Simulator::After(Time delay, uint64_t user, int endpoint) {
  Require(delay >= 0, "After: negative delay");
  // Timers come after the messages of their instant.
  const uint32_t id = NewRecord(-1, endpoint, 0, user, kTimerOrder | timers_++);
  queue_.Push({now() + Slowed(endpoint, delay), records_[id].order, id, kTimer});
}

void Simulator::Engine(int endpoint, int64_t bytes, int64_t rate, uint64_t user) {
  Require(endpoint >= 0 && endpoint < description_.endpoints, "engine: endpoint out of range");
  Require(bytes >= 0, "engine: negative size");
  Time& clock = engines_[endpoint];
  const Time begin = std::max(clock, now());
  clock = begin + (rate == 0 ? 0 : Slowed(endpoint, TransferTime(bytes, rate)));
  if (observer_ != nullptr) observer_->Worked(endpoint, bytes, begin, clock);
  const uint32_t id = NewRecord(endpoint, endpoint, bytes, user, Order(endpoint));
  queue_.Push({clock, records_[id].order, id, kTimer});
}

void Simulator::Reduce(int endpoint, int64_t bytes, uint64_t user) {
  Engine(endpoint, bytes, reduce_rate_, user);
}

void Simulator::Copy(int endpoint, int64_t bytes, uint64_t user) {
  Engine(endpoint, bytes, copy_rate_, user);
}

int Simulator::GroupTier(absl::Span<const int> endpoints, bool to_all) const {
  const Description& d = description_;
  int tier = 0;
  for (int e : endpoints) tier = std::max(tier, d.MeetingTier(endpoints[0], e));
  return d.GroupEfficiency(tier) > 0 && (!to_all || d.GroupToAll(tier)) ? tier : -1;
}

void Simulator::Group(int tier, absl::Span<const int> sources, absl::Span<const int> targets,
                      int64_t bytes, uint64_t user) {
  Require(!sources.empty() && bytes >= 0, "Group: no source, or a negative size");
  int32_t index;
  if (free_groups_.empty()) {
    index = static_cast<int32_t>(groups_.size());
    groups_.emplace_back();
  } else {
    index = free_groups_.back();
    free_groups_.pop_back();
  }
  GroupState& group = groups_[index];
  group.targets.assign(targets.begin(), targets.end());
  group.tier = tier;
  group.heads = group.tails = static_cast<int>(sources.size());
  group.results = static_cast<int>(targets.size());
  group.last_tail = 0;
  const int64_t wire = std::llround(static_cast<double>(bytes) /
                                    description_.GroupEfficiency(tier));
  for (int src : sources) {
    Require(src >= 0 && src < description_.endpoints, "Group: source out of range");
    const uint32_t id = NewRecord(src, -1, bytes, user, Order(src));
    records_[id].group = index;
    records_[id].climbs = true;
    records_[id].wire = wire;
    records_[id].pending = 2;
    const Time wait = description_.send_overhead + description_.tiers[tier].group_overhead;
    if (wait == 0) {
      Enter(id);
    } else {
      queue_.Push({now() + wait, records_[id].order, id, kStart});
    }
  }
}

void Simulator::Report(uint32_t id, EventKind kind) {
  const Record& r = records_[id];
  if (Dead(kind == EventKind::kSent ? r.src : r.dst)) return;  // and stays under way for ever
  out_->push_back({now(), kind, r.src, r.dst, r.bytes, r.user});
  Release(id);
}

void Simulator::Sent(uint32_t id) {
  // The result of a group operation has left a switch: nobody waits for that.
  const Record& r = records_[id];
  if (r.group >= 0 && !r.climbs) return;
  const int src = r.src;
  const bool message = r.group < 0, circuit = TakesCircuit(r);
  Report(id, EventKind::kSent);
  if (circuit) circuits_->Sent(src);
  if (!message || sends_.empty()) return;
  Sends& sends = sends_[src];
  --sends.leaving;
  if (sends.waiting.empty()) return;
  const uint32_t next = sends.waiting.front();
  sends.waiting.pop_front();
  Enter(next);
}

// Results leave the switch when the heads of all operands have come: it forwards as it combines.
void Simulator::Head(uint32_t id) {
  const int32_t index = records_[id].group;
  if (--groups_[index].heads > 0) return;
  const Record operand = records_[id];
  for (size_t i = 0; i < groups_[index].targets.size(); ++i) {
    const int dst = groups_[index].targets[i];
    const uint32_t result = NewRecord(-1, dst, operand.bytes, operand.user, Order(dst));
    records_[result].group = index;
    records_[result].wire = operand.wire;
    Enter(result);
  }
}

void Simulator::Delivered(uint32_t id) {
  const Record& r = records_[id];
  if (r.group >= 0 && r.climbs) {
    GroupState& group = groups_[r.group];
    if (--group.tails == 0) {
      group.last_tail = now();
      std::vector<uint32_t> held;
      held.swap(group.held);
      for (uint32_t result : held) Delivered(result);
      if (group.targets.empty()) free_groups_.push_back(r.group);
    }
    return Release(id);
  }
  Time report = now() + Slowed(r.dst, description_.recv_overhead);
  if (r.group < 0 && noise_.any()) report += late_[id];
  if (r.group >= 0) {
    // Not before the last byte of the last operand can have come down from the switch.
    GroupState& group = groups_[r.group];
    if (group.tails > 0) return group.held.push_back(id);
    network_->Descend(group.tier, r.dst, path_);
    Time down = Slowed(r.dst, description_.recv_overhead);
    for (Time latency : network_->hop_latencies(path_.profile)) down += latency;
    report = std::max(report, group.last_tail + down);
    if (--group.results == 0) free_groups_.push_back(r.group);
  }
  if (report == now()) return Report(id, EventKind::kDelivered);
  queue_.Push({report, r.order, id, kReport});
}

// Memory of what comes next in the batch comes into the cache meanwhile.
void Simulator::Announce(size_t i) const {
  if (i + 2 * kAhead < batch_.size()) {
    const Entry& later = batch_[i + 2 * kAhead];
    if (later.step >= Wires::kFirstStep) {
      wires_->Soon(later, false);
    } else if (later.step >= kStart) {
      __builtin_prefetch(&records_[later.record]);
    }
  }
  if (i + kAhead < batch_.size() && batch_[i + kAhead].step >= Wires::kFirstStep) {
    wires_->Soon(batch_[i + kAhead], true);
  }
}

bool Simulator::Advance(std::vector<Event>& out) {
  const size_t before = out.size();
  out_ = &out;
  while (out.size() == before || queue_.due()) {
    if (!Take()) return out.size() != before;
    for (size_t i = 0; i < batch_.size(); ++i) {
      const Entry& entry = batch_[i];
      if (batch_.size() > kLarge) Announce(i);
      switch (entry.step) {
        case kChange:
          Change();
          break;
        case kCircuit:
          circuits_->Handle(entry.record);
          break;
        case kStart:
          Enter(entry.record);
          break;
        case kReport:
          Report(entry.record, EventKind::kDelivered);
          break;
        case kTimer:
          Report(entry.record, EventKind::kTimer);
          break;
        default:
          wires_->Handle(entry);
      }
    }
  }
  if (queue_.empty()) ++idle_;
  return true;
}

}  // namespace fabric
