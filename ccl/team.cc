#include "ccl/team.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "ccl/base/status.h"

namespace ccl {
namespace {

bool Checks(World& world, const Options& options) {
  return options.check < 0 ? world.engine().abilities().virtual_time : options.check != 0;
}

// The identity where it is one: what ranks do can then be told from what their neighbours do.
RankMap MapOf(const World& world, std::vector<int> ranks) {
  bool same = static_cast<int>(ranks.size()) == world.topology().ranks;
  for (size_t i = 0; i < ranks.size() && same; ++i) same = ranks[i] == static_cast<int>(i);
  return same ? RankMap() : RankMap(std::move(ranks));
}

}  // namespace

Team::Team(std::shared_ptr<World> world)
    : world_(std::move(world)),
      ranks_(world_->engine().ranks()),
      block_(std::make_shared<ContextBlock>(world_, 0)),
      options_(world_->options()),
      rules_(world_->rules()),
      planner_(&world_->planner()),
      checks_(Checks(*world_, options_)),
      ledger_(ranks_) {}

Team::Team(std::shared_ptr<World> world, std::vector<int> ranks, std::shared_ptr<ContextBlock> block,
           const Options& options, std::vector<Override> rules)
    : world_(std::move(world)),
      map_(MapOf(*world_, ranks)),
      ranks_(static_cast<int>(ranks.size())),
      block_(std::move(block)),
      options_(options),
      topology_(Subset(world_->topology(), ranks)),
      rules_(std::move(rules)),
      own_planner_(std::make_unique<Planner>(
          topology_, rules_, world_->engine().abilities().group_operations && map_.ascends())),
      planner_(own_planner_.get()),
      checks_(Checks(*world_, options_)),
      ledger_(ranks_) {}

void Team::SetScope(int rank, Scope* scope) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (scopes_.empty()) scopes_.resize(static_cast<size_t>(ranks_), nullptr);
  scopes_[static_cast<size_t>(rank)] = scope;
}

std::shared_ptr<WindowTable> Team::windows() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (windows_ == nullptr) windows_ = std::make_shared<WindowTable>(ranks_);
  return windows_;
}

void Team::FailAll(const absl::Status& error) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (Scope* scope : scopes_) {
    if (scope != nullptr) world_->engine().Fail(*scope, error);
  }
}

absl::StatusOr<std::unique_ptr<Work>> Team::Gather(const std::vector<int>& members, int member,
                                                   std::string says, const std::string& what,
                                                   std::shared_ptr<Gathering> gathering) {
  const int count = members.empty() ? ranks_ : static_cast<int>(members.size());
  const int index = members.empty() ? member
                                    : static_cast<int>(std::lower_bound(members.begin(), members.end(),
                                                                        member) -
                                                       members.begin());
  if (world_->engine().abilities().virtual_time) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto open = std::find_if(meetings_.begin(), meetings_.end(), [&](const OpenMeeting& m) {
      return !m.meeting->Joined(index) && m.members == members;
    });
    if (open == meetings_.end()) {
      meetings_.push_back({members, std::make_shared<Meeting>(count)});
      open = meetings_.end() - 1;
    }
    const std::shared_ptr<Meeting> meeting = open->meeting;
    std::unique_ptr<Work> work =
        Meeting::Join(meeting, index, std::move(says), what, std::move(gathering));
    if (meeting->full()) meetings_.erase(open);
    return work;
  }
  const uint64_t bytes = says.size() * static_cast<uint64_t>(count);
  std::shared_ptr<const Plan> plan;
  RankMap map = map_;
  if (members.empty()) {
    CCL_ASSIGN_OR_RETURN(plan, planner_->Choose(Collective::kAllGather, bytes, 0, ""));
  } else {
    std::vector<int> ranks;
    for (int rank : members) ranks.push_back(map_.world(rank));
    Planner planner(Subset(world_->topology(), ranks), {}, false);
    CCL_ASSIGN_OR_RETURN(plan, planner.Choose(Collective::kAllGather, bytes, 0, ""));
    map = RankMap(std::move(ranks));
  }
  return GatherBySending(plan->program, index, control_context(), std::move(map), std::move(says),
                         std::move(gathering));
}

}  // namespace ccl
