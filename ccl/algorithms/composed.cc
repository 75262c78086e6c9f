#include "ccl/algorithms/composed.h"

#include <algorithm>
#include <utility>

namespace ccl {
namespace {

class Composed : public Program {
 public:
  Composed(ProgramInfo info, Grouping grouping, int rails, std::vector<Stage> stages,
           bool work_slot)
      : Program(std::move(info)),
        grouping_(std::move(grouping)),
        rails_(rails),
        stages_(std::move(stages)),
        work_slot_(work_slot),
        even_(grouping_.uniform()) {
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
        info_.group_to_all = info_.group_to_all || sub.group_to_all;
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
    info_.shift = Shift();
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
    StepList& list = out.Inner();
    team.program->Fetch(stage.place_in[rank], lane - stage.first_lane, batch, list);
    for (const Dep& dep : list.deps) out.After(stage.first_lane + dep.lane, dep.batches);
    if (batch == 0) {
      for (uint32_t before = 0; before < stage.first_lane; ++before) {
        const uint32_t length = batches(rank, before);
        if (length > 0) out.After(before, length);
      }
    }
    int slot = 0;  // where the stage's own slots begin
    for (const Ref& ref : list.refs) {
      if (ref.buffer != Buffer::kScratch) continue;
      slot = FirstSlot(stage, rank);
      break;
    }
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

  void Scratch(int rank, ScratchAreas& out) const override {
    if (work_slot_) out.push_back({1, 0, info_.space.blocks()});
    for (const Stage& stage : stages_) {
      if (stage.team_of[rank] < 0) continue;
      const Team& team = stage.teams[stage.team_of[rank]];
      ScratchAreas areas;
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
  // The least shift that all stages have.
  int Shift() const {
    const auto has = [&](int shift) {
      return std::all_of(stages_.begin(), stages_.end(),
                         [&](const Stage& stage) { return Shifts(stage, shift); });
    };
    int shift = 1;
    while (info_.ranks % shift != 0 || !has(shift)) ++shift;
    return shift;
  }

  // Whether a shift of all ranks turns every team into one with the same program (another or itself),
  // whose members' places are shifted by what that program promises.
  bool Shifts(const Stage& stage, int shift) const {
    const auto moved = [&](int rank) { return (rank + shift) % info_.ranks; };
    for (const Team& team : stage.teams) {
      const int to = stage.team_of[moved(team.members[0])];
      if (to < 0 || stage.teams[to].program != team.program) return false;
      const int first = stage.place_in[moved(team.members[0])];
      if (first % team.program->info().shift != 0) return false;
      const int size = static_cast<int>(team.members.size());
      for (int i = 0; i < size; ++i) {
        const int rank = moved(team.members[i]);
        if (stage.team_of[rank] != to || stage.place_in[rank] != (first + i) % size) return false;
      }
    }
    return true;
  }

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
      ScratchAreas areas;
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
    const auto emit = [&](int first, int count, int repeat = 1, int stride = 0) {
      mapped.buffer = place.own != place.buffer && first == rank ? place.own : place.buffer;
      mapped.first = static_cast<uint32_t>(first);
      mapped.count = static_cast<uint32_t>(count);
      mapped.repeat = static_cast<uint32_t>(repeat);
      mapped.stride = static_cast<uint32_t>(stride);
      out.push_back(mapped);
    };
    // Where the own block lies elsewhere, runs are told apart.
    const bool repeats = place.own == place.buffer;
    const int begin = static_cast<int>(ref.first);
    const int end = begin + static_cast<int>(ref.count);
    if (ref.repeat > 1) {
      const int last = end + static_cast<int>((ref.repeat - 1) * ref.stride);
      if (map.kind == BlockMap::kAffine && last <= map.limit && !stage.singles && repeats) {
        return emit(team.offset + begin * map.factor, (end - begin) * map.factor,
                    static_cast<int>(ref.repeat), static_cast<int>(ref.stride) * map.factor);
      }
      Ref run = ref;
      run.repeat = 1;
      for (uint32_t i = 0; i < ref.repeat; ++i, run.first += ref.stride) {
        Map(stage, team, rank, first_slot, run, out);
      }
      return;
    }
    if (map.kind == BlockMap::kAffine) {
      const int limit = std::min(end, map.limit);
      if (begin >= limit) return;
      const int first = team.offset + begin * map.factor;
      const int count = (limit - begin) * map.factor;
      if (!stage.singles) return emit(first, count);
      if (repeats) return emit(first, 1, count, 1);
      for (int i = 0; i < count; ++i) emit(first + i, 1);
      return;
    }
    if (even_ && repeats) {
      const int size = grouping_.size(0);
      if (map.kind == BlockMap::kRail) return emit(begin * size + team.rail, 1, end - begin, size);
      for (int block = begin; block < end; ++block) emit(block, 1, grouping_.groups(), size);
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
  void Reduce(const Stage& stage, const Team& team, int rank, int slot, StepList& list, const Step& step,
              StepList& out) const {
    StepList& mapped = list.Inner();  // a step for every operand, and one for the result
    const auto map = [&](const Ref& ref) {
      Step& part = mapped.steps.emplace_back();
      part.src_begin = part.dst_begin = static_cast<uint32_t>(mapped.refs.size());
      Map(stage, team, rank, slot, ref, mapped.refs);
      part.src_count = static_cast<uint32_t>(mapped.refs.size()) - part.src_begin;
    };
    for (const Ref& ref : list.src(step)) map(ref);
    map(list.dst(step)[0]);
    const auto next = [&](Step& part) {  // takes its first run
      Ref& first = mapped.refs[part.src_begin];
      Ref run = first;
      run.repeat = 1;
      run.stride = 0;
      first.first += first.stride;
      if (--first.repeat == 0) ++part.src_begin, --part.src_count;
      return run;
    };
    const absl::Span<Step> operands(mapped.steps.data(), mapped.steps.size() - 1);
    Step& result = mapped.steps.back();
    while (result.src_count > 0) {
      std::vector<Ref>& piece = out.Spare().src;
      for (Step& operand : operands) piece.push_back(next(operand));
      out.Reduce(piece, next(result));
    }
  }

  const Grouping grouping_;
  const int rails_;
  std::vector<Stage> stages_;
  const bool work_slot_;
  const bool even_;  // groups are of one size, which is the number of rails
  std::vector<std::vector<int>> rank_groups_;
};

}  // namespace

std::unique_ptr<Program> MakeComposed(ProgramInfo info, Grouping grouping, int rails,
                                      std::vector<Stage> stages, bool work_slot) {
  return std::make_unique<Composed>(std::move(info), std::move(grouping), rails, std::move(stages),
                                    work_slot);
}

}  // namespace ccl
