// Lesson 3: what an allreduce costs depends on the fabric, the algorithm and the size. The same
// buffers are summed by 16 ranks on two emulated fabrics by two algorithms; virtual time is exact,
// so that a difference of a nanosecond means something.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "ccl/ccl.h"
#include "examples/check.h"

namespace {

constexpr int kRanks = 16;

// The virtual picoseconds of one allreduce of `count` floats.
int64_t Measure(const std::string& fabric, const std::string& algorithm, size_t count) {
  const std::string backend = "emulated:" + fabric;
  const std::string rule = "allreduce:@" + algorithm;
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.backend = backend.c_str();
  config.algorithms = rule.c_str();  // without it the library chooses by its cost model
  std::vector<cclComm_t> comms(kRanks);
  CHECK(cclCommInitAllConfig(comms.data(), kRanks, nullptr, &config));

  std::vector<std::vector<float>> data(kRanks);
  for (int r = 0; r < kRanks; ++r) data[r].assign(count, static_cast<float>(r));
  CHECK(cclGroupStart());
  for (int r = 0; r < kRanks; ++r) {
    CHECK(cclAllReduce(data[r].data(), data[r].data(), count, cclFloat, cclSum, comms[r], nullptr));
  }
  CHECK(cclGroupEnd());
  for (cclComm_t comm : comms) CHECK(cclCommSynchronize(comm));

  int64_t time = 0;  // a world's clock starts at zero
  CHECK(cclCommGetTime(comms[0], &time));
  for (cclComm_t comm : comms) CHECK(cclCommDestroy(comm));
  for (const std::vector<float>& buffer : data) {
    for (float value : buffer) {
      if (value != kRanks * (kRanks - 1) / 2.0f) {
        std::fprintf(stderr, "wrong sum %g\n", value);
        std::exit(1);
      }
    }
  }
  return time;
}

}  // namespace

int main() {
  std::printf("allreduce of %d ranks, virtual microseconds\n", kRanks);
  std::printf("%-16s %-10s %10s %10s\n", "fabric", "algorithm", "4 KiB", "4 MiB");
  for (const char* fabric : {"crossbar", "cloudmatrix384"}) {
    for (const char* algorithm : {"ring", "two_shot"}) {
      std::printf("%-16s %-10s", fabric, algorithm);
      for (size_t bytes : {size_t{4} << 10, size_t{4} << 20}) {
        std::printf(" %10.3f", static_cast<double>(Measure(fabric, algorithm, bytes / 4)) / 1e6);
      }
      std::printf("\n");
    }
  }
  return 0;
}
