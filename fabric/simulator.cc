#include "fabric/simulator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace fabric {
namespace {

constexpr int kSequenceBits = 42;  // 4e12 operations; the 22 bits above hold the source

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fabric: %s\n", what);
  std::abort();
}

}  // namespace

void Simulator::Queue::Push(const Entry& entry) {
  const int bucket = std::bit_width(static_cast<uint64_t>(entry.time ^ last));
  buckets[bucket].push_back(entry);
  occupied |= uint64_t{1} << bucket;
}

bool Simulator::Queue::Refill() {
  if (occupied == 0) return false;
  const int bucket = std::countr_zero(occupied);
  if (bucket == 0) return true;
  std::vector<Entry>& source = buckets[bucket];
  last = std::min_element(source.begin(), source.end(), [](const Entry& a, const Entry& b) {
           return a.time < b.time;
         })->time;
  occupied &= ~(uint64_t{1} << bucket);
  for (const Entry& entry : source) Push(entry);  // into lower buckets only
  source.clear();
  return true;
}

absl::StatusOr<Simulator> Simulator::Create(Description description) {
  if (absl::Status status = Validate(description); !status.ok()) return status;
  return Simulator(std::move(description));
}

Simulator::Simulator(Description description) : description_(std::move(description)) {
  const Description& d = description_;
  port_rate_ = std::llround(d.port_bandwidth);
  reduce_rate_ = std::llround(d.reduce_bandwidth);
  copy_rate_ = std::llround(d.copy_bandwidth);
  const size_t endpoints = static_cast<size_t>(d.endpoints);
  const size_t receive_base = endpoints;  // send ports come first
  engines_.assign(endpoints, 0);
  size_t clocks = 2 * endpoints;

  // Where the clocks of each tier's uplinks and downlinks are, and which of them can queue.
  const int tiers = static_cast<int>(d.tiers.size());
  std::vector<size_t> up_base(tiers), down_base(tiers);
  std::vector<bool> up_visited(tiers), down_visited(tiers);
  double input = d.port_bandwidth;  // the most a group of the tier below can send
  int inner = 1;
  for (int i = 0; i + 1 < tiers; ++i) {
    const Tier& tier = d.tiers[i];
    const int inner_groups = std::min(tier.group_size / inner, (d.endpoints + inner - 1) / inner);
    input *= inner_groups;
    down_visited[i] = tier.uplink_bandwidth > 0;
    up_visited[i] = down_visited[i] && tier.uplink_bandwidth < input;
    if (down_visited[i]) input = std::min(input, tier.uplink_bandwidth);
    const size_t groups = (endpoints + tier.group_size - 1) / tier.group_size;
    up_base[i] = clocks;
    down_base[i] = clocks + groups;
    clocks += 2 * groups;
    inner = tier.group_size;
  }
  clocks_.assign(clocks, 0);

  for (int turn = 0; turn < tiers; ++turn) {
    first_stage_.push_back(static_cast<uint16_t>(stages_.size()));
    Time latency = 0;
    const auto visit = [&](double rate, size_t base, int group_size, bool at_source, bool last) {
      stages_.push_back({latency, std::llround(rate), base, group_size, at_source, last});
      latency = 0;
    };
    for (int i = 0; i < turn; ++i) {
      latency += d.TierLatency(i, false);
      if (up_visited[i]) {
        visit(d.tiers[i].uplink_bandwidth, up_base[i], d.tiers[i].group_size, true, false);
      }
    }
    latency += d.TierLatency(turn, true);
    for (int i = turn - 1; i >= 0; --i) {
      if (down_visited[i]) {
        visit(d.tiers[i].uplink_bandwidth, down_base[i], d.tiers[i].group_size, false, false);
      }
      latency += d.TierLatency(i, false);
    }
    visit(d.port_bandwidth, receive_base, 1, false, true);
  }
}

