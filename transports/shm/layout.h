// What the ranks of a host have in shared memory.
//
// Every ordered pair of ranks has a ring of slots. A message that fits lies in one slot behind its
// sequence number, so that the flag and the first bytes are one line of the cache. A longer one lies
// piece by piece in chunks of its sender's, which all its readers share, and slots say in which. Chunks
// lie so far apart that equal places of neighbours fall into different sets of a cache, and so many of
// them are used in turn that one has just left the readers' caches before it is written again: a store to a
// line that somebody else has costs more than everything else here. What is long and lies where the others
// reach it is lent instead: a slot says where it is.
#ifndef TRANSPORTS_SHM_LAYOUT_H_
#define TRANSPORTS_SHM_LAYOUT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ccl::shm {

inline constexpr uint32_t kSlots = 64;         // of a ring
inline constexpr uint32_t kChunks = 128;       // of a rank,
inline constexpr uint32_t kInTurn = 16;        // the rest for when of these none is free
inline constexpr uint32_t kBoards = 8;         // of a rank: chunks for what is folded together
inline constexpr uint32_t kLoans = 32;         // of a rank: messages that are lent at once
inline constexpr uint64_t kInlineBytes = 2048;  // of a message that fits into a slot
inline constexpr uint64_t kChunkBytes = 65536;
inline constexpr uint32_t kNoChunk = UINT32_MAX;
inline constexpr uint32_t kFirstLoan = 1u << 31;  // numbers of chunks from here on are loans
inline constexpr uint8_t kNoBoard = UINT8_MAX;

// What messages match by, beside their sender.
struct Key {
  uint32_t context = 0;
  uint32_t group = 0;  // of a group operation, its number plus one
  uint16_t channel = 0;

  friend bool operator==(const Key&, const Key&) = default;
};

struct alignas(64) Slot {
  std::atomic<uint64_t> sequence;  // the message's in its ring, from 1; written last
  uint64_t total;                  // bytes of the whole message
  Key key;
  bool continues;     // a stream that has begun
  uint8_t board;      // of the sender: where this part is folded together; or kNoBoard
  uint32_t bytes;     // here; of a loan none
  uint32_t chunk;     // of the sender that has them, or a loan of its; kNoChunk: they follow
  uint32_t stream;    // distinct among those that the sender has under way
  uint32_t taken;     // how many messages the sender has taken of the ring the other way, cut to its bits
  std::byte payload[kInlineBytes + 16];
};
static_assert(sizeof(Slot) == kInlineBytes + 64);

// What the slot of a loan holds: names of the sender's memory (lending.h).
struct View {
  uint64_t from;  // the message
  uint64_t to;    // an offer: where its sender puts the group's result; 0: a loan of all of the message
};

// A message that is lent.
struct Loan {
  alignas(64) std::atomic<uint32_t> readers_left;
  alignas(64) std::atomic<uint64_t> folded;  // blocks of the sender's share of a group's result
};

// What a rank says of itself.
struct Member {
  alignas(64) int64_t process, file;  // its arena; see ArenaPlace
  uint64_t bytes;
  std::atomic<uint32_t> known;    // the above is written
  std::atomic<uint32_t> reaches;  // it has everybody's
  alignas(64) std::atomic<uint32_t> processor;  // on which it has waited last, plus one
  alignas(64) std::atomic<uint32_t> reading;    // what is lent to it, now
  alignas(64) std::atomic<uint32_t> withdrawn;  // what it has lent must not be read any more
};

// A board is a chunk before the others into which all members of a group operation fold: who claims a
// block folds it and leaves the result there for the rest.
struct Chunk {
  alignas(64) std::atomic<uint32_t> readers_left;
  alignas(64) std::atomic<uint32_t> claimed;  // blocks of a board
  std::atomic<uint32_t> finished;
  alignas(64) std::byte bytes[kChunkBytes];
  std::byte apart[4096];
};
static_assert(sizeof(Chunk) == kChunkBytes + 4224);

struct alignas(64) Line {
  std::atomic<uint64_t> value;
};

// Places in a segment of `ranks` ranks. A new segment is all zeros, which is how everything begins.
class Layout {
 public:
  Layout(std::byte* base, int ranks) : base_(base), ranks_(static_cast<size_t>(ranks)) {}

  static size_t Bytes(int ranks) {
    const Layout layout(nullptr, ranks);
    return layout.ChunksOf(layout.ranks_);
  }

  // Larger segments are faulted in as they are used, but for a rank's own chunks.
  bool IsPopulated() const { return ChunksOf(0) + ranks_ * kBytesInTurn <= kMostPopulated; }

  static constexpr size_t kBytesOfChunks = (kBoards + kChunks) * sizeof(Chunk);
  // Of these the first so many are in use all the time.
  static constexpr size_t kBytesInTurn = (kBoards + kInTurn) * sizeof(Chunk);
  // Where the chunks of a rank lie.
  size_t ChunksOf(size_t rank) const { return Chunks() + rank * kBytesOfChunks; }
  // For measuring: a line that two ranks write in turn, and what they have found.
  Line& Ball() const { return reinterpret_cast<Line*>(base_)[0]; }
  Line& Verdict() const { return reinterpret_cast<Line*>(base_)[1]; }
  // How many messages of a ring the receiver has taken, as it says now and then; oftener it says so in
  // messages of its own.
  Line& Taken(size_t from, size_t to) const {
    return reinterpret_cast<Line*>(base_ + kPage)[to * ranks_ + from];
  }
  Member& MemberOf(size_t rank) const { return reinterpret_cast<Member*>(base_ + Members())[rank]; }
  Loan& LoanOf(size_t rank, uint32_t loan) const {
    return reinterpret_cast<Loan*>(base_ + Loans())[rank * kLoans + loan];
  }
  // Whether a reader has done with a loan.
  std::atomic<bool>& HasRead(size_t rank, uint32_t loan, size_t reader) const {
    return reinterpret_cast<std::atomic<bool>*>(base_ + Marks())[(rank * kLoans + loan) * ranks_ + reader];
  }
  Slot& SlotOf(size_t from, size_t to, uint64_t number) const {
    return reinterpret_cast<Slot*>(base_ + Rings())[(to * ranks_ + from) * kSlots + number % kSlots];
  }
  Chunk& ChunkOf(size_t rank, uint32_t chunk) const {
    return reinterpret_cast<Chunk*>(base_ + ChunksOf(rank))[kBoards + chunk];
  }
  Chunk& BoardOf(size_t rank, uint8_t board) const {
    return reinterpret_cast<Chunk*>(base_ + ChunksOf(rank))[board];
  }

 private:
  static constexpr size_t kPage = 4096, kHuge = size_t{2} << 20, kMostPopulated = size_t{64} << 20;
  static size_t RoundUp(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }
  size_t Members() const { return kPage + RoundUp(ranks_ * ranks_ * sizeof(Line), kPage); }
  size_t Loans() const { return Members() + RoundUp(ranks_ * sizeof(Member), kPage); }
  size_t Marks() const { return Loans() + RoundUp(ranks_ * kLoans * sizeof(Loan), kPage); }
  size_t Rings() const { return Marks() + RoundUp(ranks_ * kLoans * ranks_, kPage); }
  size_t Chunks() const { return RoundUp(Rings() + ranks_ * ranks_ * kSlots * sizeof(Slot), kHuge); }

  std::byte* base_;
  size_t ranks_;
};

}  // namespace ccl::shm

#endif  // TRANSPORTS_SHM_LAYOUT_H_
