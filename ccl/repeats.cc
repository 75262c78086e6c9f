#include "ccl/repeats.h"

#include <utility>

namespace ccl {

BufferRules BufferRules::Of(const Request& request, int rank, int ranks) {
  BufferRules rules;
  const Collective c = request.collective;
  if (c == Collective::kBarrier) return rules;
  ProgramInfo info;
  info.collective = c;
  info.ranks = ranks;
  info.root = request.root;
  info.space = ChunkSpace::Split(static_cast<uint32_t>(ranks));
  const uint64_t bytes = request.count * SizeOf(request.type);
  const BlockWindow in = InputWindow(info, rank), out = OutputWindow(info, rank);
  if (in.blocks > 0) rules.in = CountIsPerRank(c) ? bytes * in.blocks : bytes;
  if (out.blocks > 0) rules.out = CountIsPerRank(c) ? bytes * out.blocks : bytes;
  rules.in_place = c != Collective::kAllToAll;
  const auto own = static_cast<int64_t>(static_cast<uint64_t>(rank) * bytes);
  if (c == Collective::kReduceScatter || c == Collective::kScatter) rules.behind = -own;
  if (c == Collective::kAllGather || c == Collective::kGather) rules.behind = own;
  return rules;
}

Repeats::Call& Repeats::Add(const Request& request, const Choice& choice, BufferRules rules,
                            std::shared_ptr<const Plan> plan) {
  Call call{request, choice, rules, std::move(plan), std::make_shared<Shelf>()};
  if (calls_.size() < kMost) {
    calls_.push_back(std::move(call));
    return calls_.back();
  }
  Call& old = calls_[next_];
  next_ = (next_ + 1) % kMost;
  old.shelf->Close();
  old = std::move(call);
  return old;
}

void Repeats::Close() {
  for (Call& call : calls_) call.shelf->Close();
}

uint64_t Repeats::memory() const {
  uint64_t bytes = calls_.capacity() * sizeof(Call);
  for (const Call& call : calls_) bytes += call.shelf->memory();
  return bytes;
}

}  // namespace ccl
