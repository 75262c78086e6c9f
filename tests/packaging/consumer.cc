// C++17, with the rank's threads and types one would use there.
#include "consumer.h"

#include <numeric>
#include <string_view>
#include <thread>
#include <vector>

namespace {

// Ranks are threads that share an id.
int OneRank(const cclUniqueId& id, int ranks, int rank, double& sum) {
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.backend = "emulated:crossbar";
  cclComm_t comm = nullptr;
  if (Check(cclCommInitRankConfig(&comm, ranks, id, rank, &config), "cclCommInitRankConfig"))
    return 1;
  const double own = rank;
  int failures =
      Check(cclAllReduce(&own, &sum, 1, cclDouble, cclSum, comm, nullptr), "cclAllReduce");
  failures += Check(cclCommSynchronize(comm), "cclCommSynchronize");
  return failures + Check(cclCommDestroy(comm), "cclCommDestroy");
}

}  // namespace

int main() {
  static_assert(__cplusplus == 201703L, "a consumer keeps its own standard");
  constexpr int kRanks = 4;
  cclUniqueId id;
  if (Check(cclGetUniqueId(&id), "cclGetUniqueId")) return 1;
  std::vector<double> sums(kRanks);
  std::vector<int> failures(kRanks);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < kRanks; ++rank) {
    threads.emplace_back([&, rank] { failures[rank] = OneRank(id, kRanks, rank, sums[rank]); });
  }
  for (std::thread& thread : threads) thread.join();
  int bad = std::accumulate(failures.begin(), failures.end(), 0);
  for (const double sum : sums) bad += sum != 6;
  bad += std::string_view(cclGetErrorString(cclSuccess)).empty();
  return bad + EmulatedAllReduce() != 0;
}
