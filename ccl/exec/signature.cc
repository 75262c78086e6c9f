#include "ccl/exec/signature.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ccl {

namespace {

// Reductions that users make, in the place of a ReduceOp. By kind only: a rank may make some that others
// do not, so neither numbers nor their order say which of two ranks' are the same.
constexpr const char* kKindNames[] = {"scaled sum", "function", "function that does not commute"};

int32_t NumberOf(const CustomOp& op) {
  return kReduceOps + (!op.function ? 0 : op.commutative ? 1 : 2);
}

std::string OpName(int32_t op) {
  if (op < kReduceOps) return std::string(Name(static_cast<ReduceOp>(op)));
  return kKindNames[op - kReduceOps];
}

uint64_t HashOf(const std::vector<uint64_t>& numbers) {
  uint64_t hash = 14695981039346656037u;  // the same in every process
  for (uint64_t number : numbers) {
    for (int i = 0; i < 8; ++i) hash = (hash ^ (number >> 8 * i & 0xff)) * 1099511628211u;
  }
  return hash;
}

}  // namespace

std::string Signature::ToString() const {
  const auto c = static_cast<Collective>(collective);
  std::string text = absl::StrCat(Name(c), " #", sequence);
  if (c == Collective::kBarrier) return text;
  absl::StrAppend(&text, " of ");
  if (!HasCounts(c) || lengths != 0) absl::StrAppend(&text, count, " ");
  absl::StrAppend(&text, Name(static_cast<DataType>(type)));
  if (lengths != 0) absl::StrAppend(&text, " in blocks ", absl::Hex(lengths, absl::kZeroPad16));
  if (Reduces(c)) absl::StrAppend(&text, ", ", OpName(op));
  if (HasRoot(c)) absl::StrAppend(&text, ", root ", root);
  return absl::StrCat(text, ", by ", algorithm);
}

bool operator==(const Signature& a, const Signature& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

Signature SignatureOf(uint64_t sequence, const Request& request, absl::string_view algorithm) {
  Signature s;
  s.sequence = sequence;
  s.collective = static_cast<int32_t>(request.collective);
  if (request.collective != Collective::kBarrier) {
    s.count = request.count;
    s.type = static_cast<int32_t>(request.type);
    if (request.blocks != nullptr) {
      const bool known = request.collective == Collective::kAllGatherV ||
                         request.collective == Collective::kReduceScatterV;
      const BlockList& all = Reduces(request.collective) ? request.blocks->in : request.blocks->out;
      s.count = known ? all.Total() : 0;
      s.lengths = known ? HashOf(all.counts) : 0;
    }
    if (Reduces(request.collective)) {
      s.op = request.custom != nullptr ? NumberOf(*request.custom) : static_cast<int32_t>(request.op);
    }
    if (HasRoot(request.collective)) s.root = request.root;
  }
  std::memcpy(s.algorithm, algorithm.data(), std::min(algorithm.size(), sizeof s.algorithm - 1));
  return s;
}

absl::Status Mismatch(int a, const Signature& of_a, int b, const Signature& of_b) {
  return absl::FailedPreconditionError(absl::StrCat(
      "ranks call different operations: rank ", a, " ", of_a.ToString(), "; rank ", b, " ",
      of_b.ToString(), ". All ranks of a communicator make the same calls in the same order"));
}

Ledger::Entry& Ledger::EntryOf(uint64_t sequence) {
  while (begin_ + entries_.size() <= sequence) entries_.emplace_back();
  return entries_[static_cast<size_t>(sequence - begin_)];
}

void Ledger::Trim() {
  while (!entries_.empty() && entries_.front().entered == ranks_) {
    entries_.pop_front();
    ++begin_;
  }
}

absl::Status Ledger::Enter(int rank, const Signature& signature) {
  std::lock_guard<std::mutex> lock(mutex_);
  Entry& entry = EntryOf(signature.sequence);
  if (entry.entered == 0) {
    entry.signature = signature;
    entry.first = rank;
  } else if (!(entry.signature == signature)) {
    return Mismatch(entry.first, entry.signature, rank, signature);
  }
  ++entry.entered;
  Trim();
  return absl::OkStatus();
}

void Ledger::TakeBack(uint64_t sequence) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (sequence < begin_) {  // all had entered: so far nobody else has taken it back
    begin_ = sequence;
    entries_.emplace_front();
    entries_.front().entered = ranks_;
  }
  --EntryOf(sequence).entered;
}

namespace {

class Checked final : public Work {
 public:
  Checked(std::unique_ptr<Work> work, std::shared_ptr<const Program> program, int rank, uint32_t context,
          RankMap map, const Signature& signature, std::shared_ptr<Scope> scope)
      : work_(std::move(work)),
        gathering_(std::make_shared<Gathering>()),
        asks_(GatherBySending(std::move(program), rank, context, std::move(map),
                              std::string(reinterpret_cast<const char*>(&signature), sizeof signature),
                              gathering_)),
        scope_(std::move(scope)) {}

  void Start(Backend& backend) override {
    asks_->Prepare(Token(0) >> kTagBits, workspace());
    asks_->Start(backend);
    if (asks_->done()) Compare(backend);
  }
  void Complete(uint64_t tag, Backend& backend) override {
    if (started_) return work_->Complete(tag, backend);
    asks_->Complete(tag, backend);
    if (asks_->done()) Compare(backend);
  }
  bool done() const override { return started_ && work_->done(); }
  size_t outstanding() const override { return started_ ? work_->outstanding() : asks_->outstanding(); }
  uint64_t memory() const override { return sizeof *this + work_->memory(); }
  std::string Describe() const override {
    return started_ ? work_->Describe()
                    : absl::StrCat(work_->Describe(), ", whose ranks have not all come: ",
                                   asks_->Describe());
  }

 private:
  void Compare(Backend& backend) {
    const std::vector<std::string>& said = *gathering_->said;
    for (size_t i = 1; i < said.size(); ++i) {
      if (said[i] == said[0]) continue;
      Signature first, other;
      std::memcpy(&first, said[0].data(), sizeof first);
      std::memcpy(&other, said[i].data(), sizeof other);
      scope_->error.Set(Mismatch(0, first, static_cast<int>(i), other));
      workspace().failed = true;
      return;
    }
    started_ = true;
    work_->Prepare(Token(0) >> kTagBits, workspace());
    work_->Start(backend);
  }

  const std::unique_ptr<Work> work_;
  const std::shared_ptr<Gathering> gathering_;
  const std::unique_ptr<Work> asks_;
  const std::shared_ptr<Scope> scope_;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<Work> MakeChecked(std::unique_ptr<Work> work, std::shared_ptr<const Program> program,
                                  int rank, uint32_t context, RankMap map, const Signature& signature,
                                  std::shared_ptr<Scope> scope) {
  return std::make_unique<Checked>(std::move(work), std::move(program), rank, context, std::move(map),
                                   signature, std::move(scope));
}

}  // namespace ccl
