#include <algorithm>
#include <utility>

#include "ccl/algorithms/combinators.h"

namespace ccl {
namespace {

// Batch 2 i carries the messages of the inner batch i, batch 2 i + 1 its folds.
class Lowered : public Program {
 public:
  explicit Lowered(std::shared_ptr<const Program> inner)
      : Program(inner->info()), inner_(std::move(inner)) {
    info_.rank_groups = 0;
  }

  uint32_t batches(int rank, uint32_t lane) const override {
    return 2 * inner_->batches(rank, lane);
  }

  void Fetch(int rank, uint32_t lane, uint32_t batch, StepList& out) const override {
    StepList& list = out.Inner();
    inner_->Fetch(rank, lane, batch / 2, list);
    list.Flatten();
    const bool folds = batch % 2 == 1;
    if (!folds) {
      for (const Dep& dep : list.deps) out.After(dep.lane, 2 * dep.batches);
    }
    const int first_slot = FirstSlot(rank);
    for (const Step& step : list.steps) {
      const absl::Span<const Ref> src = list.src(step), dst = list.dst(step);
      if (step.kind == StepKind::kGroupCopy) {
        if (!folds) Copy(rank, step, src, dst, out);
      } else if (step.kind == StepKind::kGroupReduce) {
        Reduce(rank, first_slot, step, src, dst, folds, out);
      } else if (!folds) {
        Keep(step, src, dst, out);
      }
    }
    if (!folds) Stagger(rank, out);
  }

  void Scratch(int rank, ScratchAreas& out) const override {
    inner_->Scratch(rank, out);
    const ScratchArea area = OperandArea(rank);
    if (area.slots > 0) out.push_back(area);
  }

 private:
  int FirstSlot(int rank) const {
    ScratchAreas areas;
    inner_->Scratch(rank, areas);
    uint32_t slots = 0;
    for (const ScratchArea& area : areas) slots += area.slots;
    return static_cast<int>(slots);
  }

  // One slot a member over the blocks that the rank has reduced to it.
  ScratchArea OperandArea(int rank) const {
    uint32_t low = ~0u, high = 0;
    size_t slots = 0;
    StepList list;
    for (uint32_t lane = 0; lane < info_.lanes; ++lane) {
      for (uint32_t batch = 0; batch < inner_->batches(rank, lane); ++batch) {
        list.Clear();
        inner_->Fetch(rank, lane, batch, list);
        list.Flatten();
        for (const Step& step : list.steps) {
          if (step.kind != StepKind::kGroupReduce) continue;
          for (const Ref& ref : list.dst(step)) {
            low = std::min(low, ref.first);
            high = std::max(high, ref.first + ref.count);
            slots = std::max(slots, inner_->RankGroup(step.group).size());
          }
        }
      }
    }
    if (slots == 0) return {};
    return {static_cast<uint32_t>(slots), low, high - low};
  }

  // Messages of a batch go out together: to rank + 1 first, so that no receiver is everybody's first.
  void Stagger(int rank, StepList& out) const {
    const auto distance = [&](const Step& step) {
      if (step.kind > StepKind::kRecvReduce) return -1;
      const int peer = step.kind == StepKind::kSend ? step.peer - rank : rank - step.peer;
      return peer < 0 ? peer + info_.ranks : peer;
    };
    // Of equals the first stays first: references lie in the order of steps.
    std::sort(out.steps.begin(), out.steps.end(), [&](const Step& a, const Step& b) {
      return std::pair(distance(a), a.src_begin) < std::pair(distance(b), b.src_begin);
    });
  }

  void Keep(const Step& step, absl::Span<const Ref> src, absl::Span<const Ref> dst,
            StepList& out) const {
    Step kept = step;
    kept.src_begin = static_cast<uint32_t>(out.refs.size());
    out.refs.insert(out.refs.end(), src.begin(), src.end());
    kept.dst_begin = static_cast<uint32_t>(out.refs.size());
    out.refs.insert(out.refs.end(), dst.begin(), dst.end());
    out.steps.push_back(kept);
  }

  void Copy(int rank, const Step& step, absl::Span<const Ref> src, absl::Span<const Ref> dst,
            StepList& out) const {
    if (rank != step.peer) return out.Recv(step.peer, step.channel, dst);
    out.Copy(src, dst);
    for (int member : inner_->RankGroup(step.group)) {
      if (member != rank) out.Send(member, step.channel, src);
    }
  }

  void Reduce(int rank, int first_slot, const Step& step, absl::Span<const Ref> src,
              absl::Span<const Ref> dst, bool folds, StepList& out) const {
    const absl::Span<const int> members = inner_->RankGroup(step.group);
    const bool wanted = step.peer == kEveryMember || step.peer == rank;
    if (folds && !wanted) return;
    // A fold takes one run; the pieces of a reduction are folded one by one.
    if (folds) {
      for (size_t piece = 0; piece < dst.size(); ++piece) {
        std::vector<Ref>& operands = out.Spare().src;
        for (size_t i = 0; i < members.size(); ++i) {
          Ref slot = dst[piece];
          slot.buffer = Buffer::kScratch;
          slot.slot = static_cast<uint16_t>(first_slot + static_cast<int>(i));
          operands.push_back(members[i] == rank ? src[piece] : slot);
        }
        out.Reduce(operands, dst[piece]);
      }
      return;
    }
    for (size_t i = 0; i < members.size(); ++i) {
      const int member = members[i];
      if (member == rank) continue;
      if (step.peer == kEveryMember || step.peer == member) out.Send(member, step.channel, src);
      if (!wanted) continue;
      std::vector<Ref>& slots = out.Spare().src;
      slots.assign(dst.begin(), dst.end());
      for (Ref& ref : slots) {
        ref.buffer = Buffer::kScratch;
        ref.slot = static_cast<uint16_t>(first_slot + static_cast<int>(i));
      }
      out.Recv(member, step.channel, slots);
    }
  }

  const std::shared_ptr<const Program> inner_;
};

}  // namespace

std::unique_ptr<Program> LowerGroupOperations(std::shared_ptr<const Program> inner) {
  return std::make_unique<Lowered>(std::move(inner));
}

}  // namespace ccl
