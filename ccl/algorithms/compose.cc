// Hierarchical collectives as stages of flat ones, on teams of ranks.
//
// Rails: with G the size of the smallest group, local ranks l < G are the rails; rail l connects
// the l-th members of all groups. Members beyond the rails take no part between the groups.
//   allreduce       reduce-scatter in the group, allreduce on each rail, allgather in the group
//   reduce-scatter  in the group, then on each rail, then from the rail to members beyond it
//   allgather       the same backwards
//   all-to-all      in the group to the rail of the destination, then on each rail (even groups)
// Leaders, where the inner algorithm cannot scatter, and for broadcast and reduce:
//   allreduce       reduce to the group's leader, allreduce among the leaders, broadcast
#include <map>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"
#include "ccl/algorithms/combinators.h"
#include "ccl/algorithms/composed.h"
#include "ccl/algorithms/recipe.h"

namespace ccl {
namespace {

using C = Collective;

// Moves the blocks of members beyond the rails to their rail (allgather) or back (reduce-scatter).
class Handover : public Program {
 public:
  Handover(C collective, int size, int rails)
      : Program(MakeInfo("handover", Shape{collective, size}, ChunkSpace::PerBlock(size), 1, 1)),
        rails_(rails) {}
  uint32_t batches(int rank, uint32_t) const override {
    return rank >= rails_ || rank + rails_ < info_.ranks ? 1 : 0;
  }
  void Fetch(int rank, uint32_t, uint32_t, StepList& out) const override {
    const bool collect = info_.collective == C::kAllGather;
    if (rank >= rails_) {
      if (collect) return out.Send(rank % rails_, 0, {{In(rank)}});
      return out.Recv(rank % rails_, 0, {{Out(rank)}});
    }
    for (int other = rank + rails_; other < info_.ranks; other += rails_) {
      if (collect) {
        out.Recv(other, 0, {{Out(other)}});
      } else {
        out.Send(other, 0, {{In(other)}});
      }
    }
  }

 private:
  const int rails_;
};

// Builds the stages of one composition.
class Composer {
 public:
  Composer(const std::vector<AlgorithmSpec>& parts, const Shape& shape, bool equal_blocks)
      : parts_(parts), shape_(shape), equal_blocks_(equal_blocks) {}

  absl::StatusOr<std::unique_ptr<Program>> Build() {
    if (parts_.size() < 2) return Error("needs two parts or more, e.g. hier(two_shot+nhr)");
    if (shape_.groupings.size() + 1 < parts_.size()) {
      return Error(absl::StrCat("has ", parts_.size(), " levels, but the topology has ",
                                shape_.groupings.size() + 1));
    }
    for (const AlgorithmSpec& part : parts_) {
      if (part.slices != 1) return Error("slices are given for the whole: hier(..+..)*S");
    }
    grouping_ = shape_.groupings[0];
    rails_ = grouping_.SmallestSize();
    inner_ = parts_[0];
    outer_ = parts_[1];
    if (parts_.size() > 2) {
      outer_ = AlgorithmSpec{"hier", 0, 1, {parts_.begin() + 1, parts_.end()}};
    }
    if (absl::Status status = MapOuterGroupings(); !status.ok()) return status;
    absl::Status status;
    switch (shape_.collective) {
      case C::kAllReduce:
        status = Scatters() ? AllReduceOnRails() : AllReduceByLeaders();
        break;
      case C::kReduceScatter:
        status = ReduceScatter();
        break;
      case C::kAllGather:
        status = AllGather();
        break;
      case C::kBroadcast:
      case C::kReduce:
        status = Rooted();
        break;
      case C::kAllToAll:
        status = AllToAll();
        break;
      default:
        return Error(absl::StrCat("does not do ", Name(shape_.collective)));
    }
    if (!status.ok()) return status;
    ProgramInfo info = MakeInfo("hier", shape_, space_, 1, 1);
    return MakeComposed(std::move(info), grouping_, rails_, std::move(stages_), work_slot_);
  }

 private:
  static absl::Status Error(absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("hier ", what));
  }

  absl::Status MapOuterGroupings() {
    for (size_t i = 1; i < shape_.groupings.size(); ++i) {
      Grouping mapped;
      for (int start : shape_.groupings[i].starts) {
        const int group = start == shape_.ranks ? grouping_.groups() : grouping_.GroupOf(start);
        if (start != shape_.ranks && grouping_.begin(group) != start) {
          return Error("needs groupings that nest");
        }
        mapped.starts.push_back(group);
      }
      outer_groupings_.push_back(std::move(mapped));
    }
    return absl::OkStatus();
  }

