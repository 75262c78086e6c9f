#ifndef CCL_COMMUNICATOR_H_
#define CCL_COMMUNICATOR_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/exec/engine.h"
#include "ccl/plan/planner.h"

namespace ccl {

struct Options {
  std::string backend;     // a URL; empty: CCL_BACKEND, else mpi: under mpirun, else emulated:crossbar
  std::string algorithms;  // rules of overrides.h, ahead of CCL_ALGO and CCL_ALGO_FILE
  bool phantom = false;    // sizes without bytes; emulated backends only
};

// The backend's URL: that of the options, or what stands in for it.
std::string BackendOf(const Options& options);

// The ranks of one job as this process sees them. Shared by its communicators; thread-safe.
class World {
 public:
  // Collective over the processes of the job. `ranks`: what the caller expects; 0: what there is.
  // Rank 0's topology and overrides are everybody's. Options that differ between processes are an
  // error, on all of them, that names the first rank to differ and both.
  static absl::StatusOr<std::shared_ptr<World>> Open(const Options& options, int ranks);

  Engine& engine() { return *engine_; }
  Planner& planner() { return *planner_; }
  bool phantom() const { return phantom_; }
  const Topology& topology() const { return topology_; }

  // A rank takes part once, from Join to Leave. FailedPrecondition when it already does, or did.
  absl::Status Join(int rank);
  void Leave(int rank);

 private:
  enum class Part : uint8_t { kNotYet, kTakes, kTook };

  World() = default;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Planner> planner_;
  Topology topology_;
  bool phantom_ = false;
  std::mutex mutex_;
  std::vector<Part> parts_;  // by rank
};

// One rank of a world. All ranks make their collective calls in the same order. Operations are
// queued, in order, and never block; Synchronize waits.
class Communicator {
 public:
  // The calling thread drives the rank from now on.
  static absl::StatusOr<std::unique_ptr<Communicator>> Create(std::shared_ptr<World> world, int rank);
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return rank_; }
  int ranks() const { return world_->engine().ranks(); }
  World& world() { return *world_; }
  std::shared_ptr<World> shared_world() { return world_; }
  Stream* stream() { return stream_.get(); }  // the communicator's own

  // OK, or what is wrong with a request: null buffers, a root out of range, counts whose bytes do
  // not fit, in-place pointers that overlap wrongly. Fills in what the communicator decides.
  absl::Status Validate(Request& request) const;
  // The work of a valid request. `forced`: an algorithm's text, empty to let the planner choose.
  absl::StatusOr<std::unique_ptr<Work>> Make(const Request& request, absl::string_view forced);
  // Point-to-point messages in the order of their calls. They and the work of Make are numbered when
  // they are made, and the numbers pair them with the other ranks': make only what will be enqueued,
  // in the order of the calls. `Unmake` takes the last collective's number back.
  std::unique_ptr<Work> MakeExchange(std::vector<Exchange::Message> messages);
  void Unmake() { --calls_; }
  // The wire channel of the next send to (or receive from) a peer.
  uint16_t NextChannel(bool sends, int peer);

  // Validate, Make and enqueue on the communicator's own stream.
  absl::Status Run(Request request, absl::string_view forced = "");
  absl::Status Synchronize();

 private:
  Communicator(std::shared_ptr<World> world, int rank);

  const std::shared_ptr<World> world_;
  const int rank_;
  const std::unique_ptr<Stream> stream_;
  const uint32_t contexts_;                 // of collectives, used in turn
  const uint32_t channels_;                 // of the backend
  uint64_t calls_ = 0;                      // collectives so far
  absl::flat_hash_map<int, uint64_t> sends_, receives_;  // point-to-point calls so far, by peer
};

}  // namespace ccl

#endif  // CCL_COMMUNICATOR_H_
