#include "ccl/algorithms/combinators.h"

namespace ccl {
namespace {

class Sliced : public Program {
 public:
  Sliced(std::shared_ptr<const Program> inner, uint32_t slices, Slicing slicing)
      : Program(inner->info()),
        inner_(std::move(inner)),
        slices_(slices),
        side_by_side_(slicing == Slicing::kSideBySide) {
    info_.space = info_.space.WithSlices(slices);
    if (side_by_side_) {
      info_.lanes *= slices;
      info_.channels *= slices;
    }
  }

  uint32_t batches(int rank, uint32_t lane) const override {
    const uint32_t lanes = inner_->info().lanes;
    if (side_by_side_) return inner_->batches(rank, lane % lanes);
    return inner_->batches(rank, lane) * slices_;
  }

  void Fetch(int rank, uint32_t lane, uint32_t batch, StepList& out) const override {
    const ProgramInfo& inner = inner_->info();
    uint32_t slice, channel_offset = 0;
    if (side_by_side_) {
      slice = lane / inner.lanes;
      channel_offset = slice * inner.channels;
      inner_->Fetch(rank, lane % inner.lanes, batch, out);
      for (Dep& dep : out.deps) dep.lane += slice * inner.lanes;
    } else {
      const uint32_t length = inner_->batches(rank, lane);
      slice = batch / length;
      inner_->Fetch(rank, lane, batch % length, out);
      for (Dep& dep : out.deps) dep.batches += slice * inner_->batches(rank, dep.lane);
    }
    const uint32_t first = slice * inner.space.blocks();
    for (Ref& ref : out.refs) ref.first += first;
    for (Step& step : out.steps) {
      step.channel = static_cast<uint16_t>(step.channel + channel_offset);
    }
  }

  void Scratch(int rank, ScratchAreas& out) const override {
    inner_->Scratch(rank, out);
  }
  absl::Span<const int> RankGroup(uint32_t group) const override {
    return inner_->RankGroup(group);
  }

 private:
  const std::shared_ptr<const Program> inner_;
  const uint32_t slices_;
  const bool side_by_side_;
};

}  // namespace

std::unique_ptr<Program> Slice(std::shared_ptr<const Program> inner, uint32_t slices,
                               Slicing slicing) {
  return std::make_unique<Sliced>(std::move(inner), slices, slicing);
}

}  // namespace ccl
