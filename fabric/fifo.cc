#include "fabric/fifo.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace fabric {
namespace {

// Streams that fill a port exactly seem to exceed it by what each was rounded up. To be late by so
// little is no contention: the message passes whole and is late.
constexpr Time kRounding = 1000;
constexpr int kMaxChunksPerMessage = 64;  // bounds the events of very large messages
constexpr int kChunks = 4;                // of a short one, unless they were smaller than packets

}  // namespace

FifoWires::FifoWires(const Network& network, const Description& description, bool rates_change,
                     Queue& queue, Arrivals& arrivals)
    : network_(network),
      queue_(queue),
      arrivals_(arrivals),
      chunk_bytes_(description.chunk_bytes),
      buffer_bytes_(description.buffer_bytes),
      packet_bytes_(description.packet_bytes),
      rates_change_(rates_change) {
  ports_.resize(network.ports().size());
  for (size_t i = 0; i < ports_.size(); ++i) ports_[i].rate = network.ports()[i].rate;
  free_paths_.resize(32);
  if (!rates_change_) return;
  promises_.resize(ports_.size());
  debts_.resize(ports_.size());
}

// Its last byte has been delivered, and nothing can be taken back of it any more: by no change of rates,
// and by no port that has begun later than its bytes came and is still at them.
bool FifoWires::Reusable(const Segment& s) const {
  const Message& m = messages_[s.message];
  const Time now = queue_.now();
  if (rates_change_ || s.stage != m.length || s.tail > now || s.offset == kWithdrawn) return false;
  return std::none_of(PathOf(m), PathOf(m) + m.length, [&](uint32_t port) {
    const PortState& p = ports_[port];
    return p.message == s.message && p.busy > now && p.offset < s.offset + s.bytes;
  });
}

uint32_t FifoWires::NewSegment(uint32_t message) {
  Message& m = messages_[message];
  const uint32_t oldest = m.newest == kNone ? kNone : segments_[m.newest].sibling;
  uint32_t index = oldest;
  if (oldest == kNone || !Reusable(segments_[oldest])) {
    index = segments_.New();
    segments_[index].sibling = oldest == kNone ? index : oldest;
    if (oldest != kNone) segments_[m.newest].sibling = index;
  }
  m.newest = index;
  segments_[index].message = message;
  segments_[index].waiting = segments_[index].orphan = 0;
  return index;
}

void FifoWires::StorePath(Message& message, const Path& path) {
  const size_t length = path.ports.size();
  message.length = static_cast<uint16_t>(length);
  message.profile = path.profile;
  if (length <= kShort) {
    std::copy(path.ports.begin(), path.ports.end(), message.ports);
    return;
  }
  const int room = std::bit_width(length);
  std::vector<uint32_t>& free = free_paths_[room];
  if (free.empty()) {
    message.ports[0] = static_cast<uint32_t>(paths_.size());
    paths_.resize(paths_.size() + (size_t{1} << room));
  } else {
    message.ports[0] = free.back();
    free.pop_back();
  }
  std::copy(path.ports.begin(), path.ports.end(), paths_.begin() + message.ports[0]);
}

void FifoWires::FreePath(const Message& message) {
  if (message.length > kShort) free_paths_[std::bit_width(message.length)].push_back(message.ports[0]);
}

void FifoWires::Enter(const Passage& passage, const Path& path) {
  messages_.Reach(passage.id);
  Message& m = messages_[passage.id];
  const Time now = queue_.now();
  const Time spread = passage.rate > 0 ? TransferTime(passage.bytes, passage.rate) : 0;
  m.unsent = m.undelivered = passage.bytes;
  m.sent_at = m.head_at = m.delivered_at = -1;
  m.order = passage.order;
  m.chunk = std::max(std::min(chunk_bytes_, std::max(passage.bytes / kChunks, packet_bytes_)),
                     passage.bytes / kMaxChunksPerMessage);
  m.waiting = 0;
  m.newest = kNone;
  m.turn = passage.turn;
  m.notify_head = passage.notify_head;
  m.held_back = m.sent = false;
  StorePath(m, path);
  const uint32_t index = NewSegment(passage.id);
  Segment& s = segments_[index];
  s.head = now;
  s.tail = now + spread;
  s.duration = spread;
  s.offset = 0;
  s.bytes = passage.bytes;
  s.stage = 0;
  Arrive(index);
}

