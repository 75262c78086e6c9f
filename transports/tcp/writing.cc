// What goes out.
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "transports/tcp/links.h"
#include "transports/tcp/pieces.h"

namespace ccl::tcp {
namespace {

constexpr int kMostParts = 64;    // of one write
constexpr int kMostRounds = 8;    // of a segment for every connection, before reading has its turn
constexpr size_t kMostKept = 256;  // of what has gone

}  // namespace

void Links::Enqueue(int peer, Wire& wire, const Frame& frame, uint32_t message, uint64_t offset) {
  if (message != kNone) ++messages_[message].frames;
  wire.out.push_back({frame, message, offset});
  MarkDirty(peer, static_cast<uint32_t>(&wire - peers_[static_cast<size_t>(peer)].wires.data()));
}

void Links::MarkDirty(int peer, uint32_t index) {
  Wire& wire = peers_[static_cast<size_t>(peer)].wires[index];
  if (wire.dirty || wire.blocked) return;
  wire.dirty = true;
  dirty_.push_back({peer, index});
}

// Connections of a peer take segments in turn.
void Links::Push() {
  for (int round = 0; round < kMostRounds && !dirty_.empty() && status_.ok(); ++round) {
    size_t kept = 0;
    for (size_t i = 0; i < dirty_.size(); ++i) {
      const Place place = dirty_[i];
      Wire& wire = peers_[static_cast<size_t>(place.peer)].wires[place.wire];
      if (status_.ok() && Flush(place.peer, wire)) {
        dirty_[kept++] = place;
      } else {
        wire.dirty = false;
      }
    }
    dirty_.resize(kept);
  }
}

// True when there is more that could be written.
bool Links::Flush(int peer, Wire& wire) {
  if (wire.socket < 0) return false;
  if (wire.idle() && !TakeSegment(peer, wire)) return false;
  iovec parts[kMostParts];
  int count = 0;
  uint64_t total = 0, skip = wire.out_gone;
  for (size_t i = wire.out_first; i < wire.out.size() && count < kMostParts; ++i, skip = 0) {
    const Wire::Out& out = wire.out[i];
    const int before = count;
    if (skip < sizeof(Frame)) {
      const auto* const head = reinterpret_cast<const std::byte*>(&out.frame);
      parts[count++] = {const_cast<std::byte*>(head) + skip, sizeof(Frame) - skip};
      skip = 0;
    } else {
      skip -= sizeof(Frame);
    }
    if (out.frame.length > skip) {
      const std::vector<ConstPiece>& src = messages_[out.message].src;
      count += Spread(src, out.offset + skip, out.frame.length - skip, parts + count, kMostParts - count);
    }
    for (int k = before; k < count; ++k) total += parts[k].iov_len;
  }
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = static_cast<size_t>(count);
  const ssize_t gone = sendmsg(wire.socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (gone < 0) {
    if (errno == EINTR) return true;
    // Of another error, what the peer has said before it tells more: reading will find it.
    wire.blocked = true;
    return false;
  }
  Gone(wire, static_cast<uint64_t>(gone));
  if (static_cast<uint64_t>(gone) < total) {
    wire.blocked = true;
    return false;
  }
  return !wire.idle() || peers_[static_cast<size_t>(peer)].bodies_first < peers_[static_cast<size_t>(peer)].bodies.size();
}

// The next segment of the first long message that may go out.
bool Links::TakeSegment(int to, Wire& wire) {
  Peer& peer = peers_[static_cast<size_t>(to)];
  if (peer.bodies_first == peer.bodies.size()) return false;
  const uint32_t index = peer.bodies[peer.bodies_first];
  Message& m = messages_[index];
  const uint32_t length = static_cast<uint32_t>(std::min<uint64_t>(kSegmentBytes, m.bytes - m.next));
  const Frame frame{.kind = FrameKind::kBody, .length = length, .a = m.other, .b = m.next};
  wire.out.push_back({frame, index, m.next});
  ++m.frames;
  m.next += length;
  if (m.next < m.bytes) return true;
  if (++peer.bodies_first == peer.bodies.size() || peer.bodies_first >= kMostKept) {
    peer.bodies.erase(peer.bodies.begin(), peer.bodies.begin() + static_cast<ptrdiff_t>(peer.bodies_first));
    peer.bodies_first = 0;
  }
  return true;
}

void Links::Gone(Wire& wire, uint64_t bytes) {
  while (bytes > 0) {
    const Wire::Out& out = wire.out[wire.out_first];
    const uint64_t all = sizeof(Frame) + out.frame.length;
    const uint64_t gone = std::min(bytes, all - wire.out_gone);
    wire.out_gone += gone;
    bytes -= gone;
    if (wire.out_gone < all) return;
    wire.out_gone = 0;
    const uint32_t message = out.message;
    if (++wire.out_first == wire.out.size()) {
      wire.out.clear();
      wire.out_first = 0;
    } else if (wire.out_first >= kMostKept) {
      wire.out.erase(wire.out.begin(), wire.out.begin() + static_cast<ptrdiff_t>(wire.out_first));
      wire.out_first = 0;
    }
    if (message == kNone) continue;
    Message& m = messages_[message];
    if (--m.frames == 0 && m.next == m.bytes) Complete(message);
  }
}

}  // namespace ccl::tcp
