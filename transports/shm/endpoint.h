#ifndef TRANSPORTS_SHM_ENDPOINT_H_
#define TRANSPORTS_SHM_ENDPOINT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ccl/backend/backend.h"
#include "transports/shm/layout.h"
#include "transports/shm/lending.h"
#include "transports/patience.h"
#include "transports/shm/segment.h"
#include "transports/staging.h"

namespace ccl::shm {

// One rank among those of its host that share a segment. Sends, receives and group operations among
// them are posted here; whoever has posted calls Progress until they have completed. Not thread-safe.
//
// A send is complete when its bytes are in shared memory, which takes a slot of the receiver's ring or a few
// chunks of the sender's; it waits for room. A long message in memory that the others reach is not copied: its
// send is complete when everybody has read it where it lies. Nobody's progress waits for a receive that has not
// been posted, but a lent send's: what has come and is not expected yet leaves its slot, and its chunk too when
// there are many of them. But a rank that has sent what it had to takes nothing from one of which it expects
// nothing, until it has waited for others for a while: so nobody runs far ahead of his readers.
//
// A group operation is one stream of chunks of each member that contributes, read by all that want
// it, and a fold of all streams chunk by chunk as they come, in order of rank. Where ranks take turns on
// processors, a result for everybody is folded together: whoever runs claims blocks of it, and nobody
// waits for somebody who does not run to do his share. So is every long result whose members all lend what
// they bring and where they want it: then each folds a share, and nothing is copied but results.
class Endpoint {
 public:
  // `ranks` of the job that share the segment, ascending; `own` is one of them. `crowded`: there are
  // more ranks than processors. `arena` holds what this process lends; null: ranks are threads of one
  // process, who lend everything. Blocks until a line has been passed to and fro between the first two.
  Endpoint(std::shared_ptr<Segment> segment, std::vector<int> ranks, int own, int job_ranks,
           bool crowded, const ArenaPlace* arena);
  // Waits, a moment, for those who read what this one has lent; whoever has not begun to must not any more.
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  bool Has(int rank) const { return IndexOf(rank) >= 0; }
  // Group operations: whether all are here.
  bool HasAll(absl::Span<const int> ranks) const;
  // How often a rank that waits looks before it gives its processor up. A look costs next to nothing. Who
  // has a core of its own keeps it for longer than most answers take: given up, it may be lost to somebody
  // else for a whole turn. Who shares one gives it up soon, and so does who has been put beside another rank.
  int looks() { return crowded_ || patience_.long_ago() || SharesProcessor() ? 6 : 16384; }
  // How it gives it up.
  Patience& patience() { return patience_; }
  // An operation among ranks that are here, with real bytes.
  void Post(const Operation& operation);
  // Appends completions. The first error stays.
  absl::Status Progress(std::vector<Completion>& done);
  // Likewise, for less than a microsecond, while all that is under way is short and has been sent and
  // everybody may have a processor: then answers are likely to come.
  absl::Status ProgressBriefly(std::vector<Completion>& done);
  // Something has not completed.
  bool busy() const { return under_way_ > 0; }
  // Something of it waits for what `rank` has not sent yet, or for room that it has not made.
  bool WaitsFor(int rank) const;

 private:
  static constexpr uint32_t kNone = UINT32_MAX, kNoLoan = UINT32_MAX;
  static constexpr uint32_t kWindow = 8;       // chunks that one stream has out,
  static constexpr uint32_t kWindowAlone = 4;  // when it is not folded together
  static constexpr uint64_t kLeastTogether = 8192;  // bytes that are worth folding together
  static constexpr uint64_t kBriefBytes = 8192;     // of messages whose answers come soon
  // Passes in which nothing has completed, after which whatever has come is taken.
  static constexpr uint32_t kWaitsLong = 1000;
  // Beyond so many bytes a message for several readers lies in a chunk, once.
  static constexpr uint64_t kInlineForSeveral = 512;

