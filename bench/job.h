#ifndef BENCH_JOB_H_
#define BENCH_JOB_H_

#include <memory>
#include <string>
#include <vector>

#include "ccl/communicator.h"

namespace ccl {

// One thing to run on all ranks: a collective, or every rank sending to the next (`sendrecv`).
struct Trial {
  Collective collective = Collective::kAllReduce;
  bool sendrecv = false;
  DataType type = DataType::kFloat32;
  ReduceOp op = ReduceOp::kSum;
  int root = 0;
  uint64_t count = 0;     // as the call takes it
  bool in_place = false;
  std::string algorithm;  // empty: the planner's choice
  int iterations = 1;
  int warmup = 0;
  bool check = true;
};

struct Outcome {
  double seconds = 0;     // of one iteration, the slowest rank's
  int64_t wrong = 0;      // elements over all ranks; -1: not checked
  std::string algorithm;  // that ran
  Actors actors;          // the ranks that ran, and why not fewer
};

// The ranks of this process in a world, driven from one thread.
class Job {
 public:
  static absl::StatusOr<std::unique_ptr<Job>> Open(const Options& options, int ranks);

  World& world() { return *world_; }
  int ranks() const { return world_->engine().ranks(); }
  bool virtual_time() const { return world_->engine().abilities().virtual_time; }
  bool speaks() const { return world_->engine().local_ranks().front() == 0; }  // prints

  // Collective over the processes. In virtual time one iteration is as good as many.
  absl::StatusOr<Outcome> Run(const Trial& trial);

 private:
  explicit Job(std::shared_ptr<World> world) : world_(std::move(world)) {}
  absl::Status Iterate(const Trial& trial, const Choice& choice, const std::vector<Request>& requests);
  absl::StatusOr<double> Combine(double value, ReduceOp op);

  std::shared_ptr<World> world_;
  std::vector<std::unique_ptr<Communicator>> communicators_;  // of the local ranks
  std::vector<Stream*> streams_;
  // The buffers of every local rank, kept from trial to trial: fresh pages cost more than a
  // simulated collective.
  struct Memory {
    std::unique_ptr<char[]> data;
    uint64_t bytes = 0;
    char* Get(uint64_t wanted);
  };
  std::vector<Memory> in_, out_;
};

}  // namespace ccl

#endif  // BENCH_JOB_H_