  // The name under which an inner allreduce algorithm does its two halves.
  AlgorithmSpec Half(const AlgorithmSpec& spec) const {
    AlgorithmSpec half = spec;
    if (spec.name == "two_shot") half.name = "direct";
    if (spec.name == "group_two_shot") half.name = "group_direct";
    return half;
  }
  bool Scatters() const {
    Shape shape{C::kReduceScatter, 2};
    Shape gather{C::kAllGather, 2};
    return BuildProgram(Half(inner_), shape, false).ok() &&
           BuildProgram(Half(inner_), gather, false).ok();
  }

  // A composition inside this one has to know whether its blocks are of one length.
  absl::StatusOr<std::shared_ptr<const Program>> BuildStage(const AlgorithmSpec& spec,
                                                            const Shape& shape) const {
    if (spec.name != "hier" || spec.radix != 0) return BuildProgram(spec, shape, false);
    return Compose(spec.parts, shape, equal_blocks_ && even());
  }

  absl::StatusOr<std::shared_ptr<const Program>> Sub(const AlgorithmSpec& spec, C collective,
                                                     int ranks, int root,
                                                     const std::vector<Grouping>& groupings) {
    const auto key = std::make_pair(std::make_pair(Format(spec), static_cast<int>(collective)),
                                    std::make_pair(ranks, root));
    auto found = built_.find(key);
    if (found != built_.end()) return found->second;
    Shape shape;
    shape.collective = collective;
    shape.ranks = ranks;
    shape.root = root;
    shape.groupings = groupings;
    auto program = BuildStage(spec, shape);
    if (!program.ok()) {
      return Error(absl::StrCat("cannot use '", Format(spec), "' for ", Name(collective), " on ",
                                ranks, " ranks: ", program.status().message()));
    }
    return built_[key] = *std::move(program);
  }

  // One team a group. `root` tells the local root of a group.
  template <typename Root>
  absl::Status Within(const AlgorithmSpec& spec, C collective, Root root, Stage& stage) {
    for (int g = 0; g < grouping_.groups(); ++g) {
      Team team;
      CCL_ASSIGN_OR_RETURN(team.program, Sub(spec, collective, grouping_.size(g), root(g), {}));
      for (int l = 0; l < grouping_.size(g); ++l) team.members.push_back(grouping_.begin(g) + l);
      stage.teams.push_back(std::move(team));
    }
    return absl::OkStatus();
  }
  // One team a rail, of the rail's members in every group.
  absl::Status Between(C collective, Stage& stage) {
    for (int l = 0; l < rails_; ++l) {
      Team team;
      team.rail = l;
      CCL_ASSIGN_OR_RETURN(team.program,
                           Sub(outer_, collective, grouping_.groups(), 0, outer_groupings_));
      for (int g = 0; g < grouping_.groups(); ++g) team.members.push_back(grouping_.begin(g) + l);
      stage.teams.push_back(std::move(team));
    }
    return absl::OkStatus();
  }
  // One team: the leaders.
  absl::Status Leaders(C collective, int root_group, Stage& stage) {
    Team team;
    CCL_ASSIGN_OR_RETURN(
        team.program, Sub(outer_, collective, grouping_.groups(), root_group, outer_groupings_));
    for (int g = 0; g < grouping_.groups(); ++g) team.members.push_back(Leader(g));
    stage.teams.push_back(std::move(team));
    return absl::OkStatus();
  }
  int Leader(int group) const {
    const bool rooted = HasRoot(shape_.collective) && grouping_.GroupOf(shape_.root) == group;
    return rooted ? shape_.root : grouping_.begin(group);
  }
  static void Everywhere(const BlockMap& map, Stage& stage) {
    stage.in_map = stage.out_map = stage.scratch_map = map;
  }
  static Place At(Buffer buffer) { return {buffer, buffer}; }

