// What an Endpoint reads: its own rings, and its peers' chunks.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/backend/copy.h"
#include "transports/shm/copy.h"
#include "transports/shm/endpoint.h"
#include "transports/shm/runs.h"

namespace ccl::shm {
bool Endpoint::Expects(const Peer& peer) {
  return !peer.posted.empty() ||
         std::any_of(peer.streams.begin(), peer.streams.end(), [](const Stream& s) { return s.transfer != kNone; });
}

bool Endpoint::Takes(const Peer& peer) const {
  return Expects(peer) || !outgoing_.empty() || waited_ > kWaitsLong;
}

void Endpoint::Drain(uint32_t from) {
  Peer& peer = peers_[from];
  while (status_.ok() && Takes(peer)) {
    const Slot& slot = layout_.SlotOf(from, self_, peer.received);
    if (slot.sequence.load(std::memory_order_acquire) != peer.received + 1) break;
    Arrived(from, slot);
    ++peer.received;
    patience_.Reset();
    if (peer.received - peer.told >= kSlots / 2) {
      peer.told = peer.received;
      layout_.Taken(from, self_).value.store(peer.received, std::memory_order_release);
    }
  }
}

void Endpoint::DrainAll() {
  for (uint32_t peer = 0; peer < peers_.size(); ++peer) Drain(peer);
}

bool Endpoint::Fits(const Transfer& t, uint32_t peer, uint64_t total) {
  if (t.bytes == total) return true;
  Fail(absl::InvalidArgumentError(absl::StrCat(Describe(t, peer, false), ": rank ", ranks_[peer], " sent ",
                                               total, " bytes, rank ", ranks_[self_], " expects ", t.bytes)));
  return false;
}

void Endpoint::Append(Queue& queue, uint32_t part) {
  if (queue.tail == kNone) {
    queue.head = part;
  } else {
    parts_[queue.tail].next = part;
  }
  queue.tail = part;
}

// Takes over what lies in a slot, and in a chunk where its sender may soon lack them.
void Endpoint::Keep(uint32_t from, Part& part, bool chunk_too) {
  if (part.chunk != kNoChunk && (!chunk_too || part.chunk >= kFirstLoan)) return;
  if (part.bytes > 0) {
    part.block = blocks_.Take(part.bytes);
    Copy(part.block.data, part.data, part.bytes);
    part.data = part.block.data;
  }
  if (part.chunk == kNoChunk) return;
  ReadersLeft(from, std::exchange(part.chunk, kNoChunk)).fetch_sub(1, std::memory_order_acq_rel);
  --peers_[from].held;
}

// The first part has been taken.
void Endpoint::Release(Source& source) {
  Queue& queue = source.parts;
  const uint32_t index = queue.head;
  Part& part = parts_[index];
  if (part.chunk != kNoChunk) {
    if (part.chunk >= kFirstLoan) {
      layout_.HasRead(source.peer, part.chunk - kFirstLoan, self_).store(true, std::memory_order_release);
    }
    ReadersLeft(source.peer, part.chunk).fetch_sub(1, std::memory_order_acq_rel);
    if (part.chunk < kFirstLoan) --peers_[source.peer].held;
  }
  source.used = 0;
  if (part.block.data != nullptr) blocks_.Give(std::exchange(part.block, {}));
  queue.head = part.next;
  if (queue.head == kNone) queue.tail = kNone;
  free_parts_.push_back(index);
}

void Endpoint::Arrived(uint32_t from, const Slot& slot) {
  Peer& peer = peers_[from];
  const auto more = static_cast<int32_t>(slot.taken - static_cast<uint32_t>(peer.known_taken));
  if (more > 0) peer.known_taken += static_cast<uint64_t>(more);
  uint32_t index;
  if (free_parts_.empty()) {
    index = static_cast<uint32_t>(parts_.size());
    parts_.emplace_back();
  } else {
    index = free_parts_.back();
    free_parts_.pop_back();
  }
  Part& part = parts_[index];
  part.bytes = slot.bytes;
  part.chunk = slot.chunk;
  part.result = nullptr;
  part.board = slot.board;
  part.next = kNone;
  if (slot.chunk == kNoChunk) {
    part.data = slot.payload;
  } else if (slot.chunk >= kFirstLoan) {
    Borrow(from, slot, part);
  } else {
    part.data = layout_.ChunkOf(from, slot.chunk).bytes;
    ++peer.held;
  }
  const uint64_t bytes = part.bytes;
  uint32_t transfer = kNone, source = kNone;
  if (slot.continues) {
    const auto stream = std::find_if(peer.streams.begin(), peer.streams.end(),
                                     [&](const Stream& s) { return s.number == slot.stream; });
    if (stream == peer.streams.end()) {
      return Fail(absl::InternalError(absl::StrCat("rank ", ranks_[self_], ": rank ", ranks_[from],
                                                   " goes on with a message that has not begun")));
    }
    transfer = stream->transfer;
    source = stream->source;
    stream->left -= bytes;
    if (stream->left == 0) peer.streams.erase(stream);
  } else {
    const auto posted = std::find_if(peer.posted.begin(), peer.posted.end(),
                                     [&](const Posted& p) { return p.key == slot.key; });
    if (posted != peer.posted.end()) {
      transfer = posted->transfer;
      source = posted->source;
      peer.posted.erase(posted);
      if (!Fits(transfers_[transfer], from, slot.total)) return;
    }
    if (bytes < slot.total) peer.streams.push_back({slot.stream, transfer, source, slot.total - bytes});
  }
  if (transfer != kNone) {
    Queue& queue = transfers_[transfer].sources[source].parts;
    Append(queue, index);
    Deliver(transfer);
    // Still there? The slot is wanted for others.
    if (transfers_[transfer].sources.size() > source && queue.tail == index) {
      Keep(from, parts_[index], peer.held > most_held_);
    }
    return;
  }
  Keep(from, parts_[index], peer.held > most_held_);
  if (!slot.continues) peer.unexpected.push_back({slot.key, slot.total, 0, slot.stream, {}});
  // Of several with one stream number the last: numbers come again when their stream is over.
  const auto unexpected = std::find_if(
      peer.unexpected.rbegin(), peer.unexpected.rend(),
      [&](const Unexpected& u) { return !slot.continues || u.stream == slot.stream; });
  unexpected->come += bytes;
  Append(unexpected->parts, index);
}

void Endpoint::Expect(uint32_t index) {
  Transfer& t = transfers_[index];
  for (uint32_t i = 0; i < t.sources.size(); ++i) {
    Peer& peer = peers_[t.sources[i].peer];
    const auto come = std::find_if(peer.unexpected.begin(), peer.unexpected.end(),
                                   [&](const Unexpected& u) { return u.key == t.key; });
    if (come == peer.unexpected.end()) {
      peer.posted.push_back({t.key, index, i});
      continue;
    }
    if (!Fits(t, t.sources[i].peer, come->total)) return;
    t.sources[i].parts = come->parts;
    if (come->come < come->total) {
      for (Stream& stream : peer.streams) {
        if (stream.number != come->stream) continue;
        stream.transfer = index;
        stream.source = i;
      }
    }
    peer.unexpected.erase(come);
  }
  Deliver(index);
}

void Endpoint::Deliver(uint32_t index) {
  Transfer& t = transfers_[index];
  while (!t.sources.empty()) {
    uint64_t bytes = UINT64_MAX;
    for (const Source& source : t.sources) {
      if (source.parts.head == kNone) return;
      bytes = std::min(bytes, parts_[source.parts.head].bytes - source.used);
    }
    bool there = true;
    const Offers offers = OffersAt(t);
    if (offers == Offers::kSome) {
      Decline(t);
      continue;
    }
    if (offers == Offers::kAll) {
      if (t.loan == kNoLoan || !BeginReading(t)) return;
      there = FoldInPlace(t, index);
      EndReading();
      bytes = t.bytes;
    } else {
      // The result may lie where our own operand does.
      if (t.sends && t.staged < t.taken + bytes) return;
      if (const uint8_t board = BoardOf(t); board != kNoBoard) {
        there = FoldTogether(t, bytes, board);
      } else {
        if (!BeginReading(t)) return;
        Consume(t, 0, bytes);
        EndReading();
      }
    }
    if (!there) {
      if (!t.waits) waiting_.push_back(index);
      t.waits = true;
      return;
    }
    for (Source& source : t.sources) {
      source.used += bytes;
      if (offers == Offers::kAll || source.used == parts_[source.parts.head].bytes) Release(source);
    }
    t.taken += bytes;
    if (t.taken == t.bytes) {
      t.sources.clear();
      return Finish(t, index);
    }
  }
}

void Endpoint::Consume(Transfer& t, uint64_t at, uint64_t bytes) {
  if (bytes == 0 && t.consumer == nullptr) return;
  if (t.consumer == nullptr) {
    const std::byte* from = parts_[t.sources[0].parts.head].data + t.sources[0].used + at;
    const bool past_cache = t.bytes >= kLeastResultPastCache;
    ForRuns(t.dst, t.taken + at, bytes, [&](std::byte* to, uint64_t run) {
      if (past_cache) {
        CopyPastCache(to, from, run);
      } else {
        Copy(to, from, run);
      }
      from += run;
    });
    if (past_cache) CopyFence();
    return;
  }
  // Our own operand's pieces come first in the array, then one piece of each of the others.
  pieces_.clear();
  if (t.own_place != kNone) {
    ForRuns(t.src, t.taken + at, bytes,
            [&](const std::byte* from, uint64_t run) { pieces_.push_back({from, run}); });
  }
  const size_t own = pieces_.size();
  for (const Source& source : t.sources) {
    pieces_.push_back({parts_[source.parts.head].data + source.used + at, bytes});
  }
  operands_.clear();
  for (uint32_t i = 0; i < t.sources.size(); ++i) {
    if (i == t.own_place) operands_.push_back({pieces_.data(), own});
    operands_.push_back({&pieces_[own + i], size_t{bytes > 0}});
  }
  if (t.own_place == t.sources.size()) operands_.push_back({pieces_.data(), own});
  t.consumer->Consume(t.token, t.taken + at, operands_);
}

}  // namespace ccl::shm
