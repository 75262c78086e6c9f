#include "examples/05_trainer/trainer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

namespace trainer {

Trainer::Trainer(const Flags& flags, World& world, const Dataset& train)
    : flags_(flags),
      world_(world),
      train_(train),
      share_(flags.batch / world.ranks()),
      ranks_(world.local_ranks()) {
  for (Rank& rank : ranks_) {
    rank.parameters = InitialParameters(flags.seed);
    rank.velocity.assign(kParameters, 0);
    rank.gradient.assign(kParameters, 0);
    gradients_.push_back(rank.gradient.data());
  }
  // Layer 2's gradient is ready first and is a bucket of its own; the rows of layer 1 are shared
  // out among the others. One bucket is everything, when everything is ready.
  constexpr int kRows = kPixels + 1;
  if (flags.buckets == 1) {
    buckets_.push_back({0, kParameters, 0, kRows});
    return;
  }
  buckets_.push_back({0, kLayer2Size, 0, 0});
  const int pieces = std::min(flags.buckets - 1, kRows);
  for (int i = 0; i < pieces; ++i) {
    const int first = kRows * i / pieces, last = kRows * (i + 1) / pieces;
    buckets_.push_back({Layer1Row(first), Layer1Row(last) - Layer1Row(first), first, last});
  }
}

int64_t Trainer::Picoseconds(double flops) const {
  return std::llround(flops * share_ / flags_.flops * 1e12);
}

void Trainer::Step(const int* batch, StepTime& time) {
  const int64_t start = world_.Picoseconds();
  const auto compute = [&](double flops, auto work) {
    const int64_t duration = Picoseconds(flops);
    time.compute += duration;
    world_.Compute(duration, [&] {
      for (size_t i = 0; i < ranks_.size(); ++i) work(ranks_[i], static_cast<int>(i));
    });
  };

  compute(kForwardFlops + kBackward2Flops, [&](Rank& rank, int i) {
    const int* own = batch + static_cast<ptrdiff_t>(world_.first_rank() + i) * share_;
    rank.network.ForwardBackward2(rank.parameters, train_, own, share_, rank.gradient, rank.loss);
  });
  for (const Bucket& bucket : buckets_) {
    // While the rows of this bucket are computed, the buckets before it are being reduced. They
    // share a stream, in order: collectives of a communicator must start in one order everywhere.
    if (bucket.last_row > bucket.first_row) {
      compute(kBackwardRowFlops * (bucket.last_row - bucket.first_row), [&](Rank& rank, int) {
        rank.network.Backward1(bucket.first_row, bucket.last_row, rank.gradient);
      });
    }
    world_.StartSum(gradients_, bucket.begin, bucket.count);
  }
  world_.WaitForSums();
  time.total += world_.Picoseconds() - start;
  for (Rank& rank : ranks_) Update(rank);
}

void Trainer::Update(Rank& rank) const {
  const float scale = 1.0f / static_cast<float>(flags_.batch);
  const float lr = static_cast<float>(flags_.lr), momentum = static_cast<float>(flags_.momentum);
  for (size_t i = 0; i < kParameters; ++i) {
    rank.velocity[i] = momentum * rank.velocity[i] + scale * rank.gradient[i];
    rank.parameters[i] -= lr * rank.velocity[i];
  }
}

double Trainer::RunEpoch(int epoch, StepTime& time) {
  // Every rank shuffles alike, whatever the number of ranks.
  std::vector<int> order(train_.size());
  std::iota(order.begin(), order.end(), 0);
  std::mt19937 random(flags_.seed * 1000003u + static_cast<uint32_t>(epoch));
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);

  for (Rank& rank : ranks_) rank.loss = 0;
  // Samples that do not fill a batch are left out, other ones in each epoch.
  const int steps = steps_per_epoch();
  for (int step = 0; step < steps; ++step) {
    Step(order.data() + static_cast<size_t>(step) * flags_.batch, time);
  }
  std::vector<double> losses;
  for (const Rank& rank : ranks_) losses.push_back(rank.loss);
  return world_.Sum(std::move(losses)) / (static_cast<double>(steps) * flags_.batch);
}

double Trainer::Accuracy(const Dataset& test) {
  std::vector<double> correct;
  for (size_t i = 0; i < ranks_.size(); ++i) {
    const int64_t r = world_.first_rank() + static_cast<int>(i), n = test.size();
    const int begin = static_cast<int>(n * r / world_.ranks());
    const int end = static_cast<int>(n * (r + 1) / world_.ranks());
    correct.push_back(ranks_[i].network.CountCorrect(ranks_[i].parameters, test, begin, end));
  }
  return world_.Sum(std::move(correct)) / test.size();
}

int64_t Trainer::CommunicationAlone() {
  const int64_t start = world_.Picoseconds();
  for (const Bucket& bucket : buckets_) {
    world_.StartSum(gradients_, bucket.begin, bucket.count);
    world_.WaitForSums();
  }
  return world_.Picoseconds() - start;
}

}  // namespace trainer