  absl::Status AllReduceOnRails() {
    Stage scatter, between, gather;
    CCL_RETURN_IF_ERROR(Between(C::kAllReduce, between));
    const int blocks = static_cast<int>(between.teams[0].program->info().space.blocks());
    const auto no_root = [](int) { return 0; };
    CCL_RETURN_IF_ERROR(Within(Half(inner_), C::kReduceScatter, no_root, scatter));
    CCL_RETURN_IF_ERROR(Within(Half(inner_), C::kAllGather, no_root, gather));
    space_ = ChunkSpace::Split(static_cast<uint32_t>(rails_ * blocks));
    const BlockMap within{BlockMap::kAffine, blocks, rails_};
    Everywhere(within, scatter);
    Everywhere(within, gather);
    for (Team& team : between.teams) team.offset = team.rail * blocks;
    scatter.in = At(Buffer::kIn);
    scatter.out = between.in = between.out = gather.in = gather.out = At(Buffer::kOut);
    stages_ = {std::move(scatter), std::move(between), std::move(gather)};
    return absl::OkStatus();
  }

  static int BlocksOf(const Stage& stage) {
    return static_cast<int>(stage.teams[0].program->info().space.blocks());
  }
  static int MostBlocks(const Stage& stage) {
    uint32_t most = 1;
    for (const Team& team : stage.teams) {
      most = std::max(most, team.program->info().space.blocks());
    }
    return static_cast<int>(most);
  }

  absl::Status AllReduceByLeaders() {
    Stage collect, between, spread;
    const auto no_root = [](int) { return 0; };
    CCL_RETURN_IF_ERROR(Within(inner_, C::kReduce, no_root, collect));
    CCL_RETURN_IF_ERROR(Within(inner_, C::kBroadcast, no_root, spread));
    CCL_RETURN_IF_ERROR(Leaders(C::kAllReduce, 0, between));
    CCL_RETURN_IF_ERROR(Product(collect, between));
    CCL_RETURN_IF_ERROR(Product(spread, between));
    collect.in = At(Buffer::kIn);
    collect.out = between.in = between.out = spread.in = spread.out = At(Buffer::kOut);
    stages_ = {std::move(collect), std::move(between), std::move(spread)};
    return absl::OkStatus();
  }

  // The space of a stage within groups and one among leaders: the product of their blocks.
  absl::Status Product(Stage& within, Stage& between) {
    const int inner = MostBlocks(within);
    const int outer = BlocksOf(between);
    for (Team& team : within.teams) {
      const int blocks = static_cast<int>(team.program->info().space.blocks());
      if (blocks != inner && team.members.size() > 1) {
        return Error(absl::StrCat("cannot use '", Format(inner_), "' on groups of unequal size"));
      }
      if (blocks != inner) team.program = Whole(inner);
    }
    space_ = ChunkSpace::Split(static_cast<uint32_t>(inner * outer));
    Everywhere({BlockMap::kAffine, outer, inner}, within);
    Everywhere({BlockMap::kAffine, inner, outer}, between);
    return absl::OkStatus();
  }
  // A group of one, over `blocks` blocks.
  static std::shared_ptr<const Program> Whole(int blocks) {
    class CopyAll : public Program {
     public:
      explicit CopyAll(int blocks)
          : Program(MakeInfo("local", Shape{}, ChunkSpace::Split(blocks), 1, 1)) {}
      uint32_t batches(int, uint32_t) const override { return 1; }
      void Fetch(int, uint32_t, uint32_t, StepList& out) const override {
        const int blocks = static_cast<int>(info_.space.blocks());
        out.Copy({{In(0, blocks)}}, {{Out(0, blocks)}});
      }
    };
    return std::make_shared<CopyAll>(blocks);
  }

  absl::Status Rooted() {
    Stage within, between;
    const int root_group = grouping_.GroupOf(shape_.root);
    const auto local_root = [&](int g) { return Leader(g) - grouping_.begin(g); };
    CCL_RETURN_IF_ERROR(Within(inner_, shape_.collective, local_root, within));
    CCL_RETURN_IF_ERROR(Leaders(shape_.collective, root_group, between));
    CCL_RETURN_IF_ERROR(Product(within, between));
    if (shape_.collective == C::kBroadcast) {
      between.in = At(Buffer::kIn);
      between.out = within.in = within.out = At(Buffer::kOut);
      stages_ = {std::move(between), std::move(within)};
    } else {
      // Leaders without an output keep their group's sum, and what they add to it, in scratch.
      work_slot_ = true;
      within.in = At(Buffer::kIn);
      within.out = between.in = At(Buffer::kScratch);
      between.out = At(Buffer::kOut);
      stages_ = {std::move(within), std::move(between)};
    }
    return absl::OkStatus();
  }

  bool even() const { return grouping_.uniform(); }

