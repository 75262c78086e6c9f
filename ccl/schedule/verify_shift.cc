#include "ccl/schedule/verify_shift.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccl/schedule/dump.h"

namespace ccl {
namespace {

class ShiftCheck {
 public:
  explicit ShiftCheck(const Program& program) : program_(program), info_(program.info()) {}

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
      if (SameStep(a, b) && SameRefs(a_.src(a), b_.src(b)) && SameRefs(a_.dst(a), b_.dst(b))) {
        continue;
      }
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
      case StepKind::kReduce:
        return true;
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

  // Chunk by chunk: a run may wrap around when it is shifted.
  bool SameRefs(absl::Span<const Ref> a, absl::Span<const Ref> b) const {
    size_t j = 0;
    uint32_t used = 0;
    for (const Ref& ref : a) {
      for (uint32_t i = 0; i < ref.count; ++i) {
        if (j == b.size()) return false;
        const Ref& other = b[j];
        if (ref.buffer != other.buffer || ref.slot != other.slot) return false;
        const uint32_t chunk = ref.first + i, found = other.first + used;
        const bool stays = ref.buffer == Buffer::kScratch && chunk == found;
        if (!stays && MovedChunk(chunk) != found) return false;
        if (++used < other.count) continue;
        ++j;
        used = 0;
      }
    }
    return j == b.size();
  }

  uint32_t MovedChunk(uint32_t chunk) const {
    const uint32_t blocks = info_.space.blocks();
    const uint32_t shift = blocks == 1 ? 0 : static_cast<uint32_t>(info_.shift);
    return chunk / blocks * blocks + (chunk % blocks + shift) % blocks;
  }

  const Program& program_;
  const ProgramInfo& info_;
  StepList a_, b_;
};

}  // namespace

absl::Status VerifyShift(const Program& program) {
  const ProgramInfo& info = program.info();
  if (info.shift == info.ranks) return absl::OkStatus();
  const uint32_t blocks = info.space.blocks();
  if (info.shift < 1 || info.shift > info.ranks ||
      (blocks != 1 && blocks != static_cast<uint32_t>(info.ranks))) {
    return absl::InvalidArgumentError(absl::StrCat(info.name, ": no shift by ", info.shift, " of ",
                                                   blocks, " blocks and ", info.ranks, " ranks"));
  }
  ShiftCheck check(program);
  const int step = info.ranks <= 64 ? 1 : info.ranks / 3;
  for (int rank = 0; rank < info.ranks; rank += step) {
    absl::Status same = check.Compare(rank);
    if (!same.ok()) return same;
  }
  return absl::OkStatus();
}

}  // namespace ccl
