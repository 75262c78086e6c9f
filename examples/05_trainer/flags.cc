#include "examples/05_trainer/flags.h"

#include <cmath>
#include <cstdlib>
#include <stdexcept>

namespace trainer {

const char kUsage[] =
    "usage: 05_trainer [flags], or mpirun -np N 05_trainer [flags]\n"
    "  --backend URL        mpi:, emulated:FABRIC; default: mpi: under mpirun, else\n"
    "                       emulated:crossbar\n"
    "  --ranks N            emulated endpoints (1)\n"
    "  --epochs N           (1)\n"
    "  --batch N            samples of a step, over all ranks (128)\n"
    "  --lr X               learning rate (0.05)\n"
    "  --momentum X         (0.9)\n"
    "  --seed N             of weights and order of samples (1)\n"
    "  --algorithm TEXT     of the gradient allreduce, e.g. ring; default: the library chooses\n"
    "  --flops RATE         operations a second of an emulated rank (1e12)\n"
    "  --buckets N          pieces of the gradient that are reduced one by one (4)\n"
    "  --samples N          train on the first N samples\n"
    "  --save-weights FILE  the final weights, as raw float32\n"
    "  --data DIR           of Fashion-MNIST (/usr/share/datasets/fashion-mnist)\n";

namespace {

double Number(const std::string& flag, const std::string& text, double low, double high) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value >= low && value <= high)) {
    throw std::runtime_error(flag + " '" + text + "' is not a number in its range");
  }
  return value;
}

int Integer(const std::string& flag, const std::string& text, int low) {
  const double value = Number(flag, text, low, 1e9);
  if (value != std::floor(value)) throw std::runtime_error(flag + " '" + text + "' is not whole");
  return static_cast<int>(value);
}

}  // namespace

Flags ParseFlags(int argc, char** argv) {
  Flags flags;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--help") {
      flags.help = true;
      return flags;
    }
    if (i + 1 == argc) throw std::runtime_error("unknown flag, or one without a value: " + flag);
    const std::string value = argv[++i];
    if (flag == "--backend") flags.backend = value;
    else if (flag == "--algorithm") flags.algorithm = value;
    else if (flag == "--data") flags.data = value;
    else if (flag == "--save-weights") flags.save_weights = value;
    else if (flag == "--ranks") flags.ranks = Integer(flag, value, 1);
    else if (flag == "--epochs") flags.epochs = Integer(flag, value, 1);
    else if (flag == "--batch") flags.batch = Integer(flag, value, 1);
    else if (flag == "--buckets") flags.buckets = Integer(flag, value, 1);
    else if (flag == "--samples") flags.samples = Integer(flag, value, 1);
    else if (flag == "--seed") flags.seed = static_cast<uint32_t>(Integer(flag, value, 0));
    else if (flag == "--lr") flags.lr = Number(flag, value, 0, 1e3);
    else if (flag == "--momentum") flags.momentum = Number(flag, value, 0, 1);
    else if (flag == "--flops") flags.flops = Number(flag, value, 1e3, 1e30);
    else throw std::runtime_error("unknown flag " + flag);
  }
  return flags;
}

}  // namespace trainer
