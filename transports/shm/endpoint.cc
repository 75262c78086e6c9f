#include "transports/shm/endpoint.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/backend/copy.h"
#include "ccl/base/status.h"

namespace ccl::shm {
namespace {

// Two cores between which a line takes longer share no cache: what one has written is better read from
// memory.
constexpr int64_t kFarNs = 120;

}  // namespace

Endpoint::Endpoint(std::shared_ptr<Segment> segment, std::vector<int> ranks, int own, int job_ranks,
                   bool crowded, const ArenaPlace* arena)
    : segment_(std::move(segment)),
      layout_(segment_->data(), static_cast<int>(ranks.size())),
      ranks_(std::move(ranks)),
      index_(static_cast<size_t>(job_ranks), -1),
      self_(static_cast<uint32_t>(std::lower_bound(ranks_.begin(), ranks_.end(), own) - ranks_.begin())),
      crowded_(crowded),
      patience_(crowded),
      most_held_(kChunks / 2 / std::max<uint32_t>(1, static_cast<uint32_t>(ranks_.size()) - 1)),
      threads_(arena == nullptr),
      lending_(threads_ ? Lending(ranks_.size()) : Lending(layout_, ranks_.size(), self_, *arena)),
      peers_(ranks_.size()) {
  for (size_t i = 0; i < ranks_.size(); ++i) index_[static_cast<size_t>(ranks_[i])] = static_cast<int>(i);
  // Our own first: pages lie where they are touched first.
  segment_->Populate(layout_.ChunksOf(self_), Layout::kBytesInTurn);
  // The others may be at work in the rest already; threads have the same page tables, and who made the segment
  // has seen to it.
  if (!threads_ && layout_.IsPopulated()) {
    segment_->Populate(0, layout_.ChunksOf(0));
    for (size_t rank = 0; rank < ranks_.size(); ++rank) {
      segment_->Populate(layout_.ChunksOf(rank), Layout::kBytesInTurn);
    }
  }
  Prime();
  if (!crowded_ && ranks_.size() > 1) Probe();
}

// What a busy rank needs, so that messages take no memory. Beyond, everything grows.
void Endpoint::Prime() {
  constexpr size_t kTransfers = 64, kPieces = 8, kBlocks = 16;
  // Of each of a few peers; most of many are hardly ever talked to.
  const size_t per_peer = std::clamp<size_t>(512 / ranks_.size(), 4, 32);
  const auto prime = [](std::vector<uint32_t>& free, size_t count) {
    free.reserve(count);
    for (size_t i = count; i-- > 0;) free.push_back(static_cast<uint32_t>(i));
  };
  transfers_.resize(kTransfers);
  prime(free_transfers_, kTransfers);
  for (Transfer& t : transfers_) {
    t.src.reserve(kPieces);
    t.dst.reserve(kPieces);
    t.readers.reserve(std::min<size_t>(ranks_.size(), kPieces));
    t.sources.reserve(std::min<size_t>(ranks_.size(), kPieces));
    t.mine.reserve(std::min<size_t>(ranks_.size(), kPieces));
  }
  parts_.resize(kTransfers * kWindow);
  prime(free_parts_, parts_.size());
  outgoing_.reserve(kTransfers);
  waiting_.reserve(kTransfers);
  looked_at_.reserve(kTransfers);
  lent_.reserve(kLoans);
  ready_.reserve(kTransfers);
  for (Peer& peer : peers_) {
    peer.posted.reserve(per_peer);
    peer.unexpected.reserve(per_peer);
    peer.streams.reserve(per_peer);
  }
  // Of the lengths that fit into slots.
  for (uint64_t bytes = 256; bytes <= kInlineBytes; bytes *= 2) {
    Staging::Block blocks[kBlocks];
    for (Staging::Block& block : blocks) block = blocks_.Take(bytes);
    for (const Staging::Block& block : blocks) blocks_.Give(block);
  }
}

// The first rank writes odd numbers, the second the even one that follows; the fastest of some rounds,
// as others may have the processor meanwhile.
void Endpoint::Probe() {
  constexpr int kRounds = 16;
  constexpr uint64_t kTurns = 32;
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const auto limit = now() + std::chrono::milliseconds(100);
  std::atomic<uint64_t>& verdict = layout_.Verdict().value;  // ns of one way, plus one
  if (self_ < 2) {
    std::atomic<uint64_t>& ball = layout_.Ball().value;
    uint64_t turn = self_;
    int64_t best = std::numeric_limits<int64_t>::max();
    for (int round = 0; round < kRounds && best >= 0; ++round) {
      const auto begin = now();
      for (uint64_t i = 0; i < kTurns && best >= 0; ++i, turn += 2) {
        for (int spins = 1; ball.load(std::memory_order_acquire) != turn; ++spins) {
          if (spins % 256 != 0) continue;
          sched_yield();
          if (now() > limit) {
            best = -1;
            break;
          }
        }
        ball.store(turn + 1, std::memory_order_release);
      }
      const int64_t taken = std::chrono::duration_cast<std::chrono::nanoseconds>(now() - begin).count();
      if (best >= 0) best = std::min<int64_t>(best, taken / static_cast<int64_t>(2 * kTurns));
    }
    if (self_ == 0) verdict.store(static_cast<uint64_t>(best < 0 ? 0 : best) + 1, std::memory_order_release);
  }
  while (verdict.load(std::memory_order_acquire) == 0 && now() < limit) sched_yield();
  past_cache_ = verdict.load(std::memory_order_acquire) > kFarNs;
}

// Whether another rank has waited last where we wait now: he may have something to do, and cannot.
bool Endpoint::SharesProcessor() {
  const auto here = static_cast<uint32_t>(sched_getcpu() + 1);
  if (here == 0) return false;
  if (here != processor_) layout_.MemberOf(self_).processor.store(processor_ = here, std::memory_order_relaxed);
  for (size_t rank = 0; rank < ranks_.size(); ++rank) {
    if (rank != self_ && layout_.MemberOf(rank).processor.load(std::memory_order_relaxed) == here) return true;
  }
  return false;
}

bool Endpoint::HasAll(absl::Span<const int> ranks) const {
  return std::all_of(ranks.begin(), ranks.end(), [&](int rank) { return Has(rank); });
}

bool Endpoint::WaitsFor(int rank) const {
  const int index = IndexOf(rank);
  if (index < 0) return false;
  const auto peer = static_cast<uint32_t>(index);
  if (Expects(peers_[peer])) return true;
  const auto goes_there = [&](uint32_t transfer) {
    const std::vector<uint32_t>& readers = transfers_[transfer].readers;
    return std::find(readers.begin(), readers.end(), peer) != readers.end();
  };
  return std::any_of(outgoing_.begin(), outgoing_.end(), goes_there) ||
         std::any_of(lent_.begin(), lent_.end(), [&](uint32_t transfer) {
           return goes_there(transfer) && !layout_.HasRead(self_, transfers_[transfer].loan, peer).load(std::memory_order_acquire);
         });
}

void Endpoint::Fail(absl::Status status) {
  if (status_.ok()) status_ = std::move(status);
}

std::string Endpoint::Describe(const Transfer& t, uint32_t peer, bool sends) const {
  return absl::StrCat("rank ", ranks_[self_], ": ", sends ? "send of " : "receive of ", t.bytes,
                      sends ? " bytes to rank " : " bytes from rank ", ranks_[peer], " (context ",
                      t.key.context, ", channel ", t.key.channel,
                      t.key.group > 0 ? absl::StrCat(", group ", t.key.group - 1) : "", ")");
}

uint32_t Endpoint::NewTransfer(const Operation& op) {
  uint32_t index;
  if (free_transfers_.empty()) {
    index = static_cast<uint32_t>(transfers_.size());
    transfers_.emplace_back();
  } else {
    index = free_transfers_.back();
    free_transfers_.pop_back();
  }
  Transfer& t = transfers_[index];
  t.kind = op.kind;
  const bool group = op.kind == OperationKind::kGroupReduce || op.kind == OperationKind::kGroupCopy;
  t.key = {op.context, group ? static_cast<uint32_t>(op.group.id) + 1 : 0, op.channel};
  t.peer = op.peer;
  t.bytes = op.bytes;
  t.token = op.token;
  t.consumer = op.consumer;
  t.src.assign(op.src.begin(), op.src.end());
  t.dst.assign(op.dst.begin(), op.dst.end());
  t.sends = t.started = false;
  t.readers.clear();
  t.sources.clear();
  t.staged = t.taken = 0;
  t.chunks_out = 0;
  t.stream = kNone;
  t.own_place = kNone;
  t.open = 0;
  t.together = t.waits = t.none_left = false;
  t.mine.clear();
  t.lent = 0;
  t.loan = kNoLoan;
  t.offers = false;
  longest_ = under_way_++ == 0 ? op.bytes : std::max(longest_, op.bytes);
  return index;
}

void Endpoint::Post(const Operation& op) {
  if (!status_.ok()) return;
  const uint32_t index = NewTransfer(op);
  Transfer& t = transfers_[index];
  switch (op.kind) {
    case OperationKind::kSend:
      t.sends = true;
      t.readers.push_back(static_cast<uint32_t>(IndexOf(op.peer)));
      break;
    case OperationKind::kRecv:
    case OperationKind::kRecvReduce:
      AddSource(t, static_cast<uint32_t>(IndexOf(op.peer)));
      break;
    case OperationKind::kGroupReduce: {
      const bool wanted = op.peer < 0 || op.peer == ranks_[self_];
      for (int rank : op.group.ranks) {
        const uint32_t peer = static_cast<uint32_t>(IndexOf(rank));
        if (peer == self_) {
          if (wanted) t.own_place = static_cast<uint32_t>(t.sources.size());
          continue;
        }
        if (op.peer < 0 || op.peer == rank) t.readers.push_back(peer);
        if (wanted) AddSource(t, peer);
      }
      t.sends = !t.readers.empty();
      // All members come to the same answer.
      t.together = crowded_ && op.peer < 0 && op.bytes >= kLeastTogether && GoesInChunks(t);
      break;
    }
    default: {  // kGroupCopy
      if (op.peer != ranks_[self_]) {
        ++copies_coming_;
        AddSource(t, static_cast<uint32_t>(IndexOf(op.peer)));
        break;
      }
      for (int rank : op.group.ranks) {
        if (rank != op.peer) t.readers.push_back(static_cast<uint32_t>(IndexOf(rank)));
      }
      t.sends = !t.readers.empty();
      if (!t.dst.empty()) CopyOwn(t);
      break;
    }
  }
  const bool takes = !t.sources.empty() || t.own_place != kNone;
  t.open = (t.sends ? 1 : 0) + (takes ? 1 : 0);
  if (t.open == 0) return Finish(t, index);
  if (t.sends) ConsiderLending(t);
  // Whether a copy is lent depends on what comes along with it.
  const bool later = t.lent != 0 && t.kind == OperationKind::kGroupCopy;
  if (t.sends && (later || !Advance(index))) outgoing_.push_back(index);
  if (later) {
    for (uint32_t to : t.readers) peers_[to].blocked = pass_;  // nothing overtakes it
  }
  if (!takes) return;
  if (t.sources.empty()) {
    Consume(t, 0, t.bytes);  // alone in its group
    return Finish(t, index);
  }
  Expect(index);
}

// The root's own copy. In place it is there.
void Endpoint::CopyOwn(const Transfer& t) {
  uint64_t at = 0, used = 0;
  size_t from = 0;
  for (const Piece& piece : t.dst) {
    for (at = 0; at < piece.bytes;) {
      while (used == t.src[from].bytes) ++from, used = 0;
      const uint64_t run = std::min<uint64_t>(piece.bytes - at, t.src[from].bytes - used);
      const auto* const source = static_cast<const std::byte*>(t.src[from].data) + used;
      std::byte* const to = static_cast<std::byte*>(piece.data) + at;
      if (source != to) Copy(to, source, run);
      at += run;
      used += run;
    }
  }
}

void Endpoint::Finish(Transfer& t, uint32_t index) {
  if (t.open > 0 && --t.open > 0) return;
  if (t.kind == OperationKind::kGroupCopy && t.peer != ranks_[self_]) --copies_coming_;
  ready_.push_back({ranks_[self_], t.token});
  free_transfers_.push_back(index);
  --under_way_;
}

absl::Status Endpoint::ProgressBriefly(std::vector<Completion>& done) {
  const size_t looks = std::max<size_t>(2, 80 / peers_.size());
  for (size_t i = 0; i < looks; ++i) {
    CCL_RETURN_IF_ERROR(Progress(done));
    if (under_way_ == 0 || crowded_ || !outgoing_.empty() || longest_ > kBriefBytes) break;
  }
  return status_;
}

absl::Status Endpoint::Progress(std::vector<Completion>& done) {
  if (status_.ok()) {
    if (!lent_.empty()) TakeBack();
    DrainAll();
    if (!waiting_.empty()) {
      std::swap(waiting_, looked_at_);
      for (uint32_t index : looked_at_) {
        transfers_[index].waits = false;
        Deliver(index);
      }
      looked_at_.clear();
    }
    if (!outgoing_.empty()) {
      while (AdvanceAll() && status_.ok()) DrainAll();
    }
  }
  if (!status_.ok()) return status_;
  if (ready_.empty()) {
    ++waited_;
  } else {
    waited_ = 0;
    patience_.Reset();
  }
  done.insert(done.end(), ready_.begin(), ready_.end());
  ready_.clear();
  return status_;
}

}  // namespace ccl::shm
