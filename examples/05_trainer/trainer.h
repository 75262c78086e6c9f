// Data-parallel training: the steps, the buckets of the gradient, and where a step's time goes.
#ifndef EXAMPLES_TRAINER_TRAINER_H_
#define EXAMPLES_TRAINER_TRAINER_H_

#include <cstdint>
#include <vector>

#include "examples/05_trainer/dataset.h"
#include "examples/05_trainer/flags.h"
#include "examples/05_trainer/network.h"
#include "examples/05_trainer/world.h"

namespace trainer {

// Virtual picoseconds, summed over steps.
struct StepTime {
  int64_t total = 0;    // measured, with communication overlapped
  int64_t compute = 0;  // charged
  int64_t exposed() const { return total - compute; }
};

class Trainer {
 public:
  Trainer(const Flags& flags, World& world, const Dataset& train);

  int steps_per_epoch() const { return train_.size() / flags_.batch; }
  // Returns the mean loss of the epoch's samples.
  double RunEpoch(int epoch, StepTime& time);
  // The fraction of `test` that is classified correctly; the ranks share the work.
  double Accuracy(const Dataset& test);
  // Virtual picoseconds of a step's allreduces with nothing else going on, one after the other.
  int64_t CommunicationAlone();
  // Of the first local rank; equal on all.
  const std::vector<float>& parameters() const { return ranks_[0].parameters; }

 private:
  // A rank has its own copy of everything that a process would have.
  struct Rank {
    std::vector<float> parameters, velocity, gradient;
    Network network;
    double loss = 0;
  };
  // A piece of the gradient: [begin, begin + count), made of these rows of layer 1; none in the
  // first, which is layer 2's.
  struct Bucket {
    size_t begin = 0, count = 0;
    int first_row = 0, last_row = 0;
  };

  void Step(const int* batch, StepTime& time);
  void Update(Rank& rank) const;
  int64_t Picoseconds(double flops) const;

  const Flags& flags_;
  World& world_;
  const Dataset& train_;
  const int share_;  // samples of a rank in a step
  std::vector<Rank> ranks_;
  std::vector<float*> gradients_;
  std::vector<Bucket> buckets_;
};

}  // namespace trainer

#endif  // EXAMPLES_TRAINER_TRAINER_H_
