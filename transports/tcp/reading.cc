// What comes in.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/backend/copy.h"
#include "transports/tcp/links.h"
#include "transports/tcp/pieces.h"

namespace ccl::tcp {
namespace {

constexpr int kOn = 1;
constexpr int kMostPieces = 16;  // of one read
constexpr int kMostReads = 16;   // of a connection, before others have their turn

}  // namespace

// Payload goes where it belongs, and what follows it into the scratch memory: behind payload no more than
// a head, so that the next one's payload need not be copied either.
void Links::Read(int peer, Wire& wire) {
  for (int i = 0; i < kMostReads && wire.socket >= 0 && status_.ok(); ++i) {
    iovec parts[kMostPieces + 1];
    int count = 0;
    uint64_t direct = 0;
    if (wire.left > 0 && wire.message != kNone) {
      const Message& m = messages_[wire.message];
      if (m.kind == OperationKind::kRecvReduce) {
        parts[count++] = {wire.segment.data + (wire.offset - wire.begin), wire.left};
      } else {
        count = Spread(m.dst, wire.offset, wire.left, parts, kMostPieces);
      }
    } else if (wire.left > 0) {
      const Arrival& a = arrivals_[wire.arrival];
      parts[count++] = {a.block.data + wire.offset, wire.left};
    }
    for (int k = 0; k < count; ++k) direct += parts[k].iov_len;
    const bool whole = direct == wire.left;
    const uint64_t behind = !whole ? 0 : direct > 0 ? sizeof(Frame) : scratch_.size();
    if (behind > 0) parts[count++] = {scratch_.data(), behind};
    const ssize_t got = readv(wire.socket, parts, count);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (got <= 0) return Closed(peer, wire, got < 0 ? errno : 0);
    const uint64_t bytes = static_cast<uint64_t>(got);
    const uint32_t payload = static_cast<uint32_t>(std::min(bytes, direct));
    wire.offset += payload;
    wire.left -= payload;
    if (payload > 0 && wire.left == 0) End(peer, wire);
    const uint32_t rest = static_cast<uint32_t>(bytes - payload);
    for (uint32_t at = 0; at < rest && status_.ok();) at += Parse(peer, wire, scratch_.data() + at, rest - at);
    if (bytes < direct + behind) return;  // there is no more
  }
}

// Takes some bytes, and says how many.
uint32_t Links::Parse(int peer, Wire& wire, const std::byte* bytes, uint32_t count) {
  if (wire.left > 0) {
    const uint32_t taken = std::min(count, wire.left);
    Put(wire, bytes, taken);
    wire.offset += taken;
    wire.left -= taken;
    if (wire.left == 0) End(peer, wire);
    return taken;
  }
  const uint32_t taken = std::min<uint32_t>(count, sizeof(Frame) - wire.head_bytes);
  std::memcpy(reinterpret_cast<std::byte*>(&wire.in) + wire.head_bytes, bytes, taken);
  wire.head_bytes += taken;
  if (wire.head_bytes < sizeof(Frame)) return taken;
  wire.head_bytes = 0;
  wire.message = wire.arrival = kNone;
  wire.offset = 0;
  if (Begin(peer, wire) && wire.left == 0) End(peer, wire);
  return taken;
}

void Links::Put(Wire& wire, const std::byte* bytes, uint32_t count) {
  if (wire.message == kNone) {
    Copy(arrivals_[wire.arrival].block.data + wire.offset, bytes, count);
    return;
  }
  Message& m = messages_[wire.message];
  if (m.kind == OperationKind::kRecvReduce) {
    Copy(wire.segment.data + (wire.offset - wire.begin), bytes, count);
    return;
  }
  for (uint32_t done = 0; done < count;) {
    iovec part{};
    Spread(m.dst, wire.offset + done, count - done, &part, 1);
    Copy(part.iov_base, bytes + done, part.iov_len);
    done += static_cast<uint32_t>(part.iov_len);
  }
}

void Links::Garbage(int peer, const Frame& frame, const char* what) {
  Lost(peer, absl::StrCat(" sends what makes no sense (", what, ": kind ", static_cast<int>(frame.kind), ", length ",
                          frame.length, ")"));
}

// The message may have gone long ago, and its number be another's by now: the frame says all that is needed.
void Links::Disagreed(int from, const Frame& frame) {
  Fail(absl::InvalidArgumentError(absl::StrCat(
      Describe(OperationKind::kSend, from, frame.a, frame.context, frame.channel), ": rank ", from, " expects ", frame.b,
      " bytes")));
}

// A head has come. False: it is the last thing that did.
bool Links::Begin(int from, Wire& wire) {
  const Frame& frame = wire.in;
  Peer& peer = peers_[static_cast<size_t>(from)];
  const auto garbage = [&](const char* what) { return Garbage(from, frame, what), false; };
  if (frame.mark != Frame::kMark || wire.bye) return garbage("no head");
  const bool first = &wire == peer.wires.data();
  if (!first && frame.kind != FrameKind::kBody && frame.kind != FrameKind::kBye) return garbage("not here");
  const auto ours = [&](uint64_t number, bool sends) {
    if (number >= messages_.size()) return false;
    const Message& m = messages_[number];
    return m.active && m.peer == from && (m.kind == OperationKind::kSend) == sends;
  };
  if (frame.kind != FrameKind::kMessage && frame.kind != FrameKind::kBody && frame.length > 0) {
    return garbage("payload");
  }
  switch (frame.kind) {
    case FrameKind::kMessage:
      return BeginMessage(from, wire);
    case FrameKind::kGrant: {
      if (!ours(frame.a, true) || messages_[frame.a].granted || frame.b >= kNone) return garbage("a grant of nothing");
      messages_[frame.a].granted = true;
      messages_[frame.a].other = static_cast<uint32_t>(frame.b);
      peer.bodies.push_back(static_cast<uint32_t>(frame.a));
      for (uint32_t i = 0; i < peer.wires.size(); ++i) MarkDirty(from, i);
      return true;
    }
    case FrameKind::kBody: {
      if (!ours(frame.a, false) || !messages_[frame.a].granted) return garbage("a body of nothing");
      Message& m = messages_[frame.a];
      const bool segment = frame.b < m.bytes && frame.b % kSegmentBytes == 0 &&
                           frame.length == std::min<uint64_t>(kSegmentBytes, m.bytes - frame.b);
      // They come by several connections at once: each claims its part when it begins.
      if (!segment || frame.length > m.bytes - m.begun) return garbage("a body out of bounds");
      m.begun += frame.length;
      Expect(wire, static_cast<uint32_t>(frame.a), frame.b);
      return true;
    }
    case FrameKind::kCredit:
      if (frame.a < peer.short_credit || frame.a > peer.short_sent) return garbage("a credit of nothing");
      peer.short_credit = frame.a;
      return true;
    case FrameKind::kUnequal:
      if (frame.a == frame.b) return garbage("no disagreement");
      Disagreed(from, frame);
      return status_.ok();
    case FrameKind::kBye: {
      wire.bye = true;
      // The peer does not end before it knows that this has come.
      setsockopt(wire.socket, IPPROTO_TCP, TCP_QUICKACK, &kOn, sizeof kOn);
      if (!first || frame.a == 0) return true;
      if (frame.a > peers_.size()) return garbage("no rank");
      peer.gone = true;
      peer.culprit = static_cast<int>(frame.a - 1);
      if (peer.under_way > 0 && MissedAtOnce(peer, from)) Miss(from);
      return status_.ok();
    }
  }
  return garbage("unknown");
}

bool Links::BeginMessage(int from, Wire& wire) {
  const Frame& frame = wire.in;
  Peer& peer = peers_[static_cast<size_t>(from)];
  const bool waits = frame.length == 0 && frame.a > 0;
  if (frame.length > kShortBytes || (!waits && frame.length != frame.a)) {
    Garbage(from, frame, "a message of another length");
    return false;
  }
  peer.short_come += frame.length;
  if (peer.short_come - peer.short_told > kShortWindow) {
    Garbage(from, frame, "more than its share of memory");
    return false;
  }
  const auto posted = std::find_if(peer.posted.begin(), peer.posted.end(), [&](const Expected& e) {
    return e.context == frame.context && e.channel == frame.channel;
  });
  if (posted == peer.posted.end()) {
    wire.arrival = NewArrival(frame);
    wire.left = frame.length;
    peer.arrivals.push_back(wire.arrival);
    return true;
  }
  const uint32_t index = posted->message;
  peer.posted.erase(posted);
  Message& m = messages_[index];
  if (!Agrees(m, frame.a)) return false;
  if (waits) {
    Match(index, NewArrival(frame));
    return true;
  }
  Expect(wire, index, 0);
  return true;
}

// The payload of the head that has come belongs there.
void Links::Expect(Wire& wire, uint32_t message, uint64_t offset) {
  wire.message = message;
  wire.offset = wire.begin = offset;
  wire.left = wire.in.length;
  const bool reduces = messages_[message].kind == OperationKind::kRecvReduce;
  if (reduces && wire.segment.data == nullptr) wire.segment = staging_.Take(kSegmentBytes);
}

// All of a frame has come.
void Links::End(int from, Wire& wire) {
  Peer& peer = peers_[static_cast<size_t>(from)];
  const Frame& frame = wire.in;
  if (frame.kind == FrameKind::kMessage && wire.message != kNone) {
    const uint32_t index = std::exchange(wire.message, kNone);
    Message& m = messages_[index];
    if (m.kind == OperationKind::kRecvReduce) return Take(index, wire.segment.data);
    Credit(from, m.bytes);
    return Complete(index);
  }
  if (frame.kind == FrameKind::kMessage && wire.arrival != kNone) {
    const uint32_t arrival = std::exchange(wire.arrival, kNone);
    Arrival& a = arrivals_[arrival];
    a.left = 0;
    if (a.message != kNone) Match(std::exchange(a.message, kNone), arrival);
    return;
  }
  if (frame.kind != FrameKind::kBody) return;
  const uint32_t index = std::exchange(wire.message, kNone);
  Message& m = messages_[index];
  m.left -= frame.length;
  if (m.kind == OperationKind::kRecvReduce) {
    const ConstPiece piece{wire.segment.data, frame.length};
    const absl::Span<const ConstPiece> operand(&piece, 1);
    m.consumer->Consume(m.token, frame.b, {&operand, 1});
  }
  if (m.left > 0) return;
  --peer.expecting;
  Complete(index);
}

void Links::Closed(int peer, Wire& wire, int error) {
  for (size_t i = 0; i < polls_.size(); ++i) {
    if (polls_[i].fd == wire.socket) polls_[i].fd = -1;
  }
  close(std::exchange(wire.socket, -1));
  if (!wire.bye) {
    if (error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH) {
      return Lost(peer, absl::StrCat(" is silent: ", std::strerror(error)));
    }
    return Lost(peer, absl::StrCat(" has died or ended without a word (",
                                   error == 0 ? "end of connection" : std::strerror(error), ")"));
  }
  CheckGone(peer);
}

void Links::CheckGone(int peer) {
  Peer& p = peers_[static_cast<size_t>(peer)];
  const bool open = std::any_of(p.wires.begin(), p.wires.end(), [](const Wire& w) { return w.socket >= 0; });
  if (open) return;
  p.gone = true;
  if (p.under_way > 0 && MissedAtOnce(p, peer)) Miss(peer);
}

}  // namespace ccl::tcp
