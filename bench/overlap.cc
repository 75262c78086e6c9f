// cclbench overlap: what a collective takes beside computation that lasts as long.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "bench/c_calls.h"
#include "bench/commands.h"
#include "bench/paired.h"
#include "ccl/base/status.h"
#include "ccl/ccl.h"
#include "ccl/plan/overrides.h"

namespace ccl {
namespace {

struct OverlapOptions {
  std::string size = "16MiB";
  int repetitions = 9;
};

constexpr int kWarmUp = 2;
constexpr uint64_t kBlock = 10'000;   // rounds
constexpr double kToCalibrate = 0.1;  // seconds

// Work that needs a core and no memory. What it comes to must be used.
double Compute(uint64_t rounds) {
  double x = 1;
  for (uint64_t i = 0; i < rounds; ++i) x = x * 0.999999 + 0.5;
  return x;
}

int FromLauncher(const char* mpirun, const char* other, int standard) {
  const char* text = std::getenv(mpirun);
  if (text == nullptr) text = std::getenv(other);
  return text == nullptr ? standard : std::atoi(text);
}

class Measurement {
 public:
  Measurement(cclComm_t comm, size_t count) : comm_(comm), in_(count, 1), out_(count) {}

  // Seconds of the slowest rank, from when all are there. Either may be left out.
  absl::StatusOr<double> Run(bool collective, uint64_t rounds) {
    CCL_RETURN_IF_ERROR(ToStatus(cclBarrier(comm_, nullptr)));
    CCL_RETURN_IF_ERROR(ToStatus(cclCommSynchronize(comm_)));
    const double begin = Seconds();
    if (collective) {
      CCL_RETURN_IF_ERROR(
          ToStatus(cclAllReduce(in_.data(), out_.data(), in_.size(), cclFloat, cclSum, comm_, nullptr)));
    }
    result_ = Compute(rounds);
    if (collective) CCL_RETURN_IF_ERROR(ToStatus(cclCommSynchronize(comm_)));
    double taken = Seconds() - begin;
    CCL_RETURN_IF_ERROR(ToStatus(cclAllReduce(&taken, &taken, 1, cclDouble, cclMax, comm_, nullptr)));
    CCL_RETURN_IF_ERROR(ToStatus(cclCommSynchronize(comm_)));
    return taken;
  }

  // Rounds that take so many seconds on the slowest rank when nothing else happens.
  absl::StatusOr<uint64_t> RoundsFor(double seconds) {
    const double begin = Seconds();
    uint64_t blocks = 0;
    for (; Seconds() - begin < kToCalibrate; ++blocks) result_ = Compute(kBlock);
    double rate = static_cast<double>(blocks * kBlock) / (Seconds() - begin);
    CCL_RETURN_IF_ERROR(ToStatus(cclAllReduce(&rate, &rate, 1, cclDouble, cclMin, comm_, nullptr)));
    CCL_RETURN_IF_ERROR(ToStatus(cclCommSynchronize(comm_)));
    return static_cast<uint64_t>(rate * seconds);
  }

 private:
  const cclComm_t comm_;
  std::vector<float> in_, out_;
  volatile double result_ = 0;
};

// The three kinds take turns, so that what else the machine does meets all of them.
absl::Status Measure(cclComm_t comm, const OverlapOptions& o, int rank, int ranks) {
  CCL_ASSIGN_OR_RETURN(const uint64_t bytes, ParseSize(o.size));
  Measurement measurement(comm, std::max<uint64_t>(1, bytes / sizeof(float)));
  std::vector<double> alone, computing, both;
  for (int i = 0; i < kWarmUp + 3; ++i) {
    CCL_ASSIGN_OR_RETURN(const double seconds, measurement.Run(true, 0));
    if (i >= kWarmUp) alone.push_back(seconds);
  }
  CCL_ASSIGN_OR_RETURN(const uint64_t rounds, measurement.RoundsFor(Median(alone)));
  alone.clear();
  for (int i = 0; i < o.repetitions; ++i) {
    CCL_ASSIGN_OR_RETURN(const double one, measurement.Run(true, 0));
    CCL_ASSIGN_OR_RETURN(const double two, measurement.Run(false, rounds));
    CCL_ASSIGN_OR_RETURN(const double three, measurement.Run(true, rounds));
    alone.push_back(one);
    computing.push_back(two);
    both.push_back(three);
  }
  if (rank > 0) return absl::OkStatus();
  const double a = Median(alone), c = Median(computing), b = Median(both);
  std::printf("# allreduce of %llu bytes on %d ranks, medians of %d\n", static_cast<unsigned long long>(bytes), ranks,
              o.repetitions);
  std::printf("alone %.0f us, computation %.0f us, both at once %.0f us: %.2f times the longer, %.2f times the "
              "sum\n", 1e6 * a, 1e6 * c, 1e6 * b, b / std::max(a, c), b / (a + c));
  return absl::OkStatus();
}

absl::Status Overlap(const OverlapOptions& o) {
  const int rank = FromLauncher("OMPI_COMM_WORLD_RANK", "RANK", 0);
  const int ranks = FromLauncher("OMPI_COMM_WORLD_SIZE", "WORLD_SIZE", 1);
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  if (std::getenv("CCL_BACKEND") == nullptr) config.backend = "mpi:";
  cclUniqueId id = {};
  cclComm_t comm = nullptr;
  CCL_RETURN_IF_ERROR(ToStatus(cclCommInitRankConfig(&comm, ranks, id, rank, &config)));
  const absl::Status status = Measure(comm, o, rank, ranks);
  const absl::Status end = ToStatus(cclCommDestroy(comm));
  return status.ok() ? end : status;
}

}  // namespace

void AddOverlap(CLI::App& app, Command& run) {
  auto o = std::make_shared<OverlapOptions>();
  CLI::App* sub = app.add_subcommand("overlap", "An allreduce beside computation that lasts as long (real ranks)");
  sub->add_option("-s,--size", o->size, "bytes of the buffer")->capture_default_str();
  sub->add_option("-n,--repetitions", o->repetitions, "of each")->check(CLI::Range(3, 1000))->capture_default_str();
  sub->footer("Started by mpirun, or as several ranks by cclbench launch. Times are the slowest rank's.");
  sub->callback([o, &run] {
    run = [o] {
      const absl::Status status = Overlap(*o);
      return status.ok() ? 0 : Fail(status);
    };
  });
}

}  // namespace ccl