  // Bytes that have come and wait. In a chunk of the sender's, in a block of ours, or lent.
  struct Part {
    const std::byte* data = nullptr;
    uint64_t bytes = 0;
    uint32_t chunk = kNoChunk;
    std::byte* result = nullptr;  // an offer: where its sender wants the group's
    uint8_t board = kNoBoard;
    Staging::Block block;
    uint32_t next = kNone;
  };
  struct Queue {
    uint32_t head = kNone, tail = kNone;  // parts
  };
  // One whose bytes an operation takes.
  struct Source {
    uint32_t peer = 0;
    Queue parts;
    uint64_t used = 0;   // bytes of the first part,
    uint64_t share = 0;  // blocks of its sender's share of the result, that have been taken
  };
  struct Transfer {
    OperationKind kind = OperationKind::kSend;
    Key key;
    int32_t peer = 0;  // rank, for reports
    uint64_t bytes = 0, token = 0;
    Consumer* consumer = nullptr;
    uint32_t open = 0;  // sides that are not done
    std::vector<ConstPiece> src;
    std::vector<Piece> dst;
    // What goes out.
    bool sends = false, started = false;
    std::vector<uint32_t> readers;
    uint64_t staged = 0;
    uint32_t stream = 0;
    uint32_t chunks_out = 0;  // so far
    uint32_t window[kWindow] = {};
    uint64_t serials[kWindow] = {};
    // What comes in.
    std::vector<Source> sources;  // ascending
    uint32_t own_place = kNone;   // of our operand among theirs
    uint64_t taken = 0;
    // What is folded together: of the first member, where; of the part at hand, how far.
    bool together = false, waits = false;  // waits: it is in waiting_
    uint8_t boards[kWindow] = {};
    bool none_left = false;       // all blocks have been claimed,
    std::vector<uint32_t> mine;   // some of them by us
    // What is lent: by which name, kNoLoan until it goes out. `offers`: along with where the result goes, to
    // be taken when all do.
    uint64_t lent = 0;
    uint32_t loan = kNoLoan;
    bool offers = false;
    uint64_t folded = 0;  // blocks of our share
  };
  // A receive that waits for the beginning of its message.
  struct Posted {
    Key key;
    uint32_t transfer, source;
  };
  // A message that has come, or begun to, and nobody waits for.
  struct Unexpected {
    Key key;
    uint64_t total = 0, come = 0;
    uint32_t stream = 0;
    Queue parts;
  };
  // A stream that has begun and goes on: to a transfer, or unexpected.
  struct Stream {
    uint32_t number, transfer, source;
    uint64_t left;
  };
  struct Peer {
    uint64_t sent = 0, known_taken = 0;   // messages to it
    uint64_t received = 0, told = 0;      // messages from it
    uint32_t held = 0;                    // chunks of its that wait here
    uint64_t blocked = 0;                 // the pass in which nothing more begins
    std::vector<Posted> posted;
    std::vector<Unexpected> unexpected;
    std::vector<Stream> streams;
  };

  int IndexOf(int rank) const {
    return rank >= 0 && rank < static_cast<int>(index_.size()) ? index_[static_cast<size_t>(rank)] : -1;
  }
  uint32_t NewTransfer(const Operation& operation);
  void AddSource(Transfer& t, uint32_t peer) { t.sources.push_back({peer, {}, 0, 0}); }
  // Something has been posted that takes from `transfer.sources`.
  void Expect(uint32_t transfer);
  void Finish(Transfer& t, uint32_t index);
  void CopyOwn(const Transfer& t);

  // Outgoing: see outgoing.cc.
  static bool GoesInChunks(const Transfer& t) {
    return !t.readers.empty() && t.bytes > (t.readers.size() > 1 ? kInlineForSeveral : kInlineBytes);
  }
  bool Advance(uint32_t transfer);
  bool Room(uint32_t peer);
  bool Room(const Transfer& t);
  void SendWhole(Transfer& t);
  bool SendChunk(Transfer& t);
  void BeginStream(Transfer& t);
  uint32_t TakeChunk(const Transfer& t);
  void Gather(const Transfer& t, std::byte* to, uint64_t bytes, bool past_cache) const;
  void Publish(Transfer& t, uint32_t peer, Slot& slot, uint32_t bytes, uint32_t chunk);
  bool AdvanceAll();

