// Lesson 2: a thread per rank. The threads find each other by a unique id and need no group.
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include "ccl/ccl.h"
#include "examples/check.h"

namespace {

constexpr int kRanks = 4;

// What a rank knows at its end. Printed by main, so that the lines come in order.
struct Report {
  int sum = 0;
  int from_left = 0;
};

void RunRank(cclUniqueId id, int rank, Report& report) {
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.backend = "emulated:crossbar";
  cclComm_t comm;
  CHECK(cclCommInitRankConfig(&comm, kRanks, id, rank, &config));

  const int mine = 100 + rank;
  CHECK(cclAllReduce(&mine, &report.sum, 1, cclInt, cclSum, comm, nullptr));

  // A send and the receive that it may have to wait for start together in a group.
  CHECK(cclGroupStart());
  CHECK(cclSend(&mine, 1, cclInt, (rank + 1) % kRanks, comm, nullptr));
  CHECK(cclRecv(&report.from_left, 1, cclInt, (rank + kRanks - 1) % kRanks, comm, nullptr));
  CHECK(cclGroupEnd());

  CHECK(cclCommSynchronize(comm));
  CHECK(cclCommDestroy(comm));
}

}  // namespace

int main() {
  cclUniqueId id;
  CHECK(cclGetUniqueId(&id));
  std::vector<Report> reports(kRanks);
  std::vector<std::thread> threads;
  threads.reserve(kRanks);
  for (int rank = 0; rank < kRanks; ++rank) {
    threads.emplace_back(RunRank, id, rank, std::ref(reports[rank]));
  }
  for (std::thread& thread : threads) thread.join();
  for (int rank = 0; rank < kRanks; ++rank) {
    std::printf("rank %d: sum %d, from the left %d\n", rank, reports[rank].sum,
                reports[rank].from_left);
  }
  return 0;
}
