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

// Which blocks of the whole a block of a stage's program stands for.
struct BlockMap {
  enum Kind : uint8_t {
    kAffine,  // b -> [b * factor, + factor) past the team's offset for b < limit; nothing beyond
    kRail,    // group i -> its blocks on this rail
    kLocal,   // local rank l -> the blocks of rail l in every group
  };
  Kind kind = kAffine;
  int factor = 1, limit = 1 << 30;
};

// Where a stage's buffer lies.
struct Place {
  Buffer buffer = Buffer::kIn;
  Buffer own = Buffer::kIn;  // of the rank's own block, where that differs
};

// A sub-collective of one stage.
struct Team {
  std::shared_ptr<const Program> program;
  std::vector<int> members;
  uint32_t first_group = 0;
  int rail = 0;    // of kRail maps
  int offset = 0;  // added to every affine map
};

struct Stage {
  std::vector<Team> teams;
  std::vector<int> team_of;  // by rank; -1: takes no part
  std::vector<int> place_in;
  BlockMap in_map, out_map, scratch_map;
  Place in, out;
  uint32_t first_lane = 0, lanes = 0, first_channel = 0;
  bool singles = false;  // runs are written chunk by chunk, so that lists match piece by piece
};

class Composed : public Program {
 public:
  Composed(ProgramInfo info, Grouping grouping, int rails, std::vector<Stage> stages,
           bool work_slot)
      : Program(std::move(info)),
        grouping_(std::move(grouping)),
        rails_(rails),
        stages_(std::move(stages)),
        work_slot_(work_slot) {
    uint32_t lane = 0, channel = 0, group = 0;
    for (Stage& stage : stages_) {
      stage.first_lane = lane;
      stage.first_channel = channel;
      uint32_t channels = 0;
      for (Team& team : stage.teams) {
        const ProgramInfo& sub = team.program->info();
        stage.lanes = std::max(stage.lanes, sub.lanes);
        channels = std::max(channels, sub.channels);
        team.first_group = group;
        group += sub.rank_groups;
        for (uint32_t g = 0; g < sub.rank_groups; ++g) {
          std::vector<int> ranks;
          for (int member : team.program->RankGroup(g)) ranks.push_back(team.members[member]);
          rank_groups_.push_back(std::move(ranks));
        }
      }
      lane += stage.lanes;
      channel += channels;
      stage.team_of.assign(info_.ranks, -1);
      stage.place_in.assign(info_.ranks, -1);
      for (size_t t = 0; t < stage.teams.size(); ++t) {
        for (size_t i = 0; i < stage.teams[t].members.size(); ++i) {
          stage.team_of[stage.teams[t].members[i]] = static_cast<int>(t);
          stage.place_in[stage.teams[t].members[i]] = static_cast<int>(i);
        }
      }
    }
    info_.lanes = lane;
    info_.channels = channel;
    info_.rank_groups = group;
  }

  uint32_t batches(int rank, uint32_t lane) const override {
    const Stage& stage = StageOf(lane);
    if (stage.team_of[rank] < 0 || lane - stage.first_lane >= stage.lanes) return 0;
    const Team& team = stage.teams[stage.team_of[rank]];
    const uint32_t inner = lane - stage.first_lane;
    return inner < team.program->info().lanes ? team.program->batches(stage.place_in[rank], inner)
                                              : 0;
  }

  void Fetch(int rank, uint32_t lane, uint32_t batch, StepList& out) const override {
    const Stage& stage = StageOf(lane);
    const Team& team = stage.teams[stage.team_of[rank]];
    StepList list;
    team.program->Fetch(stage.place_in[rank], lane - stage.first_lane, batch, list);
    for (const Dep& dep : list.deps) out.After(stage.first_lane + dep.lane, dep.batches);
    if (batch == 0) {
      for (uint32_t before = 0; before < stage.first_lane; ++before) {
        const uint32_t length = batches(rank, before);
        if (length > 0) out.After(before, length);
      }
    }
    const int slot = FirstSlot(stage, rank);
    for (const Step& step : list.steps) {
      if (step.kind == StepKind::kReduce) {
        Reduce(stage, team, rank, slot, list, step, out);
        continue;
      }
      Step mapped = step;
      mapped.channel = static_cast<uint16_t>(step.channel + stage.first_channel);
      if (step.peer >= 0) mapped.peer = team.members[step.peer];
      mapped.group = step.group + team.first_group;
      mapped.src_begin = static_cast<uint32_t>(out.refs.size());
      for (const Ref& ref : list.src(step)) Map(stage, team, rank, slot, ref, out.refs);
      mapped.src_count = static_cast<uint32_t>(out.refs.size()) - mapped.src_begin;
      mapped.dst_begin = static_cast<uint32_t>(out.refs.size());
      for (const Ref& ref : list.dst(step)) Map(stage, team, rank, slot, ref, out.refs);
      mapped.dst_count = static_cast<uint32_t>(out.refs.size()) - mapped.dst_begin;
      out.steps.push_back(mapped);
    }
  }

