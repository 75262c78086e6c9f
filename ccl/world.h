#ifndef CCL_WORLD_H_
#define CCL_WORLD_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ccl/contexts.h"
#include "ccl/exec/engine.h"
#include "ccl/options.h"
#include "ccl/plan/planner.h"

namespace ccl {

class FlightDumps;
class Team;

// The backend's URL: that of the options, or what stands in for it.
std::string BackendOf(const Options& options);

// The rules of `options` ahead of those of whom it is derived from.
absl::StatusOr<std::vector<Override>> RulesOf(const Options& options,
                                              const std::vector<Override>& inherited);

// The ranks of one job as this process sees them. Shared by its communicators; thread-safe.
class World {
 public:
  ~World();
  // Collective over the processes of the job. `ranks`: what the caller expects; 0: what there is.
  // Rank 0's topology and overrides are everybody's. Options that differ between processes are an
  // error, on all of them, that names the first rank to differ and both.
  static absl::StatusOr<std::shared_ptr<World>> Open(const Options& options, int ranks);

  // Of a backend whose processes agree already, on a topology too: the backend's own, or with figures of it.
  static std::shared_ptr<World> Over(std::unique_ptr<Backend> backend, Topology topology, const Options& options,
                                     std::vector<Override> rules);

  Engine& engine() { return *engine_; }
  Planner& planner() { return *planner_; }
  bool phantom() const { return options_.phantom; }
  const Topology& topology() const { return topology_; }
  const Options& options() const { return options_; }
  // Everybody's overrides, the first to fit wins.
  const std::vector<Override>& rules() const { return rules_; }
  ContextBlocks& contexts() { return *contexts_; }
  // Of communicators that write what they have done when they fail; made when it is first asked for.
  FlightDumps& dumps();

  // All ranks of the world. One while somebody has it.
  static std::shared_ptr<Team> TeamOf(const std::shared_ptr<World>& world);

  // A rank joins the world's own communicator once. FailedPrecondition when it already does, or did.
  absl::Status Join(int rank);
  // Of the world's own communicator.
  void LeaveTeam(int rank);
  // Communicators of a rank, the world's own and others: it takes part until it has none.
  void Enter(int rank);
  void Leave(int rank);

 private:
  enum class Part : uint8_t { kNotYet, kTakes, kTook };

  World();
  Options options_;
  std::unique_ptr<FlightDumps> dumps_;  // outlives the engine, which calls it
  std::unique_ptr<Engine> engine_;
  std::vector<Override> rules_;
  std::unique_ptr<Planner> planner_;
  std::unique_ptr<ContextBlocks> contexts_;
  Topology topology_;
  std::mutex mutex_;
  std::weak_ptr<Team> team_;
  std::vector<Part> parts_;        // by rank
  std::vector<int> communicators_;  // by rank
};

}  // namespace ccl

#endif  // CCL_WORLD_H_
