// A program that has started MPI at the level its argument names, and lends it. Run by mpirun.
#include <mpi.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "ccl/ccl.h"
#include "ccl/mpi.h"
#include "tests/api/check.h"

namespace {

using ccl_test::Sum;

void Set(void* flag) { *static_cast<std::atomic<bool>*>(flag) = true; }

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  const int level = name == "single"       ? MPI_THREAD_SINGLE
                    : name == "funneled"   ? MPI_THREAD_FUNNELED
                    : name == "serialized" ? MPI_THREAD_SERIALIZED
                                           : MPI_THREAD_MULTIPLE;
  int provided = 0, n = 0;
  MPI_Init_thread(&argc, &argv, level, &provided);
  CHECK_THAT(provided == level);
  MPI_Comm_size(MPI_COMM_WORLD, &n);
  cclComm_t comm = nullptr;
  CHECK_THAT(cclCommInitMpi(&comm, MPI_COMM_WORLD) == cclSuccess);
  CHECK_THAT(Sum(comm) == n);
  std::thread([&] {
    if (level >= MPI_THREAD_SERIALIZED) {
      CHECK_THAT(Sum(comm) == n);
      return;
    }
    const int one = 1;
    int sum = 0;
    CHECK_THAT(cclAllReduce(&one, &sum, 1, cclInt, cclSum, comm, nullptr) == cclInvalidUsage);
    CHECK_THAT(std::string(cclGetLastError(comm)).find("MPI_THREAD_SINGLE or FUNNELED") !=
               std::string::npos);
  }).join();
  if (level == MPI_THREAD_MULTIPLE) {
    // Nobody calls, and yet it ends.
    std::vector<float> data(1 << 20, 1);
    std::atomic<bool> ended{false};
    CHECK_THAT(cclAllReduce(data.data(), data.data(), data.size(), cclFloat, cclSum, comm, nullptr) ==
               cclSuccess);
    CHECK_THAT(cclLaunchHostFunc(comm, nullptr, Set, &ended) == cclSuccess);
    for (int i = 0; i < 3000 && !ended; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    CHECK_THAT(ended);
    CHECK_THAT(data[12345] == static_cast<float>(n));
  }
  CHECK_THAT(Sum(comm) == n);
  CHECK_THAT(cclCommDestroy(comm) == cclSuccess);
  MPI_Finalize();
  return 0;
}