uint32_t Simulator::NewRecord(int src, int dst, int64_t bytes, uint64_t user, int order_source) {
  uint32_t index;
  if (free_.empty()) {
    index = static_cast<uint32_t>(records_.size());
    records_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Record& r = records_[index];
  r.bytes = bytes;
  r.user = user;
  r.order = static_cast<uint64_t>(order_source) << kSequenceBits | sequence_++;
  r.src = src;
  r.dst = dst;
  r.pending = 0;
  return index;
}

void Simulator::Release(uint32_t index) {
  if (--records_[index].pending == 0) free_.push_back(index);
}

void Simulator::Schedule(Time time, uint32_t record, Step step) {
  ++records_[record].pending;
  queue_.Push({time, records_[record].order, record, step});
}

void Simulator::Send(int src, int dst, int64_t bytes, uint64_t user) {
  Require(src >= 0 && src < description_.endpoints, "Send: source out of range");
  Require(dst >= 0 && dst < description_.endpoints, "Send: destination out of range");
  Require(bytes >= 0, "Send: negative size");
  const uint32_t index = NewRecord(src, dst, bytes, user, src);
  Record& r = records_[index];
  Time& clock = clocks_[src];
  const Time head = std::max(clock, now() + description_.send_overhead);
  r.duration = TransferTime(bytes, port_rate_);
  r.tail = clock = head + r.duration;
  r.stage = first_stage_[description_.MeetingTier(src, dst)];
  const Time latency = stages_[r.stage].latency;
  Schedule(r.tail, index, Step::kSent);
  r.tail += latency;
  Schedule(head + latency, index, Step::kArrive);
}

void Simulator::After(Time delay, uint64_t user) {
  Require(delay >= 0, "After: negative delay");
  // Timers come after the messages of their instant.
  Schedule(now() + delay, NewRecord(-1, -1, 0, user, description_.endpoints), Step::kTimer);
}

void Simulator::Engine(int endpoint, int64_t bytes, int64_t rate, uint64_t user) {
  Require(endpoint >= 0 && endpoint < description_.endpoints, "engine: endpoint out of range");
  Require(bytes >= 0, "engine: negative size");
  Time& clock = engines_[endpoint];
  clock = std::max(clock, now()) + (rate == 0 ? 0 : TransferTime(bytes, rate));
  Schedule(clock, NewRecord(endpoint, endpoint, bytes, user, endpoint), Step::kTimer);
}

void Simulator::Reduce(int endpoint, int64_t bytes, uint64_t user) {
  Engine(endpoint, bytes, reduce_rate_, user);
}

void Simulator::Copy(int endpoint, int64_t bytes, uint64_t user) {
  Engine(endpoint, bytes, copy_rate_, user);
}

void Simulator::Arrive(uint32_t index, Time head) {
  Record& r = records_[index];
  const Stage& stage = stages_[r.stage];
  Time& clock = clocks_[stage.base + (stage.at_source ? r.src : r.dst) / stage.group_size];
  const Time service = TransferTime(r.bytes, stage.rate);
  clock = std::max(clock, head) + service;
  r.duration = std::max(r.duration, service);
  r.tail = std::max(r.tail, clock);
  if (stage.last) {
    Schedule(r.tail + description_.recv_overhead, index, Step::kDelivered);
    return;
  }
  const Time next = stages_[++r.stage].latency;
  const Time head_out = std::max(head, r.tail - r.duration);
  r.tail += next;
  Schedule(head_out + next, index, Step::kArrive);
}

void Simulator::Handle(const Entry& entry, std::vector<Event>& out) {
  if (entry.step == Step::kArrive) {
    Arrive(entry.record, entry.time);
  } else {
    const Record& r = records_[entry.record];
    const EventKind kind = entry.step == Step::kSent        ? EventKind::kSent
                           : entry.step == Step::kDelivered ? EventKind::kDelivered
                                                            : EventKind::kTimer;
    out.push_back({entry.time, kind, r.src, r.dst, r.bytes, r.user});
  }
  Release(entry.record);
}

bool Simulator::Advance(std::vector<Event>& out) {
  const size_t before = out.size();
  while (out.size() == before || (queue_.occupied & 1) != 0) {
    if (!queue_.Refill()) return out.size() != before;
    batch_.clear();
    batch_.swap(queue_.buckets[0]);
    queue_.occupied &= ~uint64_t{1};
    if (batch_.size() > 1) {
      std::sort(batch_.begin(), batch_.end(), [](const Entry& a, const Entry& b) {
        return a.order != b.order ? a.order < b.order : a.step < b.step;
      });
    }
    for (const Entry& entry : batch_) Handle(entry, out);
  }
  return true;
}

}  // namespace fabric
