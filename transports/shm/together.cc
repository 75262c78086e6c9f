// Results for everybody that are folded together. The first member's part names a board. When all parts
// have come and the own one is out, whoever runs claims block after block, folds it to where the result
// goes and copies it to the board; when the last block is there, everybody takes the blocks that others
// have folded. A first member with no board to spare names none: then everybody folds for himself.
#include <algorithm>

#include "ccl/backend/copy.h"
#include "transports/shm/endpoint.h"
#include "transports/shm/runs.h"

namespace ccl::shm {
namespace {

// One for each member, so that all can have a share; whole elements, and lines of their own.
uint64_t BlockLength(uint64_t bytes, uint64_t members) {
  constexpr uint64_t kStep = 4096;
  return ((bytes + members - 1) / members + kStep - 1) / kStep * kStep;
}

}  // namespace

uint8_t Endpoint::TakeBoard(uint32_t members) {
  const auto number = static_cast<uint8_t>(next_board_);
  next_board_ = (next_board_ + 1) % kBoards;
  Chunk& board = layout_.BoardOf(self_, number);
  if (board.readers_left.load(std::memory_order_acquire) > 0) return kNoBoard;
  board.claimed.store(0, std::memory_order_relaxed);
  board.finished.store(0, std::memory_order_relaxed);
  board.readers_left.store(members, std::memory_order_relaxed);
  return number;
}

// Of the parts at hand.
uint8_t Endpoint::BoardOf(const Transfer& t) const {
  if (!t.together) return kNoBoard;
  if (t.own_place > 0) return parts_[t.sources[0].parts.head].board;
  return t.boards[t.taken / kChunkBytes % kWindow];
}

// True when the part is there; false: others are at it.
bool Endpoint::FoldTogether(Transfer& t, uint64_t bytes, uint8_t number) {
  Chunk& board = layout_.BoardOf(t.own_place > 0 ? t.sources[0].peer : self_, number);
  const uint64_t length = BlockLength(bytes, t.sources.size() + 1);
  const auto blocks = static_cast<uint32_t>((bytes + length - 1) / length);
  const auto size = [&](uint32_t block) { return std::min(length, bytes - block * length); };
  while (!t.none_left) {
    const uint32_t block = board.claimed.fetch_add(1, std::memory_order_relaxed);
    if (block >= blocks) {
      t.none_left = true;
      break;
    }
    Consume(t, block * length, size(block));
    std::byte* to = board.bytes + block * length;
    ForRuns(t.dst, t.taken + block * length, size(block), [&](const std::byte* from, uint64_t run) {
      Copy(to, from, run);
      to += run;
    });
    t.mine.push_back(block);
    patience_.Reset();
    board.finished.fetch_add(1, std::memory_order_release);
  }
  if (board.finished.load(std::memory_order_acquire) < blocks) return false;
  size_t next = 0;  // of ours, which are in ascending order
  for (uint32_t block = 0; block < blocks; ++block) {
    if (next < t.mine.size() && t.mine[next] == block) {
      ++next;
      continue;
    }
    const std::byte* from = board.bytes + block * length;
    ForRuns(t.dst, t.taken + block * length, size(block), [&](std::byte* to, uint64_t run) {
      Copy(to, from, run);
      from += run;
    });
  }
  t.none_left = false;
  t.mine.clear();
  board.readers_left.fetch_sub(1, std::memory_order_acq_rel);
  return true;
}

}  // namespace ccl::shm