void FifoWires::Arrive(uint32_t index) {
  const Segment& s = segments_[index];
  if (s.offset == kWithdrawn) return;
  const uint32_t port = PortOf(s);
  const PortState& p = ports_[port];
  if (p.first == kNone && p.rate > 0) {
    const Time service = Service(s.bytes, p.rate);
    if (std::max(p.busy, s.head) + service <= std::max(s.tail, s.head + service) + kRounding) {
      return Serve(port, index);
    }
  }
  const uint32_t rest = p.first == kNone ? Cut(port, messages_[s.message].chunk) : kNone;
  Wait(port, index);
  if (rest != kNone) Wait(port, rest);
  WakeAt(port, ports_[port].busy);
}

// The last of those that wait at a port and come before a segment that has just come there; kNone: it
// is first. Untouched messages at their first port are in the order of their turns: the search begins
// where the last one was placed, because many come in that order.
uint32_t FifoWires::Before(PortState& port, uint32_t index) {
  const auto untouched = [&](const Segment& s) { return s.stage == 0 && s.offset == 0; };
  if (!untouched(segments_[index])) return port.last;
  const uint32_t turn = messages_[segments_[index].message].turn;
  const auto behind = [&](uint32_t other) {
    return static_cast<int32_t>(messages_[segments_[other].message].turn - turn) > 0;
  };
  const auto later = [&](uint32_t i) { return untouched(segments_[i]) && behind(i); };
  const uint32_t placed = std::exchange(port.placed, index);
  if (untouched(segments_[port.last]) && !behind(port.last)) return port.last;
  uint32_t before = placed == kNone || behind(placed) ? kNone : placed;
  for (uint32_t i = before == kNone ? port.first : segments_[before].next; i != kNone && !later(i);
       i = segments_[i].next) {
    before = i;
  }
  return before;
}

void FifoWires::Wait(uint32_t port, uint32_t index) {
  PortState& p = ports_[port];
  Segment& s = segments_[index];
  if (observer_ != nullptr) observer_->Waiting(port, s.bytes, queue_.now());
  if (s.stage > 0) messages_[s.message].waiting += s.bytes;
  s.waiting = 1;
  const uint32_t before = p.first == kNone ? kNone : Before(p, index);
  uint32_t& link = before == kNone ? p.first : segments_[before].next;
  s.next = link;
  link = index;
  if (s.next == kNone) p.last = index;
}

// The end of a segment leaves a port behind the first later than it came there: what then is left of
// the message in switches must fit a buffer before the sender is told.
void FifoWires::HoldBack(Message& m, uint32_t id, const Segment& s, const PortState& p) {
  if (m.sent || m.waiting > buffer_bytes_) return;
  Time release = s.tail - Service(buffer_bytes_ - m.waiting, p.rate);
  const auto latencies = network_.hop_latencies(m.profile);
  for (uint32_t stage = 0; stage < s.stage; ++stage) release -= latencies[stage];
  if (!m.held_back && release <= m.sent_at) return;
  m.held_back = false;
  m.sent_at = std::max({m.sent_at, release, queue_.now()});
  if (m.unsent == 0) queue_.Push({m.sent_at, m.order, id, kSent});
}

void FifoWires::WakeAt(uint32_t port, Time time) {
  PortState& p = ports_[port];
  if (p.first == kNone || p.rate == 0 || p.serve_at == time) return;
  p.serve_at = std::max(time, queue_.now());
  queue_.Push({p.serve_at, port, port, kServe});
}

