// What an Endpoint writes: slots of its peers' rings, and chunks of its own.
#include <algorithm>
#include <cstring>

#include "ccl/backend/copy.h"
#include "transports/pause.h"
#include "transports/shm/copy.h"
#include "transports/shm/endpoint.h"

namespace ccl::shm {
namespace {

// Below, a line that goes past the cache costs its reader more than it saves its writer.
constexpr uint64_t kLeastPastCache = 4096;

// Of a slot, before it is written: what the processor fetches beside its other work.
constexpr uint64_t kMostFetched = 1024;

}  // namespace

// Two chunks at least, where one is long enough to be worth it: then one is written while the other is
// read. But what is folded together goes by as few turns as possible.
uint64_t ChunkLength(uint64_t total, bool together) {
  constexpr uint64_t kLeast = 16384, kStep = 4096;
  if (together) return kChunkBytes;
  return std::clamp((total / 2 + kStep - 1) / kStep * kStep, kLeast, kChunkBytes);
}

bool Endpoint::Room(uint32_t to) {
  Peer& peer = peers_[to];
  if (peer.sent - peer.known_taken < kSlots) return true;
  peer.known_taken = layout_.Taken(self_, to).value.load(std::memory_order_acquire);
  return peer.sent - peer.known_taken < kSlots;
}

bool Endpoint::Room(const Transfer& t) {
  return std::all_of(t.readers.begin(), t.readers.end(), [&](uint32_t peer) { return Room(peer); });
}

// Bytes [t.staged, t.staged + bytes) of what is sent.
void Endpoint::Gather(const Transfer& t, std::byte* to, uint64_t bytes, bool past_cache) const {
  uint64_t skip = t.staged;
  for (const ConstPiece& piece : t.src) {
    if (bytes == 0) break;
    if (skip >= piece.bytes) {
      skip -= piece.bytes;
      continue;
    }
    const uint64_t run = std::min<uint64_t>(bytes, piece.bytes - skip);
    const auto* const from = static_cast<const std::byte*>(piece.data) + skip;
    if (past_cache) {
      CopyPastCache(to, from, run);
    } else {
      Copy(to, from, run);
    }
    to += run;
    bytes -= run;
    skip = 0;
  }
}

void Endpoint::Publish(Transfer& t, uint32_t to, Slot& slot, uint32_t bytes, uint32_t chunk) {
  slot.total = t.bytes;
  slot.key = t.key;
  slot.continues = t.started;
  slot.board = t.together && t.chunks_out > 0 ? t.boards[(t.chunks_out - 1) % kWindow] : kNoBoard;
  slot.bytes = bytes;
  slot.chunk = chunk;
  slot.stream = t.stream;
  slot.taken = static_cast<uint32_t>(peers_[to].received);
  slot.sequence.store(++peers_[to].sent, std::memory_order_release);
  // The next message is likely to be as long.
  const auto* const next = reinterpret_cast<const std::byte*>(&layout_.SlotOf(self_, to, peers_[to].sent));
  const uint64_t length = offsetof(Slot, payload) + (chunk == kNoChunk ? std::min<uint64_t>(bytes, kMostFetched) : 0);
  for (uint64_t at = 0; at < length; at += 64) PrefetchToWrite(next + at);
}

void Endpoint::SendWhole(Transfer& t) {
  for (uint32_t to : t.readers) {
    Slot& slot = layout_.SlotOf(self_, to, peers_[to].sent);
    if (t.src.size() == 1 && t.bytes == 8) {
      std::memcpy(slot.payload, t.src[0].data, 8);
    } else {
      Gather(t, slot.payload, t.bytes, false);
    }
    Publish(t, to, slot, static_cast<uint32_t>(t.bytes), kNoChunk);
  }
  t.staged = t.bytes;
}

// One of ours that nobody reads any more, or kNoChunk. Of those in turn a few are looked at: the next call
// goes on.
uint32_t Endpoint::TakeChunk(const Transfer& t) {
  const uint32_t most = t.together ? kWindow : kWindowAlone;
  const uint32_t place = (t.chunks_out - most) % kWindow;
  if (t.chunks_out >= most) {
    const uint32_t oldest = t.window[place];
    if (serials_[oldest] == t.serials[place] &&
        layout_.ChunkOf(self_, oldest).readers_left.load(std::memory_order_acquire) > 0) {
      return kNoChunk;
    }
  }
  const auto free = [&](uint32_t chunk) {
    return layout_.ChunkOf(self_, chunk).readers_left.load(std::memory_order_acquire) == 0;
  };
  for (uint32_t i = 0; i < kInTurn / 2; ++i) {
    const uint32_t chunk = next_chunk_;
    next_chunk_ = (next_chunk_ + 1) % kInTurn;
    if (free(chunk)) return chunk;
  }
  for (uint32_t chunk = kInTurn; chunk < kChunks; ++chunk) {
    if (free(chunk)) return chunk;
  }
  return kNoChunk;
}

void Endpoint::BeginStream(Transfer& t) {
  t.stream = next_stream_;
  next_stream_ = next_stream_ + 1 == kNone ? 0 : next_stream_ + 1;
}

bool Endpoint::SendChunk(Transfer& t) {
  // The boards of so many parts are remembered.
  if (t.together && t.chunks_out - t.taken / kChunkBytes >= kWindow) return false;
  const uint32_t number = TakeChunk(t);
  if (number == kNoChunk) return false;
  Chunk& chunk = layout_.ChunkOf(self_, number);
  const uint64_t bytes = std::min(ChunkLength(t.bytes, t.together), t.bytes - t.staged);
  const bool past_cache = past_cache_ && bytes >= kLeastPastCache;
  Gather(t, chunk.bytes, bytes, past_cache);
  if (past_cache) CopyFence();
  t.window[t.chunks_out % kWindow] = number;
  t.serials[t.chunks_out % kWindow] = ++serials_[number];
  if (t.together) {
    t.boards[t.chunks_out % kWindow] =
        t.own_place == 0 ? TakeBoard(static_cast<uint32_t>(t.readers.size()) + 1) : kNoBoard;
  }
  ++t.chunks_out;
  if (!t.started) BeginStream(t);
  chunk.readers_left.store(static_cast<uint32_t>(t.readers.size()), std::memory_order_relaxed);
  for (uint32_t to : t.readers) {
    Publish(t, to, layout_.SlotOf(self_, to, peers_[to].sent), static_cast<uint32_t>(bytes), number);
  }
  t.staged += bytes;
  return true;
}

// Sends what there is room for, a chunk at most. True when nothing is left to send: then the transfer
// may be done. Messages to one reader begin in the order in which they were posted.
bool Endpoint::Advance(uint32_t index) {
  Transfer& t = transfers_[index];
  if (t.offers && t.loan != kNoLoan) {
    return t.staged == t.bytes;  // else it may have to go in chunks yet
  }
  bool may = Room(t);
  if (!t.started) {
    for (uint32_t to : t.readers) may = may && peers_[to].blocked != pass_;
  }
  if (may && t.lent != 0 && !IsWorthLending(t)) t.lent = 0;
  if (may && t.lent != 0 && Lend(t, index)) {
    t.started = true;
    if (!t.offers) return true;
  } else if (may) {
    t.lent = 0;  // all loans are out, and may be for long
    t.offers = false;
    if (!GoesInChunks(t)) {
      SendWhole(t);
      t.started = true;
    } else {
      may = SendChunk(t);
      t.started = t.started || may;
    }
  }
  if (!t.started) {
    for (uint32_t to : t.readers) peers_[to].blocked = pass_;
    return false;
  }
  if (t.staged < t.bytes) return false;
  Finish(t, index);
  return true;
}

// A turn for everybody. True when anything went out.
bool Endpoint::AdvanceAll() {
  ++pass_;
  bool any = false;
  size_t kept = 0;
  for (size_t i = 0; i < outgoing_.size(); ++i) {
    const uint32_t index = outgoing_[i];
    const uint64_t before = transfers_[index].staged;
    const bool folds = transfers_[index].own_place != kNone;
    const bool done = Advance(index);
    any = any || done || transfers_[index].staged != before;
    if (any) patience_.Reset();
    if (!done) outgoing_[kept++] = index;
    // What has come may have waited for our own part, which a result in place overwrites.
    if (folds && transfers_[index].open > 0) Deliver(index);
  }
  outgoing_.resize(kept);
  return any;
}

}  // namespace ccl::shm
