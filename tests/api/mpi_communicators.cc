// Communicators of MPI ranks: split, nested, shrunk, many. Run by mpirun.
#include <numeric>
#include <vector>

#include "ccl/ccl.h"
#include "tests/api/check.h"

namespace {

using ccl_test::Sum;

int CountOf(cclComm_t comm) {
  int count = 0;
  CHECK_CCL(cclCommCount(comm, &count));
  return count;
}

}  // namespace

int main() {
  const int n = ccl_test::Ranks(), rank = ccl_test::Rank();
  cclUniqueId id = {};
  cclComm_t world = nullptr, half = nullptr, pair = nullptr, none = nullptr;
  CHECK_CCL(cclCommInitRank(&world, n, id, rank));

  // What a group would take, without running it: the numbers that pair calls are as before.
  cclSimInfo_t info = CCL_SIM_INFO_INITIALIZER;
  int unused = 0, told = rank;
  CHECK_CCL(cclGroupStart());
  CHECK_CCL(cclAllReduce(&rank, &unused, 1, cclInt, cclSum, world, nullptr));
  CHECK_CCL(cclSend(&rank, 1, cclInt, (rank + 1) % n, world, nullptr));
  CHECK_CCL(cclRecv(&told, 1, cclInt, (rank + n - 1) % n, world, nullptr));
  CHECK_CCL(cclGroupSimulateEnd(&info));
  CHECK_THAT((info.estimatedTime > 0) == (n > 1) && told == rank);
  cclExplanation_t explanation = CCL_EXPLANATION_INITIALIZER;
  CHECK_CCL(cclExplain(world, cclCollAllReduce, 1, cclInt, cclSum, 0, nullptr, &explanation));
  CHECK_THAT(explanation.candidateCount > 0 && explanation.choice.algorithm[0] != '\0');

  CHECK_CCL(cclCommSplit(world, rank % 2, -rank, &half, nullptr));
  CHECK_THAT(CountOf(half) == (n + 1 - rank % 2) / 2);
  int wanted = 0;
  for (int r = rank % 2; r < n; r += 2) wanted += r;
  CHECK_THAT(Sum(half, rank) == wanted);

  CHECK_CCL(cclCommSplit(half, 0, 0, &pair, nullptr));
  CHECK_CCL(cclCommSplit(world, rank == 0 ? CCL_SPLIT_NOCOLOR : 1, 0, &none, nullptr));
  CHECK_THAT((none == nullptr) == (rank == 0));
  if (none != nullptr) CHECK_THAT(Sum(none, 1) == n - 1);
  CHECK_THAT(Sum(pair, rank) == wanted);
  CHECK_THAT(Sum(world, 1) == n);

  // Two parents at once, asked for in different orders: both want numbers of the same ranks.
  cclComm_t a = nullptr, b = nullptr;
  CHECK_CCL(cclGroupStart());
  if (rank % 2 == 0) CHECK_CCL(cclCommSplit(world, 0, 0, &a, nullptr));
  CHECK_CCL(cclCommSplit(half, 0, 0, &b, nullptr));
  if (rank % 2 == 1) CHECK_CCL(cclCommSplit(world, 0, 0, &a, nullptr));
  CHECK_CCL(cclGroupEnd());
  std::vector<int> x(5000, 1), y(5000, 1);
  CHECK_CCL(cclGroupStart());
  CHECK_CCL(cclAllReduce(x.data(), x.data(), x.size(), cclInt, cclSum, a, nullptr));
  CHECK_CCL(cclAllReduce(y.data(), y.data(), y.size(), cclInt, cclSum, b, nullptr));
  CHECK_CCL(cclGroupEnd());
  CHECK_CCL(cclCommSynchronize(b));
  CHECK_CCL(cclCommSynchronize(a));
  CHECK_THAT(x == std::vector<int>(5000, n));
  CHECK_THAT(y == std::vector<int>(5000, CountOf(half)));

  // Numbers come back.
  for (int i = 0; i < 1500; ++i) {
    cclComm_t one = nullptr;
    CHECK_CCL(cclCommSplit(half, 0, 0, &one, nullptr));
    CHECK_CCL(cclCommDestroy(one));
  }

  // Without waiting.
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  cclComm_t later = nullptr;
  const cclResult_t begun = cclCommSplit(world, 0, 0, &later, &config);
  CHECK_THAT(begun == cclInProgress || begun == cclSuccess);
  cclResult_t error = cclInProgress;
  while (error == cclInProgress) CHECK_CCL(cclCommGetAsyncError(later, &error));
  CHECK_THAT(error == cclSuccess);
  CHECK_THAT(Sum(later, 1) == n);

  if (n > 1) {
    // The last rank stays behind.
    const int last = n - 1;
    cclComm_t rest = nullptr;
    if (rank != last) {
      CHECK_CCL(cclCommShrink(world, &last, 1, &rest, nullptr, CCL_SHRINK_DEFAULT));
      CHECK_THAT(Sum(rest, 1) == n - 1);
    }
    CHECK_THAT(Sum(world, 1) == n);
    CHECK_CCL(cclCommDestroy(rest));
  }
  for (cclComm_t comm : {world, half, none, a}) CHECK_CCL(cclCommDestroy(comm));
  CHECK_THAT(Sum(pair, rank) == wanted);
  for (cclComm_t comm : {pair, b, later}) CHECK_CCL(cclCommDestroy(comm));
  return 0;
}