void FifoWires::Serve(uint32_t port, uint32_t index) {
  PortState& p = ports_[port];
  Segment& s = segments_[index];
  Message& m = messages_[s.message];
  const Time service = Service(s.bytes, p.rate);
  p.started = std::max(p.busy, s.head);
  p.busy = p.started + service;
  p.tail = s.tail;
  p.offset = s.offset;
  p.bytes = s.bytes;
  p.message = s.message;
  s.duration = std::max(s.duration, service);
  s.tail = std::max(s.tail, p.busy);
  const Time head_out = std::max(s.head, s.tail - s.duration);
  if (rates_change_) {
    Promised(port, {.head = s.head, .tail = p.tail, .started = p.started, .begins = head_out,
                    .ends = s.tail, .offset = s.offset, .bytes = s.bytes, .message = s.message,
                    .stage = s.stage});
  }
  if (observer_ != nullptr) {
    observer_->Booked(port, s.message, s.bytes, head_out, s.tail);
  }
  const Time latency = network_.hop_latencies(m.profile)[s.stage];
  if (s.stage == 0) {
    m.unsent -= s.bytes;
    m.sent_at = std::max(m.sent_at, s.tail);
    if (m.unsent == 0) queue_.Push({m.sent_at, m.order, s.message, kSent});
  } else if (s.tail > p.tail || m.held_back) {
    HoldBack(m, s.message, s, p);
  }
  s.head = head_out + latency;
  s.tail += latency;
  if (++s.stage < m.length) {
    queue_.Push({s.head, m.order, index, kArrive});
    return;
  }
  if (m.notify_head && s.offset == 0) {
    m.head_at = s.head;
    queue_.Push({s.head, m.order, s.message, kHead});
  }
  m.undelivered -= s.bytes;
  m.delivered_at = std::max(m.delivered_at, s.tail);
  if (m.undelivered == 0) queue_.Push({m.delivered_at, m.order, s.message, kDelivered});
}

// Keeps the first `bytes` in the segment and returns a new one, at the same port, with the rest.
uint32_t FifoWires::SplitFront(uint32_t index, int64_t bytes) {
  const uint32_t rest = NewSegment(segments_[index].message);
  Segment& s = segments_[index];
  Segment& r = segments_[rest];
  const int64_t whole = s.bytes;
  r.offset = s.offset + bytes;
  r.bytes = whole - bytes;
  r.stage = s.stage;
  r.tail = s.tail;
  r.head = s.head + Share(s.tail - s.head, bytes, whole);
  r.duration = s.duration - Share(s.duration, bytes, whole);
  s.duration = Share(s.duration, bytes, whole);
  s.tail = r.head;
  s.bytes = bytes;
  return rest;
}

void FifoWires::ServeNext(uint32_t port) {
  while (ports_[port].first != kNone) {
    PortState& p = ports_[port];
    const uint32_t index = p.first;
    Segment& s = segments_[index];
    p.first = s.next;
    if (p.placed == index) p.placed = kNone;
    s.waiting = 0;
    if (observer_ != nullptr) observer_->Waiting(port, -s.bytes, queue_.now());
    if (s.offset == kWithdrawn) {
      if (s.orphan != 0) segments_.Free(index);
      continue;
    }
    if (s.stage > 0) messages_[s.message].waiting -= s.bytes;
    const int64_t chunk = messages_[s.message].chunk;
    if (p.first != kNone && s.bytes > chunk) {
      const uint32_t rest = SplitFront(index, chunk);
      Wait(port, rest);
    }
    // What has waited is in the port's buffer: it leaves from now on as one stream, no faster than
    // its end still comes in.
    Segment& served = segments_[index];
    served.head = queue_.now();
    served.tail = std::max(served.tail, served.head);
    served.duration = served.tail - served.head;
    Serve(port, index);
    // Many that take turns are not in the cache when theirs comes.
    if (p.first != kNone) {
      const Segment& next = segments_[p.first];
      __builtin_prefetch(&messages_[next.message]);
      if (next.next != kNone) __builtin_prefetch(&segments_[next.next]);
    }
    return WakeAt(port, ports_[port].busy);
  }
}

