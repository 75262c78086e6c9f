#ifndef EXAMPLES_TRAINER_FLAGS_H_
#define EXAMPLES_TRAINER_FLAGS_H_

#include <cstdint>
#include <string>

namespace trainer {

struct Flags {
  std::string backend;    // empty: mpi: under mpirun, else emulated:crossbar
  std::string algorithm;  // empty: the library chooses
  std::string data = "/usr/share/datasets/fashion-mnist";
  std::string save_weights;
  int ranks = 0;  // 0: what mpirun started, or one
  int epochs = 1;
  int batch = 128;
  int buckets = 4;
  int samples = 0;  // 0: all
  uint32_t seed = 1;
  double lr = 0.05;
  double momentum = 0.9;
  double flops = 1e12;
  bool help = false;
};

// Throws std::runtime_error that names the flag and what is wrong with it.
Flags ParseFlags(int argc, char** argv);
extern const char kUsage[];

}  // namespace trainer

#endif  // EXAMPLES_TRAINER_FLAGS_H_
