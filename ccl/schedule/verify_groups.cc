#include <algorithm>

#include "absl/strings/str_cat.h"
#include "ccl/schedule/verify_simulation.h"

namespace ccl {

bool Simulation::PostGroup(Site site) {
  const Step& step = StepAt(site);
  const absl::Span<const int> members = program_.RankGroup(step.group);
  const auto found = std::lower_bound(members.begin(), members.end(), RankOf(site.lane));
  if (found == members.end() || *found != RankOf(site.lane)) {
    return Fail(site, "the rank is not in the group");
  }
  const size_t member = static_cast<size_t>(found - members.begin());
  // Reconfigurations of a group are one sequence, whatever their matchings.
  constexpr uint64_t kCircuits = 0xffff'ffff;
  const bool circuits = step.kind == StepKind::kReconfigure;
  GroupQueue& queue = groups_[uint64_t{step.group} << 32 | (circuits ? kCircuits : step.channel)];
  if (queue.lanes.empty()) {
    queue.lanes.resize(members.size(), kNoLane);
    queue.next.resize(members.size());
  }
  if (queue.lanes[member] == kNoLane) queue.lanes[member] = site.lane;
  if (queue.lanes[member] != site.lane) {
    return Fail(site, absl::StrCat("lane ", queue.lanes[member] % info_.lanes,
                                   " uses this group and channel too"));
  }
  // Nobody is behind the first operation that waits, so the member's next is it or a later one.
  const uint32_t index = queue.next[member]++ - queue.first;
  if (index == queue.ops.size()) {
    queue.ops.push_back({0, std::vector<Site>(members.size())});
  }
  GroupOp& op = queue.ops[index];
  op.sites[member] = site;
  if (++op.posted < members.size()) return true;
  if (!CheckGroupOp(step, members, op)) return false;
  ++report_.group_operations;
  if (step.kind == StepKind::kGroupReduce && !GroupReduce(op)) return false;
  if (step.kind == StepKind::kGroupCopy) {
    const auto root = std::lower_bound(members.begin(), members.end(), step.peer);
    if (!GroupCopy(op, static_cast<size_t>(root - members.begin()))) return false;
  }
  // Everybody's operation before this one has completed, so it is the first that waits.
  const std::vector<Site> sites = std::move(op.sites);
  queue.ops.pop_front();
  ++queue.first;
  for (const Site done : sites) Finish(done.lane);
  return true;
}

// The members agree, and those who should have operands and results do.
bool Simulation::CheckGroupOp(const Step& step, absl::Span<const int> members, const GroupOp& op) {
  const bool copy = step.kind == StepKind::kGroupCopy;
  const bool circuits = step.kind == StepKind::kReconfigure;
  const bool every = !copy && step.peer == kEveryMember;
  for (size_t i = 0; i < members.size(); ++i) {
    const Site site = op.sites[i];
    const Step& other = StepAt(site);
    if (other.kind != step.kind || other.peer != step.peer || other.channel != step.channel) {
      return Fail(site, absl::StrCat("the group's operation is another at ", Name(op.sites[0])));
    }
    if (circuits) continue;
    const bool root = members[i] == step.peer;
    const bool reads = !copy || root, writes = copy || every || root;
    if (!reads && other.src_count > 0) return Fail(site, "only the root has an operand");
    if (!writes && other.dst_count > 0) return Fail(site, "only the root has a result");
  }
  if (!circuits && !every && !std::binary_search(members.begin(), members.end(), step.peer)) {
    return Fail(op.sites[0], "the root is not in the group");
  }
  return true;
}

void Simulation::Places(int rank, absl::Span<const Ref> refs, std::vector<Place>& places) const {
  places.clear();
  for (const Ref& ref : refs) {
    uint32_t location = 0;
    layout_.Locate(rank, ref, location);
    for (uint32_t i = 0; i < ref.count; ++i) {
      places.push_back({LengthOf(rank, ref.buffer, ref.first + i), location + i});
    }
  }
}

bool Simulation::SameShape(Site site, const std::vector<Place>& places) {
  const auto same = [](const Place& a, const Place& b) {
    return a.length == b.length;
  };
  if (std::equal(places.begin(), places.end(), model_.begin(), model_.end(), same)) return true;
  return Fail(site, "the members' operands and results differ in shape");
}

bool Simulation::GroupReduce(const GroupOp& op) {
  const bool every = StepAt(op.sites[0]).peer == kEveryMember;
  Places(RankOf(op.sites[0].lane), Src(op.sites[0]), model_);
  folded_.clear();
  for (const Site site : op.sites) {
    Places(RankOf(site.lane), Src(site), places_);
    if (!SameShape(site, places_)) return false;
    for (size_t i = 0; i < places_.size(); ++i) {
      const uint32_t location = places_[i].location;
      if (!Defined(site, location)) return false;
      if (site.lane == op.sites[0].lane) {
        folded_.push_back(values_[location]);
      } else if (!Merge(site, folded_[i], values_[location], folded_[i],
                        site.lane != op.sites[1].lane)) {
        return false;
      }
    }
    report_.chunk_moves += places_.size();
  }
  RankSet started = sets_.Only(RankOf(op.sites[0].lane));
  for (const Site site : op.sites) {
    if (barrier_) started = sets_.Union(started, lanes_[site.lane].known);
  }
  for (const Site site : op.sites) {
    const int rank = RankOf(site.lane);
    if (!every && rank != StepAt(site).peer) continue;
    if (barrier_) lanes_[site.lane].heard = sets_.Union(lanes_[site.lane].heard, started);
    Places(rank, Dst(site), places_);
    if (!SameShape(site, places_)) return false;
    for (size_t i = 0; i < places_.size(); ++i) values_[places_[i].location] = folded_[i];
  }
  return true;
}

bool Simulation::GroupCopy(const GroupOp& op, size_t root) {
  const Site from = op.sites[root];
  Places(RankOf(from.lane), Src(from), model_);
  folded_.clear();
  for (const Place& place : model_) {
    if (!Defined(from, place.location)) return false;
    folded_.push_back(values_[place.location]);
  }
  for (const Site site : op.sites) {
    Places(RankOf(site.lane), Dst(site), places_);
    if (!SameShape(site, places_)) return false;
    for (size_t i = 0; i < places_.size(); ++i) values_[places_[i].location] = folded_[i];
    report_.chunk_moves += places_.size();
    if (!barrier_) continue;
    lanes_[site.lane].heard = sets_.Union(lanes_[site.lane].heard, lanes_[from.lane].known);
  }
  return true;
}

}  // namespace ccl
