// Collectives over the fabric's group operations: in-switch reduction and multicast, or lent views
// in shared memory. Group 0 is everybody.
#include <numeric>

#include "ccl/algorithms/recipe.h"

namespace ccl {
namespace {

class GroupProgram : public Program {
 public:
  absl::Span<const int> RankGroup(uint32_t) const override { return everybody_; }

 protected:
  GroupProgram(absl::string_view name, const Shape& shape, ChunkSpace space)
      : Program(MakeInfo(name, shape, std::move(space), 1, 1)), everybody_(shape.ranks) {
    info_.rank_groups = 1;
    std::iota(everybody_.begin(), everybody_.end(), 0);
  }

  // One operation per root, in order of root.
  void ReduceEach(int rank, StepList& out) const {
    for (int root = 0; root < info_.ranks; ++root) {
      if (root == rank) {
        out.GroupReduce(0, root, 0, {{In(root)}}, {{Out(root)}});
      } else {
        out.GroupReduce(0, root, 0, {{In(root)}}, {});
      }
    }
  }
  void CopyEach(int rank, Buffer from, uint32_t channel, StepList& out) const {
    for (int root = 0; root < info_.ranks; ++root) {
      if (root == rank) {
        out.GroupCopy(0, root, channel, {{Ref{from, 0, static_cast<uint32_t>(root), 1}}}, {{Out(root)}});
      } else {
        out.GroupCopy(0, root, channel, {}, {{Out(root)}});
      }
    }
  }

 private:
  std::vector<int> everybody_;
};

// Allreduce: one reduction whose result goes to everybody. Broadcast: one copy. Reduce: one
// reduction to the root.
class GroupOneShot : public GroupProgram {
 public:
  explicit GroupOneShot(const Shape& shape)
      : GroupProgram("group_one_shot", shape, ChunkSpace::Split(1)) {
    info_.group_to_all = shape.collective == Collective::kAllReduce;
  }
  uint32_t batches(int, uint32_t) const override { return 1; }
  void Fetch(int rank, uint32_t, uint32_t, StepList& out) const override {
    const bool root = rank == info_.root;
    switch (info_.collective) {
      case Collective::kAllReduce:
        return out.GroupReduce(0, kEveryMember, 0, {{In(0)}}, {{Out(0)}});
      case Collective::kReduce:
        if (root) return out.GroupReduce(0, rank, 0, {{In(0)}}, {{Out(0)}});
        return out.GroupReduce(0, info_.root, 0, {{In(0)}}, {});
      default:
        if (root) return out.GroupCopy(0, rank, 0, {{In(0)}}, {{Out(0)}});
        return out.GroupCopy(0, info_.root, 0, {}, {{Out(0)}});
    }
  }
};

// Allreduce: every rank has its block reduced to it and multicasts the result; reductions and
// multicasts have a lane each, so that those of different slices overlap. Reduce-scatter is the first
// half, allgather the second.
class GroupTwoShot : public GroupProgram {
 public:
  explicit GroupTwoShot(const Shape& shape)
      : GroupProgram(shape.collective == Collective::kAllReduce ? "group_two_shot" : "group_direct",
                     shape,
                     shape.collective == Collective::kAllReduce
                         ? ChunkSpace::Split(shape.ranks)
                         : ChunkSpace::PerBlock(shape.ranks)) {
    info_.lanes = info_.channels = shape.collective == Collective::kAllReduce ? 2 : 1;
  }
  uint32_t batches(int, uint32_t) const override { return 1; }
  void Fetch(int rank, uint32_t lane, uint32_t, StepList& out) const override {
    if (info_.collective == Collective::kAllGather) return CopyEach(rank, Buffer::kIn, 0, out);
    if (lane == 0) return ReduceEach(rank, out);
    out.After(0, 1);
    CopyEach(rank, Buffer::kOut, 1, out);
  }
};

}  // namespace

std::unique_ptr<Program> MakeGroupOneShot(const Shape& s) {
  return std::make_unique<GroupOneShot>(s);
}
std::unique_ptr<Program> MakeGroupTwoShot(const Shape& s) {
  return std::make_unique<GroupTwoShot>(s);
}
std::unique_ptr<Program> MakeGroupDirect(const Shape& s) {
  return std::make_unique<GroupTwoShot>(s);
}

}  // namespace ccl