  // Maps of the two stages of a collective whose blocks belong to ranks. In even groups scratch is
  // compact when all blocks have one length: those of a stage may then lie under other numbers.
  void RankBlocks(Stage& within, Stage& between) {
    Everywhere({BlockMap::kLocal}, within);
    Everywhere({BlockMap::kRail}, between);
    within.singles = between.singles = true;
    if (even() && equal_blocks_) {
      within.scratch_map = {BlockMap::kAffine, grouping_.groups()};
      between.scratch_map = {BlockMap::kAffine, 1};
    }
    space_ = ChunkSpace::PerBlock(static_cast<uint32_t>(shape_.ranks));
  }

  void Hand(C collective, Stage& stage) {
    for (int g = 0; g < grouping_.groups(); ++g) {
      Team team;
      team.program = std::make_shared<Handover>(collective, grouping_.size(g), rails_);
      team.offset = grouping_.begin(g);
      for (int l = 0; l < grouping_.size(g); ++l) team.members.push_back(grouping_.begin(g) + l);
      stage.teams.push_back(std::move(team));
    }
    stage.in_map = stage.out_map = stage.scratch_map = {BlockMap::kAffine, 1};
  }

  absl::Status AllGather() {
    Stage within, between;
    CCL_RETURN_IF_ERROR(Within(Half(inner_), C::kAllGather, [](int) { return 0; }, within));
    CCL_RETURN_IF_ERROR(Between(C::kAllGather, between));
    RankBlocks(within, between);
    between.in = {Buffer::kOut, Buffer::kIn};
    between.out = within.in = within.out = At(Buffer::kOut);
    if (!even()) {
      Stage hand;
      Hand(C::kAllGather, hand);
      hand.in = At(Buffer::kIn);
      hand.out = At(Buffer::kOut);
      stages_.push_back(std::move(hand));
    }
    stages_.push_back(std::move(between));
    stages_.push_back(std::move(within));
    return absl::OkStatus();
  }

  absl::Status ReduceScatter() {
    Stage within, between;
    CCL_RETURN_IF_ERROR(Within(Half(inner_), C::kReduceScatter, [](int) { return 0; }, within));
    CCL_RETURN_IF_ERROR(Between(C::kReduceScatter, between));
    RankBlocks(within, between);
    work_slot_ = true;
    within.in = At(Buffer::kIn);
    within.out = between.in = At(Buffer::kScratch);
    between.out = {Buffer::kScratch, Buffer::kOut};
    stages_.push_back(std::move(within));
    stages_.push_back(std::move(between));
    if (!even()) {
      Stage hand;
      Hand(C::kReduceScatter, hand);
      hand.in = At(Buffer::kScratch);
      hand.out = At(Buffer::kOut);
      stages_.push_back(std::move(hand));
    }
    return absl::OkStatus();
  }

  absl::Status AllToAll() {
    if (!even()) return Error("does all-to-all on groups of equal size only");
    Stage within, between;
    CCL_RETURN_IF_ERROR(Within(inner_, C::kAllToAll, [](int) { return 0; }, within));
    CCL_RETURN_IF_ERROR(Between(C::kAllToAll, between));
    space_ = ChunkSpace::PerBlock(static_cast<uint32_t>(shape_.ranks));
    work_slot_ = true;
    within.singles = true;
    // Block [i, l'] of the work slot: what local rank l' has for group i, on this rail.
    within.in_map = within.out_map = {BlockMap::kLocal};
    within.scratch_map = {BlockMap::kAffine, grouping_.groups()};
    Everywhere({BlockMap::kAffine, grouping_.size(0)}, between);
    within.in = At(Buffer::kIn);
    within.out = between.in = At(Buffer::kScratch);
    between.out = At(Buffer::kOut);
    stages_ = {std::move(within), std::move(between)};
    return absl::OkStatus();
  }

  const std::vector<AlgorithmSpec>& parts_;
  const Shape& shape_;
  const bool equal_blocks_;
  AlgorithmSpec inner_, outer_;
  Grouping grouping_;
  std::vector<Grouping> outer_groupings_;
  int rails_ = 1;
  std::vector<Stage> stages_;
  bool work_slot_ = false;
  ChunkSpace space_;
  std::map<std::pair<std::pair<std::string, int>, std::pair<int, int>>,
           std::shared_ptr<const Program>>
      built_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Program>> Compose(const std::vector<AlgorithmSpec>& parts,
                                                 const Shape& shape, bool equal_blocks) {
  return Composer(parts, shape, equal_blocks).Build();
}

}  // namespace ccl
