#ifndef CCL_TEAM_H_
#define CCL_TEAM_H_

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "ccl/exec/gathering.h"
#include "ccl/exec/signature.h"
#include "ccl/exec/windows.h"
#include "ccl/world.h"

namespace ccl {

// Contexts of one communicator: given back when nobody has it any more, unless they are spoilt.
class ContextBlock {
 public:
  ContextBlock(std::shared_ptr<World> world, uint32_t number)
      : world_(std::move(world)), number_(number) {}
  ~ContextBlock() {
    if (number_ > 0 && !spoilt_) world_->contexts().Give(number_);
  }
  ContextBlock(const ContextBlock&) = delete;
  ContextBlock& operator=(const ContextBlock&) = delete;

  uint32_t first() const { return number_ * world_->contexts().size(); }
  // Something under way in it will never be received: it is used no more.
  void Spoil() { spoilt_ = true; }

 private:
  const std::shared_ptr<World> world_;
  const uint32_t number_;
  std::atomic<bool> spoilt_{false};
};

struct Resolution;
class Formation;

// Where one rank of a communicator talks to the others about it, one thing after the other.
struct Control {
  // `rank` is the world's. An answer may take as long as an operation.
  Control(std::shared_ptr<World> of, int rank, Time timeout)
      : world(std::move(of)),
        stream(world->engine().NewStream(rank, std::make_shared<Scope>(timeout))) {}
  ~Control() { world->engine().Drop(stream.get()); }

  const std::shared_ptr<World> world;
  const std::unique_ptr<Stream> stream;
  std::deque<Formation*> queue;  // the front is under way
};

// The ranks of one communicator, in their order: those of a world, or some of them. Shared by the
// communicators of this process; thread-safe.
class Team {
 public:
  // All ranks of a world.
  explicit Team(std::shared_ptr<World> world);
  // Some, by their numbers in the world.
  Team(std::shared_ptr<World> world, std::vector<int> ranks, std::shared_ptr<ContextBlock> block,
       const Options& options, std::vector<Override> rules);

  World& world() { return *world_; }
  const std::shared_ptr<World>& shared_world() { return world_; }
  bool whole() const { return own_planner_ == nullptr; }  // the world's own
  int ranks() const { return ranks_; }
  const RankMap& map() const { return map_; }
  const Options& options() const { return options_; }
  Planner& planner() { return *planner_; }
  const Topology& topology() const { return whole() ? world_->topology() : topology_; }
  const std::vector<Override>& rules() const { return rules_; }
  ContextBlock& contexts() { return *block_; }

  // The contexts of a communicator. What it says about itself and messages of point-to-point calls
  // have one each. Every collective has its own, counted in the order of the calls, which is the
  // same on all ranks: two that are under way at once, on two streams, never meet.
  uint32_t control_context() const { return block_->first(); }
  uint32_t exchange_context() const { return block_->first() + 1; }
  uint32_t ContextOf(uint64_t call) const {
    return block_->first() + 2 + static_cast<uint32_t>(call % (world_->contexts().size() - 2));
  }

  // The work by which `member` tells the others of `members` (ranks of the team, ascending; empty:
  // all) what it has to say, and hears them.
  absl::StatusOr<std::unique_ptr<Work>> Gather(const std::vector<int>& members, int member,
                                               std::string says, const std::string& what,
                                               std::shared_ptr<Gathering> gathering);
  // Whether calls are compared between ranks.
  bool checks() const { return checks_; }
  Ledger& ledger() { return ledger_; }
  // The communicators of this process: all of them fail together when their ranks disagree.
  void SetScope(int rank, Scope* scope);  // null: it is gone
  void FailAll(const absl::Status& error);

  // Windows of all ranks, which are in this process; made when they are first asked for.
  std::shared_ptr<WindowTable> windows();

  // What came of a gathering: one for all members of this process, each of which asks once.
  std::shared_ptr<Resolution> ResolutionOf(const Gathering::Said& said);

 private:
  struct OpenMeeting {
    std::vector<int> members;
    std::shared_ptr<Meeting> meeting;
  };

  const std::shared_ptr<World> world_;
  const RankMap map_;
  const int ranks_;
  const std::shared_ptr<ContextBlock> block_;
  const Options options_;
  Topology topology_;
  std::vector<Override> rules_;
  std::unique_ptr<Planner> own_planner_;
  Planner* planner_;
  std::mutex mutex_;
  std::vector<OpenMeeting> meetings_;
  std::shared_ptr<WindowTable> windows_;
  const bool checks_;
  Ledger ledger_;
  std::vector<Scope*> scopes_;  // by rank; null: not here
  struct Kept {
    Gathering::Said said;
    std::shared_ptr<Resolution> resolution;
    size_t left;  // members that have not asked
  };
  std::vector<Kept> resolutions_;
};

}  // namespace ccl

#endif  // CCL_TEAM_H_
