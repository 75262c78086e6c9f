// A rank that has shared memory with the others, has used it and waits to be killed: says on which process,
// when all are ready. Run by remains_test.py.
#include <unistd.h>

#include <cstdio>
#include <vector>

#include "tests/api/check.h"

int main() {
  cclComm_t comm = nullptr;
  CHECK_CCL(cclCommInitRank(&comm, ccl_test::Ranks(), {}, ccl_test::Rank()));
  void* allocated = nullptr;
  CHECK_CCL(cclMemAlloc(&allocated, 1 << 20));
  std::vector<float> data(1 << 20, 1);
  CHECK_CCL(cclAllReduce(data.data(), data.data(), data.size(), cclFloat, cclSum, comm, nullptr));
  CHECK_CCL(cclCommSynchronize(comm));
  CHECK_THAT(ccl_test::Sum(comm) == ccl_test::Ranks());
  std::printf("ready: %d\n", static_cast<int>(getpid()));
  std::fflush(stdout);
  for (int seconds = 0; seconds < 60; ++seconds) sleep(1);
  return 1;  // nobody has killed it
}
