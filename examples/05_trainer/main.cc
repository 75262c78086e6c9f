// Lesson 5: a data-parallel trainer. One program for one rank, for MPI processes and for the
// endpoints of an emulated fabric.
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>

#include "examples/05_trainer/trainer.h"

namespace trainer {
namespace {

void SaveWeights(const std::string& path, const std::vector<float>& parameters) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(parameters.data()),
             static_cast<std::streamsize>(parameters.size() * sizeof(float)));
  file.flush();
  if (!file) throw std::runtime_error("cannot write " + path);
}

// A step, on average. Hidden is what the allreduces take `alone`, less what is exposed.
void PrintTime(const StepTime& time, int steps, int64_t alone) {
  const auto us = [&](int64_t sum) { return static_cast<double>(sum) / 1e6 / steps; };
  std::printf("         step %.3f us = compute %.3f + exposed communication %.3f; hidden %.3f\n",
              us(time.total), us(time.compute), us(time.exposed()),
              us(alone * steps - time.exposed()));
}

void Run(const Flags& flags) {
  World world(flags.backend, flags.ranks, flags.algorithm);
  if (flags.batch % world.ranks() != 0) {
    throw std::runtime_error("--batch " + std::to_string(flags.batch) + " is not divisible by " +
                             std::to_string(world.ranks()) + " ranks");
  }
  const Dataset train = LoadDataset(flags.data, "train", flags.samples);
  const Dataset test = LoadDataset(flags.data, "t10k", 0);
  if (train.size() < flags.batch) {
    throw std::runtime_error(std::to_string(train.size()) + " samples do not fill a batch");
  }
  Trainer trainer(flags, world, train);
  const bool prints = world.first_rank() == 0;
  const int64_t alone = world.emulated() ? trainer.CommunicationAlone() : 0;
  if (prints) {
    std::printf("%d rank%s, %d steps of %d samples an epoch\n", world.ranks(),
                world.ranks() == 1 ? "" : "s", trainer.steps_per_epoch(), flags.batch);
  }
  for (int epoch = 1; epoch <= flags.epochs; ++epoch) {
    StepTime time;
    const double loss = trainer.RunEpoch(epoch, time);
    const double accuracy = trainer.Accuracy(test);
    if (!prints) continue;
    std::printf("epoch %d: loss %.4f, test accuracy %.4f\n", epoch, loss, accuracy);
    if (world.emulated()) PrintTime(time, trainer.steps_per_epoch(), alone);
    std::fflush(stdout);
  }
  if (prints && !flags.save_weights.empty()) SaveWeights(flags.save_weights, trainer.parameters());
}

}  // namespace
}  // namespace trainer

int main(int argc, char** argv) {
  try {
    const trainer::Flags flags = trainer::ParseFlags(argc, argv);
    if (flags.help) {
      std::fputs(trainer::kUsage, stdout);
      return 0;
    }
    trainer::Run(flags);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "05_trainer: %s\n", error.what());
    return 1;
  }
  return 0;
}
