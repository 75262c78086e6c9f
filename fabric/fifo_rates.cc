// The default engine when rates change: what ports have promised, and how it is taken back.
#include <algorithm>

#include "fabric/fifo.h"

namespace fabric {

void FifoWires::Promised(uint32_t port, const Promise& promise) {
  std::vector<Promise>& promises = promises_[port];
  const Time now = queue_.now();
  std::erase_if(promises, [&](const Promise& p) {
    return std::max(p.ends, p.started + TransferTime(p.bytes, ports_[port].rate)) <= now;
  });
  promises.push_back(promise);
}

void FifoWires::Shorten(Promise& promise, int64_t keep) {
  promise.tail = promise.head + Share(promise.tail - promise.head, keep, promise.bytes);
  promise.ends = promise.begins + Share(promise.ends - promise.begins, keep, promise.bytes);
  promise.bytes = keep;
}

// These bytes of a message do not come to the port: it is free as early as what it has promised of
// others allows.
void FifoWires::TakeBackPromises(uint32_t port, uint32_t message, int64_t begin, int64_t end) {
  PortState& p = ports_[port];
  Time busy = -1;
  for (Promise& promise : promises_[port]) {
    if (promise.message == message && promise.bytes > 0 && promise.offset < end &&
        promise.offset + promise.bytes > begin) {
      Shorten(promise, std::max<int64_t>(0, begin - promise.offset));
      busy = std::max(busy, promise.started);
    } else if (busy >= 0) {
      busy = std::max(busy, promise.head);
    } else {
      continue;
    }
    busy += TransferTime(promise.bytes, p.rate);
  }
  if (busy < 0 || p.busy <= queue_.now()) return;
  p.busy = std::max(queue_.now(), std::min(p.busy, busy));
  if (p.message == message && p.offset < end) {
    p.bytes = std::clamp<int64_t>(begin - p.offset, 0, p.bytes);
  }
  WakeAt(port, p.busy);
}

bool FifoWires::Holds(uint32_t port) const {
  return ports_[port].first != kNone;
}

void FifoWires::SetRate(uint32_t port, int64_t rate) {
  PortState& p = ports_[port];
  if (p.rate == rate) return;
  const Time now = queue_.now();
  std::vector<Promise> promises;
  promises.swap(promises_[port]);
  std::vector<uint32_t> rests;
  Debt& debt = debts_[port];
  debt.bytes -= std::min(debt.bytes, BytesIn(now - debt.since, p.rate));
  debt.since = now;
  for (const Promise& promise : promises) {
    int64_t passed = 0;
    if (promise.ends <= now) {
      passed = promise.bytes;
    } else if (promise.begins < now) {
      passed = Share(promise.bytes, now - promise.begins, promise.ends - promise.begins);
    }
    const int64_t due = BytesIn(std::max<Time>(0, now - promise.started), p.rate);
    debt.bytes += passed - std::min(due, promise.bytes);
    if (passed == promise.bytes) continue;
    rests.push_back(Withdraw(promise.message, promise.stage, promise.offset + passed,
                             promise.offset + promise.bytes, now, promise.tail));
  }
  p.rate = rate;
  debt.bytes = std::max<int64_t>(0, debt.bytes);
  p.busy = now + (rate > 0 ? TransferTime(debt.bytes, rate) : 0);
  p.message = kNone;
  p.serve_at = -1;
  if (p.first == kNone) {
    for (uint32_t rest : rests) Arrive(rest);
    return;
  }
  for (auto rest = rests.rbegin(); rest != rests.rend(); ++rest) {
    Segment& s = segments_[*rest];
    if (observer_ != nullptr) observer_->Waiting(port, s.bytes, now);
    if (s.stage > 0) messages_[s.message].waiting += s.bytes;
    s.waiting = 1;
    s.next = p.first;
    p.first = *rest;
  }
  WakeAt(port, p.busy);
}

}  // namespace fabric
