#include "ccl/schedule/verify_shift.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccl/schedule/dump.h"

namespace ccl {
namespace {

class ShiftCheck {
 public:
  explicit ShiftCheck(const Program& program)
      : program_(program), info_(program.info()), more_(info_.space.slices(), 0) {}

  absl::Status Compare(int rank) {
    const int other = Moved(rank);
    for (uint32_t lane = 0; lane < info_.lanes; ++lane) {
      const uint32_t batches = program_.batches(rank, lane);
      if (program_.batches(other, lane) != batches) {
        return Differs(rank, absl::StrCat("in the batches of lane ", lane));
      }
      for (uint32_t batch = 0; batch < batches; ++batch) {
        a_.Clear();
        b_.Clear();
        program_.Fetch(rank, lane, batch, a_);
        program_.Fetch(other, lane, batch, b_);
        a_.Flatten();
        b_.Flatten();
        const absl::Status same = CompareBatch();
        if (same.ok()) continue;
        return Differs(rank,
                       absl::StrCat("in lane ", lane, " batch ", batch, ": ", same.message()));
      }
    }
    return absl::OkStatus();
  }

 private:
  int Moved(int rank) const { return (rank + info_.shift) % info_.ranks; }

  absl::Status Differs(int rank, absl::string_view where) const {
    return absl::InvalidArgumentError(absl::StrCat(info_.name, ": rank ", Moved(rank),
                                                   " is not rank ", rank, " shifted by ",
                                                   info_.shift, ", it differs ", where));
  }

  absl::Status CompareBatch() {
    const auto same_dep = [](const Dep& a, const Dep& b) {
      return a.lane == b.lane && a.batches == b.batches;
    };
    if (!std::equal(a_.deps.begin(), a_.deps.end(), b_.deps.begin(), b_.deps.end(), same_dep)) {
      return absl::InvalidArgumentError("dependencies");
    }
    if (a_.steps.size() != b_.steps.size()) return absl::InvalidArgumentError("number of steps");
    for (size_t i = 0; i < a_.steps.size(); ++i) {
      const Step& a = a_.steps[i];
      const Step& b = b_.steps[i];
      if (SameStep(a, b) && AsMany(a_.src(a), b_.src(b)) && AsMany(a_.dst(a), b_.dst(b))) continue;
      return absl::InvalidArgumentError(absl::StrCat(ToString(a_, a), " became ", ToString(b_, b)));
    }
    return absl::OkStatus();
  }

  bool SameStep(const Step& a, const Step& b) const {
    if (a.kind != b.kind || a.channel != b.channel || a.incoming_first != b.incoming_first) {
      return false;
    }
    switch (a.kind) {
      case StepKind::kSend:
      case StepKind::kRecv:
      case StepKind::kRecvReduce:
        return b.peer == Moved(a.peer);
      case StepKind::kCopy:
        return true;
      case StepKind::kReduce:
        return a.src_count == b.src_count;
      case StepKind::kGroupReduce:
      case StepKind::kGroupCopy:
        return b.peer == (a.peer == kEveryMember ? a.peer : Moved(a.peer)) && SameGroups(a, b);
      case StepKind::kReconfigure:
        return SameGroups(a, b);
    }
    return false;
  }

  bool SameGroups(const Step& a, const Step& b) const {
    const absl::Span<const int> group = program_.RankGroup(a.group);
    std::vector<int> moved;
    for (const int rank : group) moved.push_back(Moved(rank));
    std::sort(moved.begin(), moved.end());
    const absl::Span<const int> other = program_.RankGroup(b.group);
    return std::equal(moved.begin(), moved.end(), other.begin(), other.end());
  }

  // Whether both lists have as many chunks of every slice.
  bool AsMany(absl::Span<const Ref> a, absl::Span<const Ref> b) {
    const auto slice_of = [&](const Ref& ref) { return ref.first / info_.space.blocks(); };
    for (const Ref& ref : a) more_[slice_of(ref)] += ref.count;
    for (const Ref& ref : b) more_[slice_of(ref)] -= ref.count;
    bool same = true;
    for (const absl::Span<const Ref> refs : {a, b}) {
      for (const Ref& ref : refs) same = std::exchange(more_[slice_of(ref)], 0) == 0 && same;
    }
    return same;
  }

  const Program& program_;
  const ProgramInfo& info_;
  StepList a_, b_;
  std::vector<int64_t> more_;  // by slice; all 0 between lists
};

}  // namespace

absl::Status VerifyShift(const Program& program) {
  const ProgramInfo& info = program.info();
  if (info.shift == info.ranks) return absl::OkStatus();
  if (info.shift < 1 || info.ranks % info.shift != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(info.name, ": a shift by ", info.shift, " does not divide ", info.ranks, " ranks"));
  }
  ShiftCheck check(program);
  // Odd steps meet ranks of every place in groups of even sizes.
  const int step = info.ranks <= 64 ? 1 : info.ranks / 4 | 1;
  for (int rank = (info.ranks - 1) % step; rank < info.ranks; rank += step) {
    absl::Status same = check.Compare(rank);
    if (!same.ok()) return same;
  }
  return absl::OkStatus();
}

}  // namespace ccl
