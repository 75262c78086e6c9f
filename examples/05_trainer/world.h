// The ranks of a training run that live in this process: all endpoints of an emulated fabric, or
// the one rank of an MPI process. The trainer is written once, as loops over local ranks.
#ifndef EXAMPLES_TRAINER_WORLD_H_
#define EXAMPLES_TRAINER_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ccl/ccl.h"

namespace trainer {

// Throws std::runtime_error with the library's words when a call has failed.
void Check(cclResult_t result);

class World {
 public:
  // `ranks` 0: as many as the launcher started, or one. `algorithm` empty: the library chooses.
  World(const std::string& backend, int ranks, const std::string& algorithm);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  int ranks() const { return ranks_; }
  int first_rank() const { return first_rank_; }  // the local ones are contiguous
  int local_ranks() const { return static_cast<int>(comms_.size()); }
  bool emulated() const { return emulated_; }
  int64_t Picoseconds() const;

  // Each local rank sums [begin, begin + count) of its buffer with everybody's, in place, on the
  // stream of its own that communication has. Does not wait.
  void StartSum(const std::vector<float*>& buffers, size_t begin, size_t count);
  // Each local rank computes for so long, on the stream that computing has; waits for it.
  // `meanwhile` is what is really computed.
  void Compute(int64_t picoseconds, const std::function<void()>& meanwhile);
  void WaitForSums();

  // Sum over all ranks of one value a local rank; waits.
  double Sum(std::vector<double> values);

 private:
  int ranks_ = 1;
  int first_rank_ = 0;
  bool emulated_ = false;
  std::vector<cclComm_t> comms_;
  std::vector<cclStream_t> communication_;
};

}  // namespace trainer

#endif  // EXAMPLES_TRAINER_WORLD_H_
