#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccl/schedule/dump.h"
#include "ccl/schedule/verify.h"

namespace ccl {
namespace {

bool SameAreas(const ScratchAreas& a, const ScratchAreas& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ScratchArea& x, const ScratchArea& y) {
                      return x.slots == y.slots && x.first_block == y.first_block &&
                             x.blocks == y.blocks;
                    });
}

class SliceCheck {
 public:
  SliceCheck(const Program& one, const Program& sliced)
      : one_(one),
        sliced_(sliced),
        info_(one.info()),
        slices_(sliced.info().space.slices()),
        side_by_side_(slices_ > 1 && sliced.info().lanes == info_.lanes * slices_) {}

  absl::Status Run() {
    if (absl::Status status = CompareInfo(); !status.ok()) return status;
    for (int rank = 0; rank < info_.ranks; ++rank) {
      if (absl::Status status = CompareRank(rank); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Differs(absl::string_view where) const {
    return absl::InvalidArgumentError(absl::StrCat(sliced_.info().name, ": is not ", info_.name,
                                                   " on ", slices_, " slices, it differs ", where));
  }

  absl::Status CompareInfo() const {
    const ProgramInfo& other = sliced_.info();
    if (info_.space.slices() != 1) return Differs("in that the latter is sliced already");
    if (info_.collective != other.collective || info_.ranks != other.ranks ||
        info_.root != other.root) {
      return Differs("in what it does");
    }
    if (info_.space.blocks() != other.space.blocks() ||
        info_.space.kind() != other.space.kind()) {
      return Differs("in the blocks of its chunk space");
    }
    const uint32_t copies = side_by_side_ ? slices_ : 1;
    if (other.lanes != info_.lanes * copies || other.lanes >= 65535) return Differs("in its lanes");
    if (other.channels != info_.channels * copies) return Differs("in its channels");
    if (other.shift != info_.shift && other.shift != info_.ranks) return Differs("in its shift");
    if (other.rank_groups != info_.rank_groups) return Differs("in its rank groups");
    for (uint32_t group = 0; group < info_.rank_groups; ++group) {
      if (one_.RankGroup(group) != sliced_.RankGroup(group)) {
        return Differs(absl::StrCat("in rank group ", group));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CompareRank(int rank) {
    ScratchAreas areas, others;
    one_.Scratch(rank, areas);
    sliced_.Scratch(rank, others);
    if (!SameAreas(areas, others)) return Differs(absl::StrCat("in the scratch of rank ", rank));
    for (uint32_t lane = 0; lane < info_.lanes; ++lane) {
      const uint32_t batches = one_.batches(rank, lane);
      for (uint32_t slice = 0; slice < slices_; ++slice) {
        const uint32_t found = sliced_.batches(rank, LaneOf(lane, slice));
        if (found == (side_by_side_ ? batches : batches * slices_)) continue;
        return Differs(absl::StrCat("in the batches of rank ", rank, " lane ", LaneOf(lane, slice)));
      }
      for (uint32_t batch = 0; batch < batches; ++batch) {
        a_.Clear();
        one_.Fetch(rank, lane, batch, a_);
        a_.Flatten();
        for (uint32_t slice = 0; slice < slices_; ++slice) {
          const uint32_t there = side_by_side_ ? batch : slice * batches + batch;
          b_.Clear();
          sliced_.Fetch(rank, LaneOf(lane, slice), there, b_);
          b_.Flatten();
          const absl::Status same = CompareBatch(rank, slice);
          if (same.ok()) continue;
          return Differs(absl::StrCat("at rank ", rank, " lane ", LaneOf(lane, slice), " batch ",
                                      there, ": ", same.message()));
        }
      }
    }
    return absl::OkStatus();
  }

  uint32_t LaneOf(uint32_t lane, uint32_t slice) const {
    return side_by_side_ ? slice * info_.lanes + lane : lane;
  }

  absl::Status CompareBatch(int rank, uint32_t slice) const {
    if (a_.deps.size() != b_.deps.size()) return absl::InvalidArgumentError("dependencies");
    for (size_t i = 0; i < a_.deps.size(); ++i) {
      const Dep& dep = a_.deps[i];
      const uint32_t before = side_by_side_ ? 0 : slice * one_.batches(rank, dep.lane);
      if (b_.deps[i].lane == LaneOf(dep.lane, slice) &&
          b_.deps[i].batches == before + dep.batches) {
        continue;
      }
      return absl::InvalidArgumentError("dependencies");
    }
    if (a_.steps.size() != b_.steps.size()) return absl::InvalidArgumentError("number of steps");
    for (size_t i = 0; i < a_.steps.size(); ++i) {
      if (SameStep(a_.steps[i], b_.steps[i], slice)) continue;
      return absl::InvalidArgumentError(absl::StrCat(ToString(a_, a_.steps[i]), " became ",
                                                     ToString(b_, b_.steps[i])));
    }
    return absl::OkStatus();
  }

  bool SameStep(const Step& a, const Step& b, uint32_t slice) const {
    const uint32_t channel = a.channel + (side_by_side_ ? slice * info_.channels : 0);
    return a.kind == b.kind && a.incoming_first == b.incoming_first && b.channel == channel &&
           a.peer == b.peer && a.group == b.group && SameRefs(a_.src(a), b_.src(b), slice) &&
           SameRefs(a_.dst(a), b_.dst(b), slice);
  }

  bool SameRefs(absl::Span<const Ref> a, absl::Span<const Ref> b, uint32_t slice) const {
    if (a.size() != b.size()) return false;
    const uint32_t moved = slice * info_.space.blocks();
    for (size_t i = 0; i < a.size(); ++i) {
      if (a[i].buffer != b[i].buffer || a[i].slot != b[i].slot || a[i].count != b[i].count ||
          a[i].first + moved != b[i].first) {
        return false;
      }
    }
    return true;
  }

  const Program& one_;
  const Program& sliced_;
  const ProgramInfo& info_;
  const uint32_t slices_;
  const bool side_by_side_;
  StepList a_, b_;
};

}  // namespace

absl::Status VerifySlices(const Program& one, const Program& sliced) {
  return SliceCheck(one, sliced).Run();
}

}  // namespace ccl