// Takes back from the ports after stage `stage` of a message's path what they were promised of its
// bytes [begin, end): lost_ has how much, by stage. What a port took on last it passes for so much
// shorter. Before that it took on others, whose times stand: then its clock alone goes back, for
// those who come.
void FifoWires::TakeBack(uint32_t message, uint32_t stage, int64_t begin, int64_t end) {
  const Message& m = messages_[message];
  const Time now = queue_.now();
  for (++stage; stage < m.length; ++stage) {
    const uint32_t port = PathOf(m)[stage];
    PortState& p = ports_[port];
    int64_t lost = lost_[stage];
    if (observer_ != nullptr && lost > 0) observer_->TakenBack(port, message, lost);
    if (rates_change_) {
      TakeBackPromises(port, message, begin, end);
      continue;
    }
    if (lost == 0 || p.busy <= now) continue;
    if (p.message == message && p.offset < end && p.offset + p.bytes > begin) {
      const int64_t keep = std::max<int64_t>(0, begin - p.offset);
      lost -= p.bytes - keep;
      p.busy += Service(keep, p.rate) - Service(p.bytes, p.rate);
      p.bytes = keep;
    }
    p.busy = std::max(now, p.busy - Service(std::max<int64_t>(0, lost), p.rate));
    WakeAt(port, p.busy);
  }
}

// Of a segment, its first `keep` bytes stay.
void FifoWires::Shorten(uint32_t index, int64_t keep) {
  Segment& s = segments_[index];
  Message& m = messages_[s.message];
  const int64_t whole = s.bytes;
  if (s.waiting != 0) {
    if (s.stage > 0) m.waiting += keep - whole;
    if (observer_ != nullptr) observer_->Waiting(PortOf(s), keep - whole, queue_.now());
  }
  if (s.stage == m.length) m.undelivered += whole - keep;
  if (whole > 0) {
    s.duration = Share(s.duration, keep, whole);
    s.tail = s.head + Share(s.tail - s.head, keep, whole);
  }
  s.bytes = keep;
  if (keep == 0) s.offset = kWithdrawn;
}

// Ends what the port is serving at the next multiple of `granularity`. Returns a segment with the
// rest, which nobody holds yet, or kNone if there is none.
uint32_t FifoWires::Cut(uint32_t port, int64_t granularity) {
  PortState& p = ports_[port];
  const Time now = queue_.now();
  if (p.busy <= now || p.message == kNone) return kNone;
  const int64_t served =
      p.started >= now ? 0 : BytesIn(now - p.started, p.rate);
  const int64_t keep =
      std::max<int64_t>(1, (served + granularity - 1) / granularity) * granularity;
  if (keep >= p.bytes) return kNone;
  const Message& m = messages_[p.message];
  uint32_t stage = 0;
  while (PathOf(m)[stage] != port) ++stage;
  p.busy = std::min(p.busy, p.started + Service(keep, p.rate));
  const Time tail = p.tail;
  const Time head = std::min(std::max(now, p.started + Share(tail > p.started ? tail - p.started : 0,
                                                             keep, p.bytes)),
                             std::max(now, tail));
  const int64_t begin = p.offset + keep, end = p.offset + p.bytes;
  p.bytes = keep;
  if (rates_change_) Shorten(promises_[port].back(), keep);
  return Withdraw(p.message, stage, begin, end, head, tail);
}

