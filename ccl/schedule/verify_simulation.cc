#include "ccl/schedule/verify_simulation.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ccl/schedule/dump.h"

namespace ccl {

Simulation::Simulation(const Program& program, const VerifyOptions& options)
    : program_(program),
      info_(program.info()),
      barrier_(info_.collective == Collective::kBarrier),
      reduces_(Reduces(info_.collective)),
      layout_(program, options.in_place),
      sets_(info_.ranks),
      values_(layout_.locations()),
      lanes_(static_cast<size_t>(info_.ranks) * info_.lanes),
      wires_(static_cast<uint64_t>(info_.ranks) * static_cast<uint64_t>(info_.ranks) *
             info_.channels) {
  if (options.races) races_.emplace(info_.ranks, info_.lanes, layout_.locations());
  report_.scratch_chunks = layout_.most_scratch();
  const uint32_t blocks = info_.space.blocks();
  for (int rank = 0; rank < info_.ranks; ++rank) {
    const BlockWindow in = InputWindow(info_, rank);
    for (uint32_t slice = 0; in.blocks > 0 && slice < info_.space.slices(); ++slice) {
      const Ref ref{Buffer::kIn, 0, slice * blocks + in.first, in.blocks};
      uint32_t location = 0;
      layout_.Locate(rank, ref, location);
      for (uint32_t i = 0; i < in.blocks; ++i) {
        values_[location + i] = {ref.first + i, sets_.Only(rank), OrderOfRank(rank)};
      }
    }
  }
  for (uint32_t lane = 0; lane < lanes_.size(); ++lane) {
    Lane& state = lanes_[lane];
    state.batches = program.batches(RankOf(lane), lane % info_.lanes);
    if (barrier_) {
      state.known = state.heard = sets_.Only(RankOf(lane));
      state.history.push_back(state.known);
    }
    if (state.batches > 0) next_ready_.push_back(lane);
  }
}

absl::Status Simulation::Run() {
  while (!next_ready_.empty()) {
    ready_.clear();
    ready_.swap(next_ready_);
    for (const uint32_t lane : ready_) {
      if (!Advance(lane)) return status_;
    }
  }
  if (!Stuck()) return status_;
  return absl::OkStatus();
}

const Value& Simulation::Output(int rank, uint32_t chunk) const {
  uint32_t location = 0;
  layout_.Locate(rank, {Buffer::kOut, 0, chunk, 1}, location);
  return values_[location];
}

RankSet Simulation::Heard(int rank) {
  RankSet heard = sets_.Only(rank);
  for (uint32_t lane = 0; lane < info_.lanes; ++lane) {
    heard = sets_.Union(heard, lanes_[static_cast<size_t>(rank) * info_.lanes + lane].known);
  }
  return heard;
}

std::string Simulation::Name(Site site) const {
  const Lane& lane = lanes_[site.lane];
  std::string text = absl::StrCat("rank ", RankOf(site.lane), " lane ", site.lane % info_.lanes,
                                  " batch ", lane.batch);
  if (site.step >= lane.list.steps.size()) return text;
  std::string step = ToString(lane.list, lane.list.steps[site.step]);
  if (step.size() > 100) step = absl::StrCat(step.substr(0, 97), "...");
  return absl::StrCat(text, " step ", site.step, " (", step, ")");
}

bool Simulation::Fail(Site site, absl::string_view what) {
  status_ = absl::InvalidArgumentError(absl::StrCat(info_.name, ": ", Name(site), ": ", what));
  return false;
}

bool Simulation::Advance(uint32_t lane) {
  Lane& state = lanes_[lane];
  if (!state.fetched) {
    state.list.Clear();
    program_.Fetch(RankOf(lane), lane % info_.lanes, state.batch, state.list);
    state.list.Flatten();
    state.fetched = true;
  }
  if (!state.list.deps.empty() && !CheckDependencies(lane)) return false;
  return state.waiting || Issue(lane);
}

// Sets `waiting` and `unmet`.
bool Simulation::CheckDependencies(uint32_t lane) {
  Lane& state = lanes_[lane];
  const uint32_t first = lane - lane % info_.lanes;
  const Site batch{lane, kWholeBatch};
  state.waiting = false;
  for (const Dep& dep : state.list.deps) {
    if (dep.lane >= info_.lanes) {
      return Fail(batch, absl::StrCat("waits for lane ", dep.lane, ", which does not exist"));
    }
    const Lane& other = lanes_[first + dep.lane];
    if (dep.batches > other.batches) {
      return Fail(batch, absl::StrCat("waits for ", dep.batches, " batches of lane ", dep.lane,
                                      ", which has ", other.batches));
    }
    if (other.batch >= dep.batches) continue;
    state.waiting = true;
    state.unmet = dep;
  }
  return true;
}

bool Simulation::Issue(uint32_t lane) {
  Lane& state = lanes_[lane];
  if (races_) races_->Begin(RankOf(lane), lane % info_.lanes, state.batch, state.list.deps);
  if (barrier_) {
    for (const Dep& dep : state.list.deps) {
      // What was known after `batches` batches: not what has been heard since.
      const Lane& other = lanes_[lane - lane % info_.lanes + dep.lane];
      state.known = sets_.Union(state.known, other.history[dep.batches]);
    }
    state.heard = state.known;
  }
  const uint32_t steps = static_cast<uint32_t>(state.list.steps.size());
  // One more than there are, so that the batch does not end before all steps are issued.
  state.pending = steps + 1;
  for (uint32_t step = 0; step < steps; ++step) {
    const Site site{lane, step};
    if (!CheckStep(site) || !Access(site)) return false;
  }
  for (uint32_t step = 0; step < steps; ++step) {
    if (!Post({lane, step})) return false;
  }
  Finish(lane);
  return true;
}

// One step of the lane's batch has completed.
void Simulation::Finish(uint32_t lane) {
  Lane& state = lanes_[lane];
  if (--state.pending > 0) return;
  if (barrier_) {
    state.known = state.heard;
    state.history.push_back(state.known);
  }
  ++state.batch;
  state.fetched = false;
  if (state.batch < state.batches) next_ready_.push_back(lane);
  if (info_.lanes == 1) return;
  const uint32_t first = lane - lane % info_.lanes;
  for (uint32_t other = first; other < first + info_.lanes; ++other) {
    Lane& waiter = lanes_[other];
    if (!waiter.waiting || waiter.unmet.lane != lane - first) continue;
    if (waiter.unmet.batches > state.batch) continue;
    waiter.waiting = false;
    next_ready_.push_back(other);
  }
}

bool Simulation::Finished(int rank) const {
  const auto first = lanes_.begin() + static_cast<ptrdiff_t>(rank) * info_.lanes;
  return std::all_of(first, first + info_.lanes,
                     [](const Lane& lane) { return lane.batch == lane.batches; });
}

std::string Simulation::WhyStuck(Site site) const {
  const Lane& lane = lanes_[site.lane];
  if (lane.waiting) {
    return absl::StrCat(Name({site.lane, kWholeBatch}), " waits for batch ", lane.unmet.batches - 1,
                        " of lane ", lane.unmet.lane);
  }
  const Step& step = lane.list.steps[site.step];
  if (step.kind != StepKind::kSend && step.kind != StepKind::kRecv &&
      step.kind != StepKind::kRecvReduce) {
    return absl::StrCat(Name(site), " waits for other members of the group");
  }
  return absl::StrCat(Name(site), " waits for rank ", step.peer,
                      Finished(step.peer) ? ", which has finished" : "");
}

bool Simulation::Stuck() {
  std::map<uint32_t, Site> waiting;  // the first waiting step of a lane
  const auto add = [&](Site site) {
    if (site.lane == kNoLane) return;
    const auto [entry, absent] = waiting.try_emplace(site.lane, site);
    if (!absent && site.step < entry->second.step) entry->second = site;
  };
  wires_.ForEachWaiting([&](uint64_t index, const Wires::Wire& wire) {
    const uint64_t pair = index / info_.channels, ranks = static_cast<uint64_t>(info_.ranks);
    const uint64_t rank = wire.sends_wait ? pair / ranks : pair % ranks;
    const uint32_t lane = (wire.sends_wait ? wire.sender : wire.receiver) - 1u;
    add({static_cast<uint32_t>(rank) * info_.lanes + lane, wire.head});
  });
  for (const auto& [key, queue] : groups_) {
    for (const GroupOp& op : queue.ops) {
      for (const Site site : op.sites) add(site);
    }
  }
  for (uint32_t lane = 0; lane < lanes_.size(); ++lane) {
    if (lanes_[lane].waiting) add({lane, 0});
  }
  if (waiting.empty()) return true;
  // Those who wait for somebody who has finished are the cause; the rest may be victims.
  std::vector<std::string> reasons, victims;
  for (const auto& [lane, site] : waiting) {
    std::string why = WhyStuck(site);
    const bool cause = absl::StrContains(why, "which has finished");
    (cause ? reasons : victims).push_back(std::move(why));
  }
  const absl::string_view kind = reasons.empty() ? ": deadlock: " : ": unmatched: ";
  reasons.insert(reasons.end(), victims.begin(), victims.end());
  const size_t all = reasons.size();
  constexpr size_t kShown = 4;
  if (all > kShown) reasons.resize(kShown);
  status_ = absl::InvalidArgumentError(
      absl::StrCat(info_.name, kind, absl::StrJoin(reasons, "; "),
                   all > kShown ? absl::StrCat("; and ", all - kShown, " more lanes") : ""));
  return false;
}

}  // namespace ccl