  // What is lent: see loans.cc.
  void ConsiderLending(Transfer& t);
  bool IsWorthLending(const Transfer& t) const;
  bool Lend(Transfer& t, uint32_t index);
  void TakeBack();
  void Borrow(uint32_t peer, const Slot& slot, Part& part) const;
  enum class Offers : uint8_t { kNone, kSome, kAll };
  Offers OffersAt(const Transfer& t) const;
  void Decline(Transfer& t);
  static uint64_t FirstBlock(const Transfer& t, size_t place);
  bool FoldInPlace(Transfer& t, uint32_t index);
  bool BeginReading(const Transfer& t);
  void EndReading();

  // Incoming: see incoming.cc.
  static bool Expects(const Peer& peer);  // something that has not come
  bool Takes(const Peer& peer) const;
  void Drain(uint32_t peer);
  void DrainAll();
  void Arrived(uint32_t peer, const Slot& slot);
  void Append(Queue& queue, uint32_t part);
  void Keep(uint32_t peer, Part& part, bool chunk_too);
  void Release(Source& source);
  std::atomic<uint32_t>& ReadersLeft(uint32_t peer, uint32_t chunk) const {
    return chunk >= kFirstLoan ? layout_.LoanOf(peer, chunk - kFirstLoan).readers_left
                               : layout_.ChunkOf(peer, chunk).readers_left;
  }
  // Takes what all sources have.
  void Deliver(uint32_t transfer);
  // Hands `bytes` of all operands to whom they are for, from `at` of the parts at hand.
  void Consume(Transfer& t, uint64_t at, uint64_t bytes);
  bool Fits(const Transfer& t, uint32_t peer, uint64_t total);

  // Folding together: see together.cc.
  uint8_t TakeBoard(uint32_t members);
  uint8_t BoardOf(const Transfer& t) const;
  bool FoldTogether(Transfer& t, uint64_t bytes, uint8_t board);

  void Prime();
  void Probe();
  bool SharesProcessor();
  void Fail(absl::Status status);
  std::string Describe(const Transfer& t, uint32_t peer, bool sends) const;

  const std::shared_ptr<Segment> segment_;
  const Layout layout_;
  const std::vector<int> ranks_;
  std::vector<int> index_;  // by rank of the job; -1: elsewhere
  const uint32_t self_;
  const bool crowded_;
  Patience patience_;
  bool past_cache_ = false;  // how chunks are written
  // Chunks of one sender that wait here. What all its readers may hold is half of what it has: the rest is
  // for what somebody waits for.
  const uint32_t most_held_;
  const bool threads_;
  Lending lending_;
  absl::Status status_;

  std::vector<Peer> peers_;
  std::vector<Transfer> transfers_;
  std::vector<uint32_t> free_transfers_;
  std::vector<Part> parts_;
  std::vector<uint32_t> free_parts_;
  std::vector<uint32_t> outgoing_;  // transfers, in the order of their posting
  std::vector<uint32_t> waiting_;   // transfers of which others fold the last blocks
  std::vector<uint32_t> lent_;      // transfers of which others read what they send
  std::vector<uint32_t> looked_at_;
  std::vector<Completion> ready_;
  uint32_t under_way_ = 0;
  uint32_t waited_ = 0;   // passes since something has completed
  uint32_t processor_ = 0;  // as the others know it
  uint64_t longest_ = 0;  // message since nothing was under way
  bool reading_ = false;  // what others have lent
  uint32_t copies_coming_ = 0;  // group copies under way of which others are the root
  uint32_t next_chunk_ = 0, next_stream_ = 0, next_board_ = 0, next_loan_ = 0;
  uint64_t pass_ = 1;
  uint64_t serials_[kChunks] = {};  // of our chunks: how often each has been taken
  bool on_loan_[kLoans] = {};         // ours that are lent or offered
  Staging blocks_{size_t{16} << 20};
  // Operands of one Consume.
  std::vector<ConstPiece> pieces_;
  std::vector<absl::Span<const ConstPiece>> operands_;
};

// How long a chunk of a message is: equal for all members of a group operation.
uint64_t ChunkLength(uint64_t total, bool together);

}  // namespace ccl::shm

#endif  // TRANSPORTS_SHM_ENDPOINT_H_