// Takes bytes of a message back from the ports behind the one at `stage`, to which they belong to one
// promise. Returns a segment with them at that port, which nobody holds yet.
uint32_t FifoWires::Withdraw(uint32_t message, uint32_t stage, int64_t begin, int64_t end, Time head,
                             Time tail) {
  Message& m = messages_[message];
  if (observer_ != nullptr) observer_->TakenBack(PathOf(m)[stage], message, end - begin);
  lost_.assign(m.length, 0);
  ForSegments(m, [&](uint32_t i) {
    const Segment& s = segments_[i];
    if (s.stage <= stage || s.offset + s.bytes <= begin || s.offset >= end) return;
    const int64_t stays = std::max<int64_t>(0, begin - s.offset);
    for (uint32_t passed = stage + 1; passed < s.stage; ++passed) lost_[passed] += s.bytes - stays;
    Shorten(i, stays);
  });
  TakeBack(message, stage, begin, end);
  if (stage == 0) m.unsent += end - begin;
  if (begin == 0) m.head_at = -1;
  if (rates_change_) {  // what is taken back may come earlier than was promised
    m.delivered_at = -1;
    ForSegments(m, [&](uint32_t i) {
      const Segment& s = segments_[i];
      if (s.stage == m.length && s.bytes > 0) m.delivered_at = std::max(m.delivered_at, s.tail);
    });
    m.sent_at = -1;
    for (const Promise& promise : promises_[PathOf(m)[0]]) {
      if (promise.message == message) m.sent_at = std::max(m.sent_at, promise.ends);
    }
    m.held_back = !m.sent;
  }
  const uint32_t rest = NewSegment(message);
  Segment& r = segments_[rest];
  r.offset = begin;
  r.bytes = end - begin;
  r.stage = stage;
  r.head = head;
  r.tail = std::max(head, tail);
  r.duration = r.tail - r.head;
  return rest;
}

void FifoWires::Finish(uint32_t id) {
  Message& m = messages_[id];
  ForSegments(m, [&](uint32_t i) {
    if (segments_[i].waiting != 0) {
      segments_[i].orphan = 1;  // its port frees it
    } else {
      segments_.Free(i);
    }
  });
  m.newest = kNone;
  FreePath(m);
}

void FifoWires::Soon(const Entry& entry, bool again) const {
  switch (entry.step) {
    case kServe:
      if (!again) return __builtin_prefetch(&ports_[entry.record]);
      if (ports_[entry.record].first != kNone) {
        __builtin_prefetch(&segments_[ports_[entry.record].first]);
      }
      return;
    case kArrive:
      if (!again) return __builtin_prefetch(&segments_[entry.record]);
      return __builtin_prefetch(&messages_[segments_[entry.record].message]);
    default:
      if (!again) __builtin_prefetch(&messages_[entry.record]);
  }
}

void FifoWires::Handle(const Entry& entry) {
  const Time now = queue_.now();
  switch (entry.step) {
    case kServe:
      if (ports_[entry.record].serve_at != now) return;  // the port became free earlier or later
      if (ports_[entry.record].busy > now) return WakeAt(entry.record, ports_[entry.record].busy);
      ports_[entry.record].serve_at = -1;
      return ServeNext(entry.record);
    case kArrive:
      // A message may have ended, and its segment serve another, before what was taken back of it was to
      // arrive.
      if (messages_[segments_[entry.record].message].order != entry.order) return;
      return Arrive(entry.record);
    case kSent: {
      Message& m = messages_[entry.record];
      if (m.unsent != 0 || m.sent_at != now || m.sent) return;  // a cut has made it later
      m.held_back = m.waiting > buffer_bytes_;
      if (m.held_back) return;
      m.sent = true;
      return arrivals_.Sent(entry.record);
    }
    case kHead: {
      Message& m = messages_[entry.record];
      if (m.head_at != now) return;
      m.head_at = -1;
      return arrivals_.Head(entry.record);
    }
    default: {
      Message& m = messages_[entry.record];
      if (m.undelivered != 0 || m.delivered_at != now) return;
      m.delivered_at = -1;
      Finish(entry.record);
      return arrivals_.Delivered(entry.record);
    }
  }
}

}  // namespace fabric
