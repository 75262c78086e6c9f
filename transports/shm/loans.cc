// What an Endpoint lends and borrows: long messages in memory that the others reach.
//
// A message that is lent is one slot that says where it is; who has read it counts itself off, and then the
// send is complete. A result for everybody may lie where an operand is that others still read, so of such a
// group operation all members offer what they bring and where they want the result: when all do, each folds an
// equal share of it, from their memory to his, and takes the others' shares from theirs. When one does not,
// everybody declines, and the message goes on as one that has begun with no bytes.
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/backend/copy.h"
#include "transports/shm/copy.h"
#include "transports/shm/endpoint.h"

namespace ccl::shm {
namespace {

// Shorter messages, or shares of a result, are faster copied: the lines of what is lent are in the caches of
// those who have read it, which the next store to them pays for. `docs/real_ranks.md` has the figures.
constexpr uint64_t kLeastLentNear = uint64_t{256} << 10;  // cores share a cache
constexpr uint64_t kLeastLentFar = uint64_t{1} << 20;
constexpr uint64_t kLeastLentCrowded = uint64_t{512} << 10;
// Where one rank copies to all and takes nothing itself, it would lie idle while they read.
constexpr uint64_t kLeastLentByOne = uint64_t{16} << 20;
constexpr uint64_t kLeastLentByOneCrowded = uint64_t{4} << 20;
// What has been folded is still in a cache when the others take it.
constexpr uint64_t kBlockBytes = 65536;
// Reading takes as long as memory does; who died of it reads no more.
constexpr std::chrono::seconds kLongestReading(2);

}  // namespace

void Endpoint::ConsiderLending(Transfer& t) {
  if (t.bytes < kLeastLentNear || t.src.size() != 1 || !lending_.Reached(layout_)) return;
  const uint64_t name = lending_.NameOf(t.src[0].data, t.bytes);
  if (name == 0) return;
  if (t.own_place != kNone) {
    if (t.dst.size() != 1 || lending_.NameOf(t.dst[0].data, t.bytes) == 0 || !IsWorthLending(t)) return;
    t.offers = true;
  }
  t.lent = name;
}

bool Endpoint::IsWorthLending(const Transfer& t) const {
  uint64_t least = crowded_ ? kLeastLentCrowded : past_cache_ ? kLeastLentFar : kLeastLentNear;
  if (t.kind == OperationKind::kGroupCopy && copies_coming_ == 0) {
    least = crowded_ ? kLeastLentByOneCrowded : kLeastLentByOne;
  }
  return t.bytes / (t.own_place != kNone ? t.sources.size() + 1 : 1) >= least;
}

// To whoever reads it; there is room. False: all loans are out.
bool Endpoint::Lend(Transfer& t, uint32_t index) {
  uint32_t number = kLoans;
  for (uint32_t i = 0; i < kLoans && number == kLoans; ++i) {
    const uint32_t next = next_loan_;
    next_loan_ = (next_loan_ + 1) % kLoans;
    if (!on_loan_[next] && layout_.LoanOf(self_, next).readers_left.load(std::memory_order_acquire) == 0) number = next;
  }
  if (number == kLoans) return false;
  Loan& loan = layout_.LoanOf(self_, number);
  loan.folded.store(0, std::memory_order_relaxed);
  loan.readers_left.store(static_cast<uint32_t>(t.readers.size()), std::memory_order_relaxed);
  t.loan = number;
  on_loan_[number] = true;
  View view{t.lent, 0};
  if (t.offers) {
    view.to = lending_.NameOf(t.dst[0].data, t.bytes);
    BeginStream(t);
  } else {
    t.staged = t.bytes;
    lent_.push_back(index);
  }
  for (uint32_t to : t.readers) {
    layout_.HasRead(self_, number, to).store(false, std::memory_order_relaxed);
    Slot& slot = layout_.SlotOf(self_, to, peers_[to].sent);
    std::memcpy(slot.payload, &view, sizeof view);
    Publish(t, to, slot, 0, kFirstLoan + number);
  }
  return true;
}

// Sends that everybody has read are complete.
void Endpoint::TakeBack() {
  size_t kept = 0;
  for (size_t i = 0; i < lent_.size(); ++i) {
    const uint32_t index = lent_[i];
    Transfer& t = transfers_[index];
    if (layout_.LoanOf(self_, t.loan).readers_left.load(std::memory_order_acquire) > 0) {
      lent_[kept++] = index;
      continue;
    }
    on_loan_[t.loan] = false;
    Finish(t, index);
  }
  lent_.resize(kept);
}

void Endpoint::Borrow(uint32_t from, const Slot& slot, Part& part) const {
  View view;
  std::memcpy(&view, slot.payload, sizeof view);
  part.data = lending_.Find(from, view.from);
  if (view.to == 0) {
    part.bytes = slot.total;
  } else {
    part.result = lending_.Find(from, view.to);
  }
}

// Of the parts at hand, one of each source, and of the own one.
Endpoint::Offers Endpoint::OffersAt(const Transfer& t) const {
  if (!t.sends || t.taken > 0) return Offers::kNone;
  size_t offers = t.offers ? 1 : 0;
  for (const Source& source : t.sources) offers += parts_[source.parts.head].result != nullptr ? 1 : 0;
  if (offers == 0) return Offers::kNone;
  return offers > t.sources.size() ? Offers::kAll : Offers::kSome;
}

void Endpoint::Decline(Transfer& t) {
  if (t.loan != kNoLoan) on_loan_[t.loan] = false;
  t.offers = false;
  t.lent = 0;
  for (Source& source : t.sources) {
    if (parts_[source.parts.head].result != nullptr) Release(source);
  }
}

// Of all blocks those that the member at `place` folds: [Block(place), Block(place + 1)).
uint64_t Endpoint::FirstBlock(const Transfer& t, size_t place) {
  const uint64_t blocks = (t.bytes + kBlockBytes - 1) / kBlockBytes;
  return blocks * place / (t.sources.size() + 1);
}

// Folds our share block by block, and takes from the others what they have folded as long as it is in the
// caches. True when the result is there; false: others are at it.
bool Endpoint::FoldInPlace(Transfer& t, uint32_t index) {
  Loan& own = layout_.LoanOf(self_, t.loan);
  const uint64_t first = FirstBlock(t, t.own_place), share = FirstBlock(t, t.own_place + 1) - first;
  bool all = false;
  for (bool moves = true; moves;) {
    moves = t.folded < share;
    if (moves) {
      const uint64_t at = (first + t.folded) * kBlockBytes;
      Consume(t, at, std::min(kBlockBytes, t.bytes - at));
      own.folded.store(++t.folded, std::memory_order_release);
    }
    if (moves) patience_.Reset();
    all = t.folded == share;
    for (size_t i = 0; i < t.sources.size(); ++i) {
      const size_t place = i < t.own_place ? i : i + 1;
      const uint64_t begin = FirstBlock(t, place), end = FirstBlock(t, place + 1);
      uint64_t& taken = t.sources[i].share;
      const Part& part = parts_[t.sources[i].parts.head];
      const Loan& theirs = layout_.LoanOf(t.sources[i].peer, part.chunk - kFirstLoan);
      const uint64_t there = theirs.folded.load(std::memory_order_acquire);
      if (there > taken) {
        const uint64_t at = (begin + taken) * kBlockBytes;
        const uint64_t bytes = std::min((begin + there) * kBlockBytes, t.bytes) - at;
        std::byte* const to = static_cast<std::byte*>(t.dst[0].data) + at;
        if (t.bytes >= kLeastResultPastCache) {
          CopyPastCache(to, part.result + at, bytes);
        } else {
          Copy(to, part.result + at, bytes);
        }
        taken = there;
        moves = true;
      }
      all = all && taken == end - begin;
    }
  }
  CopyFence();
  if (!all) return false;
  t.folded = 0;
  t.staged = t.bytes;
  lent_.push_back(index);  // until they have taken ours
  for (const Source& source : t.sources) {
    std::vector<Stream>& streams = peers_[source.peer].streams;
    streams.erase(std::find_if(streams.begin(), streams.end(), [&](const Stream& s) { return s.transfer == index; }));
  }
  return true;
}

// Who has given up may free what it has lent, or write to it. False: somebody has.
bool Endpoint::BeginReading(const Transfer& t) {
  const auto borrows = [&](const Source& source) {
    const uint32_t chunk = parts_[source.parts.head].chunk;
    return chunk >= kFirstLoan && chunk != kNoChunk;
  };
  if (std::none_of(t.sources.begin(), t.sources.end(), borrows)) return true;
  reading_ = true;
  layout_.MemberOf(self_).reading.store(1, std::memory_order_seq_cst);
  for (const Source& source : t.sources) {
    if (!borrows(source)) continue;
    if (layout_.MemberOf(source.peer).withdrawn.load(std::memory_order_seq_cst) == 0) continue;
    EndReading();
    Fail(absl::UnavailableError(absl::StrCat(Describe(t, source.peer, false), ": rank ", ranks_[source.peer],
                                             " has left while this rank waits for it")));
    return false;
  }
  return true;
}

void Endpoint::EndReading() {
  if (std::exchange(reading_, false)) layout_.MemberOf(self_).reading.store(0, std::memory_order_release);
}

Endpoint::~Endpoint() {
  layout_.MemberOf(self_).withdrawn.store(1, std::memory_order_seq_cst);
  const auto limit = std::chrono::steady_clock::now() + kLongestReading;
  for (size_t rank = 0; rank < peers_.size(); ++rank) {
    while (layout_.MemberOf(rank).reading.load(std::memory_order_seq_cst) != 0) {
      if (std::chrono::steady_clock::now() > limit) return;
      sched_yield();
    }
  }
}

}  // namespace ccl::shm