  void Scratch(int rank, std::vector<ScratchArea>& out) const override {
    if (work_slot_) out.push_back({1, 0, info_.space.blocks()});
    for (const Stage& stage : stages_) {
      if (stage.team_of[rank] < 0) continue;
      const Team& team = stage.teams[stage.team_of[rank]];
      std::vector<ScratchArea> areas;
      team.program->Scratch(stage.place_in[rank], areas);
      for (const ScratchArea& area : areas) {
        const BlockMap& map = stage.scratch_map;
        if (map.kind != BlockMap::kAffine) {
          out.push_back({area.slots, 0, info_.space.blocks()});
          continue;
        }
        const int end = std::min<int>(area.first_block + area.blocks, map.limit);
        const int first = std::min<int>(area.first_block, end);
        const int offset = team.offset;
        out.push_back({area.slots, static_cast<uint32_t>(offset + first * map.factor),
                       static_cast<uint32_t>((end - first) * map.factor)});
      }
    }
  }

  absl::Span<const int> RankGroup(uint32_t group) const override { return rank_groups_[group]; }

 private:
  const Stage& StageOf(uint32_t lane) const {
    size_t i = stages_.size() - 1;
    while (stages_[i].first_lane > lane) --i;
    return stages_[i];
  }

  int FirstSlot(const Stage& wanted, int rank) const {
    uint32_t slots = work_slot_ ? 1 : 0;
    for (const Stage& stage : stages_) {
      if (&stage == &wanted) break;
      if (stage.team_of[rank] < 0) continue;
      std::vector<ScratchArea> areas;
      stage.teams[stage.team_of[rank]].program->Scratch(stage.place_in[rank], areas);
      for (const ScratchArea& area : areas) slots += area.slots;
    }
    return static_cast<int>(slots);
  }

  void Map(const Stage& stage, const Team& team, int rank, int first_slot, const Ref& ref,
           std::vector<Ref>& out) const {
    const BlockMap& map = ref.buffer == Buffer::kIn    ? stage.in_map
                          : ref.buffer == Buffer::kOut ? stage.out_map
                                                       : stage.scratch_map;
    Place place = ref.buffer == Buffer::kIn ? stage.in : stage.out;
    Ref mapped = ref;
    if (ref.buffer == Buffer::kScratch) {
      place = {Buffer::kScratch, Buffer::kScratch};
      mapped.slot = static_cast<uint16_t>(ref.slot + first_slot);
    } else {
      mapped.slot = 0;  // the work slot when the place is scratch
    }
    const auto emit = [&](int first, int count) {
      mapped.buffer = place.own != place.buffer && first == rank ? place.own : place.buffer;
      mapped.first = static_cast<uint32_t>(first);
      mapped.count = static_cast<uint32_t>(count);
      out.push_back(mapped);
    };
    const int begin = static_cast<int>(ref.first);
    const int end = begin + static_cast<int>(ref.count);
    if (map.kind == BlockMap::kAffine) {
      const int limit = std::min(end, map.limit);
      if (begin >= limit) return;
      const int first = team.offset + begin * map.factor;
      const int count = (limit - begin) * map.factor;
      if (!stage.singles) return emit(first, count);
      for (int i = 0; i < count; ++i) emit(first + i, 1);
      return;
    }
    for (int block = begin; block < end; ++block) {
      if (map.kind == BlockMap::kRail) {
        for (int l = team.rail; l < grouping_.size(block); l += rails_) {
          emit(grouping_.begin(block) + l, 1);
        }
      } else if (block < rails_) {
        for (int group = 0; group < grouping_.groups(); ++group) {
          for (int l = block; l < grouping_.size(group); l += rails_) {
            emit(grouping_.begin(group) + l, 1);
          }
        }
      }
    }
  }

  // A fold takes one run: lists become one fold a piece.
  void Reduce(const Stage& stage, const Team& team, int rank, int slot, const StepList& list,
              const Step& step, StepList& out) const {
    std::vector<Ref> dst;
    Map(stage, team, rank, slot, list.dst(step)[0], dst);
    std::vector<std::vector<Ref>> operands;
    for (const Ref& ref : list.src(step)) {
      operands.emplace_back();
      Map(stage, team, rank, slot, ref, operands.back());
    }
    std::vector<Ref> piece(operands.size());
    for (size_t i = 0; i < dst.size(); ++i) {
      for (size_t k = 0; k < operands.size(); ++k) piece[k] = operands[k][i];
      out.Reduce(piece, dst[i]);
    }
  }

  const Grouping grouping_;
  const int rails_;
  std::vector<Stage> stages_;
  const bool work_slot_;
  std::vector<std::vector<int>> rank_groups_;
};

// Builds the stages of one composition.
class Composer {
 public:
  Composer(const std::vector<AlgorithmSpec>& parts, const Shape& shape)
      : parts_(parts), shape_(shape) {}

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
    return std::make_unique<Composed>(std::move(info), grouping_, rails_, std::move(stages_),
                                      work_slot_);
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
    auto program = BuildProgram(spec, shape, false);
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
  // compact: all blocks have one length, so those of a stage may lie under other numbers.
  void RankBlocks(Stage& within, Stage& between) {
    Everywhere({BlockMap::kLocal}, within);
    Everywhere({BlockMap::kRail}, between);
    within.singles = between.singles = true;
    if (even()) {
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
    within.singles = between.singles = true;
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
                                                 const Shape& shape) {
  return Composer(parts, shape).Build();
}

}  // namespace ccl
