#include "transports/tcp/links.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/backend/copy.h"
#include "transports/tcp/pieces.h"

namespace ccl::tcp {
void Links::Fail(absl::Status status) {
  if (status_.ok()) status_ = std::move(status);
}

std::string Links::NameOf(int peer) const {
  return absl::StrCat("rank ", peer, " (", names_[static_cast<size_t>(peer)], ")");
}

void Links::Lost(int peer, const std::string& how) {
  if (status_.ok()) culprit_ = peer;
  Fail(absl::UnavailableError(absl::StrCat("rank ", rank_, ": ", NameOf(peer), how)));
}

void Links::Miss(int peer) {
  const int culprit = peers_[static_cast<size_t>(peer)].culprit;
  if (culprit < 0) return Lost(peer, " has left while this rank waits for it");
  if (culprit == rank_) return Lost(peer, " has lost its connection to this rank");
  if (culprit == peer) return Lost(peer, " has given up in the middle of its operations");
  Lost(culprit, absl::StrCat(" has failed, and rank ", peer, " has given up for that reason"));
}

std::string Links::Describe(OperationKind kind, int peer, uint64_t bytes, uint32_t context, uint16_t channel) const {
  const bool sends = kind == OperationKind::kSend;
  return absl::StrCat("rank ", rank_, ": ", sends ? "send of " : "receive of ", bytes,
                      sends ? " bytes to rank " : " bytes from rank ", peer, " (context ", context, ", channel ",
                      channel, ")");
}

uint32_t Links::NewMessage(const Operation& op) {
  uint32_t index;
  if (free_messages_.empty()) {
    index = static_cast<uint32_t>(messages_.size());
    messages_.emplace_back();
  } else {
    index = free_messages_.back();
    free_messages_.pop_back();
  }
  Message& m = messages_[index];
  m.kind = op.kind;
  m.channel = op.channel;
  m.active = true;
  m.granted = false;
  m.peer = op.peer;
  m.context = op.context;
  m.other = kNone;
  m.frames = 0;
  m.bytes = op.bytes;
  m.token = op.token;
  m.left = op.bytes;
  m.begun = 0;
  m.next = 0;
  m.consumer = op.consumer;
  m.src.assign(op.src.begin(), op.src.end());
  m.dst.assign(op.dst.begin(), op.dst.end());
  ++under_way_;
  ++peers_[static_cast<size_t>(op.peer)].under_way;
  return index;
}

uint32_t Links::NewArrival(const Frame& frame) {
  uint32_t index;
  if (free_arrivals_.empty()) {
    index = static_cast<uint32_t>(arrivals_.size());
    arrivals_.emplace_back();
  } else {
    index = free_arrivals_.back();
    free_arrivals_.pop_back();
  }
  Arrival& a = arrivals_[index];
  a = {.channel = frame.channel, .context = frame.context, .bytes = frame.a, .number = frame.b,
       .waits = frame.length < frame.a, .left = frame.length};
  if (frame.length > 0) a.block = staging_.Take(frame.length);
  return index;
}

void Links::Post(const Operation& op) {
  if (!status_.ok()) return Announce(op);
  if (op.kind == OperationKind::kSend) {
    PostSend(op);
  } else {
    PostRecv(op);
  }
}

// What will not be sent any more: whoever expects it may find that its length is another, which tells more than
// that this rank has given up.
void Links::Announce(const Operation& op) {
  if (op.kind != OperationKind::kSend || op.peer == rank_) return;
  Wire& wire = peers_[static_cast<size_t>(op.peer)].wires[0];
  Enqueue(op.peer, wire, {.channel = op.channel, .context = op.context, .a = op.bytes, .b = kNone}, kNone, 0);
  Flush(op.peer, wire);
}

void Links::PostSend(const Operation& op) {
  Peer& peer = peers_[static_cast<size_t>(op.peer)];
  if (MissedAtOnce(peer, op.peer)) return Miss(op.peer);
  const uint32_t index = NewMessage(op);
  Message& m = messages_[index];
  if (op.peer == rank_) {
    const auto posted = std::find_if(peer.posted.begin(), peer.posted.end(), [&](const Expected& e) {
      return e.context == op.context && e.channel == op.channel;
    });
    if (posted != peer.posted.end()) {
      const uint32_t receive = posted->message;
      peer.posted.erase(posted);
      return TakeOwn(receive, index);
    }
    const Frame frame{.channel = op.channel, .context = op.context, .a = op.bytes, .b = index};
    peer.arrivals.push_back(NewArrival(frame));
    return;
  }
  const bool whole = op.bytes <= kShortBytes && peer.short_sent - peer.short_credit + op.bytes <= kShortWindow;
  Frame frame{.kind = FrameKind::kMessage, .channel = op.channel, .context = op.context, .a = op.bytes,
              .b = index};
  if (whole) {
    peer.short_sent += op.bytes;
    frame.length = static_cast<uint32_t>(op.bytes);
    m.next = op.bytes;
    m.granted = true;
  }
  Enqueue(op.peer, peer.wires[0], frame, whole ? index : kNone, 0);
}

void Links::PostRecv(const Operation& op) {
  Peer& peer = peers_[static_cast<size_t>(op.peer)];
  const auto came = std::find_if(peer.arrivals.begin(), peer.arrivals.end(), [&](uint32_t i) {
    return arrivals_[i].context == op.context && arrivals_[i].channel == op.channel;
  });
  if (came == peer.arrivals.end() && MissedAtOnce(peer, op.peer)) return Miss(op.peer);
  const uint32_t index = NewMessage(op);
  if (came == peer.arrivals.end()) {
    peer.posted.push_back({op.context, op.channel, index});
    return;
  }
  const uint32_t arrival = *came;
  peer.arrivals.erase(came);
  if (op.peer != rank_) return Match(index, arrival);
  const uint32_t sender = static_cast<uint32_t>(arrivals_[arrival].number);
  free_arrivals_.push_back(arrival);
  TakeOwn(index, sender);
}

// A receive and its message, some or all of whose bytes are in our care.
void Links::Match(uint32_t index, uint32_t arrival) {
  Message& m = messages_[index];
  Arrival& a = arrivals_[arrival];
  if (!Agrees(m, a.bytes)) return;
  if (a.left > 0) {
    a.message = index;
    return;
  }
  free_arrivals_.push_back(arrival);
  if (!a.waits) {
    const Staging::Block block = std::exchange(a.block, {});
    Take(index, block.data);
    if (block.data != nullptr) staging_.Give(block);
    return;
  }
  Peer& peer = peers_[static_cast<size_t>(m.peer)];
  m.granted = true;
  ++peer.expecting;
  Enqueue(m.peer, peer.wires[0], {.kind = FrameKind::kGrant, .a = a.number, .b = index}, kNone, 0);
}

bool Links::Agrees(const Message& m, uint64_t sent) {
  if (sent == m.bytes) return true;
  if (m.peer != rank_) {
    Wire& wire = peers_[static_cast<size_t>(m.peer)].wires[0];
    const Frame unequal{.kind = FrameKind::kUnequal, .channel = m.channel, .context = m.context, .a = sent,
                        .b = m.bytes};
    Enqueue(m.peer, wire, unequal, kNone, 0);
    Flush(m.peer, wire);
  }
  Fail(absl::InvalidArgumentError(absl::StrCat(Describe(m), ": rank ", m.peer, " sent ", sent, " bytes, rank ",
                                               rank_, " expects ", m.bytes)));
  return false;
}

// All of a short message, in memory of ours.
void Links::Take(uint32_t index, const std::byte* bytes) {
  Message& m = messages_[index];
  if (m.kind == OperationKind::kRecvReduce) {
    const ConstPiece piece{bytes, m.bytes};
    const absl::Span<const ConstPiece> operand(&piece, m.bytes > 0 ? 1 : 0);
    m.consumer->Consume(m.token, 0, {&operand, 1});
  } else {
    for (const Piece& piece : m.dst) {
      if (piece.bytes > 0) Copy(piece.data, bytes, piece.bytes);
      bytes += piece.bytes;
    }
  }
  Credit(m.peer, m.bytes);
  Complete(index);
}

void Links::TakeOwn(uint32_t index, uint32_t sender) {
  Message& m = messages_[index];
  const Message& from = messages_[sender];
  if (!Agrees(m, from.bytes)) return;
  if (m.kind == OperationKind::kRecvReduce) {
    const absl::Span<const ConstPiece> operand(from.src);
    m.consumer->Consume(m.token, 0, {&operand, 1});
  } else {
    uint64_t at = 0;
    for (const Piece& piece : m.dst) {
      for (uint64_t done = 0; done < piece.bytes;) {
        iovec part{};
        Spread(from.src, at, piece.bytes - done, &part, 1);
        Copy(static_cast<std::byte*>(piece.data) + done, part.iov_base, part.iov_len);
        done += part.iov_len;
        at += part.iov_len;
      }
    }
  }
  Complete(sender);
  Complete(index);
}

void Links::Credit(int of, uint64_t bytes) {
  Peer& peer = peers_[static_cast<size_t>(of)];
  peer.short_taken += bytes;
  if (peer.short_taken - peer.short_told < kShortWindow / 4) return;
  peer.short_told = peer.short_taken;
  Enqueue(of, peer.wires[0], {.kind = FrameKind::kCredit, .a = peer.short_taken}, kNone, 0);
}

void Links::Complete(uint32_t index) {
  Message& m = messages_[index];
  if (m.context == kControlContext) {
    ++control_completed_;
  } else {
    ready_.push_back({rank_, m.token});
  }
  m.active = false;
  --under_way_;
  --peers_[static_cast<size_t>(m.peer)].under_way;
  free_messages_.push_back(index);
}

}  // namespace ccl::tcp
