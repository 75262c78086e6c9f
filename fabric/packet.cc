#include "fabric/packet.h"

#include <algorithm>

namespace fabric {
PacketWires::PacketWires(const Network& network, const Description& description, Queue& queue,
                         Arrivals& arrivals)
    : network_(network), description_(description), queue_(queue), arrivals_(arrivals) {
  ports_.resize(network.ports().size());
  for (size_t i = 0; i < ports_.size(); ++i) ports_[i].rate = network.ports()[i].rate;
}

uint32_t PacketWires::LaneOf(uint32_t input, uint32_t output) {
  const auto [it, fresh] =
      lane_of_.try_emplace({input, output}, static_cast<uint32_t>(lanes_.size()));
  if (fresh) {
    Lane lane{.input = input, .output = output};
    const Port& port = network_.ports()[input];
    lane.bounded = port.kind != PortKind::kLink ||
                   (description_.links.empty() &&
                    description_.tiers[port.tier].kind == TierKind::kMesh);
    lanes_.push_back(lane);
  }
  return it->second;
}

void PacketWires::Enter(const Passage& passage, const Path& path) {
  if (passage.id >= messages_.size()) messages_.resize(passage.id + 1);
  Message& m = messages_[passage.id];
  const Time now = queue_.now();
  m.bytes = m.unsent = passage.bytes;
  m.packets = std::max<int64_t>(1, (passage.bytes - 1) / description_.packet_bytes + 1);
  m.entered = now;
  m.spread = passage.rate > 0 ? TransferTime(passage.bytes, passage.rate) : 0;
  m.order = passage.order;
  m.profile = path.profile;
  m.owes_head = passage.notify_head;
  m.hops.clear();
  for (size_t i = 0; i < path.ports.size(); ++i) {
    const bool last = i + 1 == path.ports.size();
    m.hops.push_back({path.ports[i], last ? kNone : LaneOf(path.ports[i], path.ports[i + 1])});
  }
  Offer(passage.id);
}

// The message waits for its turn at its first port as soon as its next packet has come there whole.
void PacketWires::Offer(uint32_t id) {
  const Message& m = messages_[id];
  const int64_t end = m.bytes - m.unsent + std::min(m.unsent, description_.packet_bytes);
  Time ready = m.entered + m.spread;
  if (end < m.bytes) {
    ready = m.entered +
            static_cast<Time>((static_cast<__int128>(m.spread) * end + m.bytes - 1) / m.bytes);
  }
  if (ready > queue_.now()) return queue_.Push({ready, m.order, id, kReady});
  const uint32_t port = m.hops[0].port;
  ports_[port].turns.push_back(id);
  Serve(port);
}

bool PacketWires::HasRoom(const Message& message, uint32_t hop, int64_t bytes) const {
  const Hop& h = message.hops[hop];
  if (h.lane == kNone) return true;
  const Lane& lane = lanes_[h.lane];
  if (!lane.bounded || lane.claimed == 0) return true;
  const Time latency = network_.hop_latencies(message.profile)[hop];
  return lane.claimed + bytes <=
         description_.buffer_bytes + BytesIn(latency, ports_[h.port].rate);
}

// The next packet of a source of `port`, or kNone if where it goes there is no room for it.
uint32_t PacketWires::TakePacket(uint32_t port, uint32_t source) {
  if ((source & kLane) != 0) {
    Lane& lane = lanes_[source & ~kLane];
    const uint32_t index = lane.first;
    const Packet& packet = packets_[index];
    if (!HasRoom(messages_[packet.message], packet.hop, packet.bytes)) return kNone;
    lane.first = packet.next;
    if (lane.first == kNone) {
      lane.last = kNone;
    } else {
      ports_[port].turns.push_back(source);
    }
    return index;
  }
  Message& m = messages_[source];
  const int64_t bytes = std::min(m.unsent, description_.packet_bytes);
  if (!HasRoom(m, 0, bytes)) return kNone;
  uint32_t index;
  if (free_packets_.empty()) {
    index = static_cast<uint32_t>(packets_.size());
    packets_.emplace_back();
  } else {
    index = free_packets_.back();
    free_packets_.pop_back();
  }
  packets_[index] = {.bytes = bytes, .message = source, .hop = 0, .next = kNone};
  m.unsent -= bytes;
  return index;
}

void PacketWires::Serve(uint32_t port) {
  PortState& p = ports_[port];
  if (p.packet != kNone || p.rate == 0) return;
  for (size_t i = 0; i < p.turns.size(); ++i) {
    const uint32_t source = p.turns[i];
    const uint32_t index = TakePacket(port, source);
    if (index == kNone) continue;
    p.turns.erase(p.turns.begin() + static_cast<ptrdiff_t>(i));
    p.packet = index;
    const Packet& packet = packets_[index];
    Message& m = messages_[packet.message];
    const Hop& hop = m.hops[packet.hop];
    if (observer_ != nullptr && packet.hop > 0) {
      observer_->Waiting(port, -packet.bytes, queue_.now());
    }
    p.began = queue_.now();
    p.left = packet.bytes;
    Finish(port);
    if (hop.lane != kNone) {
      lanes_[hop.lane].claimed += packet.bytes;
    } else if (m.owes_head) {
      m.owes_head = false;
      const Time latency = network_.hop_latencies(m.profile)[packet.hop];
      queue_.Push({queue_.now() + latency, m.order, packet.message, kHead});
    }
    if ((source & kLane) == 0 && m.unsent > 0) Offer(source);
    return;
  }
}

// Of the packet under way, from now on at the port's rate.
void PacketWires::Finish(uint32_t port) {
  PortState& p = ports_[port];
  p.since = queue_.now();
  p.served_at = p.rate == 0 ? -1 : p.since + TransferTime(p.left, p.rate);
  if (p.served_at < 0) return;
  queue_.Push({p.served_at, messages_[packets_[p.packet].message].order, port, kServed});
}

bool PacketWires::Holds(uint32_t port) const {
  return ports_[port].packet != kNone || !ports_[port].turns.empty();
}

void PacketWires::SetRate(uint32_t port, int64_t rate) {
  PortState& p = ports_[port];
  if (p.rate == rate) return;
  if (p.packet == kNone) {
    p.rate = rate;
    return Serve(port);
  }
  p.left -= std::min(p.left, BytesIn(queue_.now() - p.since, p.rate));
  p.rate = rate;
  Finish(port);
}

void PacketWires::Arrive(uint32_t index) {
  Packet& packet = packets_[index];
  const Hop& before = messages_[packet.message].hops[packet.hop];
  ++packet.hop;
  packet.next = kNone;
  Lane& lane = lanes_[before.lane];
  lane.held += packet.bytes;
  if (lane.bounded) fullest_ = std::max(fullest_, lane.held);
  if (lane.first == kNone) {
    lane.first = index;
    ports_[lane.output].turns.push_back(before.lane | kLane);
  } else {
    packets_[lane.last].next = index;
  }
  lane.last = index;
  if (observer_ != nullptr) observer_->Waiting(lane.output, packet.bytes, queue_.now());
  Serve(lane.output);
}

void PacketWires::Served(uint32_t port) {
  PortState& p = ports_[port];
  if (p.served_at != queue_.now()) return;  // the rate has changed since
  p.served_at = -1;
  const uint32_t index = p.packet;
  p.packet = kNone;
  const Packet packet = packets_[index];
  Message& m = messages_[packet.message];
  if (observer_ != nullptr) {
    observer_->Booked(port, packet.message, packet.bytes, p.began, queue_.now());
  }
  const Time there = queue_.now() + network_.hop_latencies(m.profile)[packet.hop];
  uint32_t credited = kNone;
  if (packet.hop > 0) {
    Lane& lane = lanes_[m.hops[packet.hop - 1].lane];
    lane.claimed -= packet.bytes;
    lane.held -= packet.bytes;
    credited = lane.input;
  }
  const bool sent = packet.hop == 0 && m.unsent == 0;
  if (packet.hop + 1 < m.hops.size()) {
    queue_.Push({there, m.order, index, kArrive});
  } else {
    free_packets_.push_back(index);
    if (--m.packets == 0) queue_.Push({there, m.order, packet.message, kDelivered});
  }
  Serve(port);
  if (credited != kNone) Serve(credited);
  if (sent) arrivals_.Sent(packet.message);
}

void PacketWires::Handle(const Entry& entry) {
  switch (entry.step) {
    case kReady:
      return Offer(entry.record);
    case kArrive:
      return Arrive(entry.record);
    case kServed:
      return Served(entry.record);
    case kHead:
      return arrivals_.Head(entry.record);
    default:
      return arrivals_.Delivered(entry.record);
  }
}

}  // namespace fabric
