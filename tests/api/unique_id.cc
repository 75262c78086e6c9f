// Ranks of processes that meet by a unique id and by nothing else: rank 0 makes it and hands it on in a
// file. Usage: cclbench launch -np N -- unique_id FILE; every rank may be several threads' (see main).
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "ccl/ccl.h"
#include "tests/api/check.h"

namespace {

using ccl_test::Sum;

cclUniqueId Exchange(const std::string& path, int rank) {
  cclUniqueId id;
  if (rank == 0) {
    CHECK_CCL(cclGetUniqueId(&id));
    std::ofstream(path + ".new", std::ios::binary).write(id.internal, sizeof id.internal);
    CHECK_THAT(std::rename((path + ".new").c_str(), path.c_str()) == 0);
    return id;
  }
  for (int tries = 0; tries < 5000; ++tries) {
    std::ifstream file(path, std::ios::binary);
    if (file.read(id.internal, sizeof id.internal)) return id;
    usleep(2000);
  }
  CHECK_THAT(!"the id has come");
  return id;
}

}  // namespace

int main(int, char** argv) {
  const std::string path = argv[1];
  const int n = ccl_test::Ranks(), rank = ccl_test::Rank();
  const std::string backend = std::getenv("CCL_BACKEND");
  // What started these processes says nothing more about them.
  for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "CCL_SECRET"}) unsetenv(name);
  cclComm_t comm = nullptr;
  const cclUniqueId id = Exchange(path, rank);
  CHECK_CCL(cclCommInitRank(&comm, n, id, rank));
  int found = -1;
  CHECK_CCL(cclCommUserRank(comm, &found));
  CHECK_THAT(found == rank);
  CHECK_THAT(Sum(comm, rank) == n * (n - 1) / 2);
  // Two at once, and communicators of communicators.
  cclComm_t half = nullptr, second = nullptr;
  CHECK_CCL(cclCommSplit(comm, rank % 2, -rank, &half, nullptr));
  CHECK_THAT(Sum(half) == (n + 1 - rank % 2) / 2);
  CHECK_CCL(cclCommInitRank(&second, n, Exchange(path + ".second", rank), rank));
  CHECK_THAT(Sum(second) == n);
  CHECK_THAT(Sum(comm) == n);
  CHECK_CCL(cclCommDestroy(second));
  CHECK_CCL(cclCommDestroy(half));
  CHECK_CCL(cclCommDestroy(comm));
  // Ranks that are threads of one process find each other all the same.
  cclUniqueId inside;
  CHECK_CCL(cclGetUniqueId(&inside));
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      cclComm_t own = nullptr;
      CHECK_CCL(cclCommInitRank(&own, 2, inside, i));
      CHECK_THAT(Sum(own, i + 1) == 3);
      CHECK_CCL(cclCommDestroy(own));
    });
  }
  for (std::thread& thread : threads) thread.join();
  // An id that was made for something else, and nothing in the environment.
  const cclUniqueId none = {};
  CHECK_THAT(cclCommInitRank(&comm, n + 1, none, rank) == cclInvalidArgument);
  CHECK_THAT(std::strstr(cclGetLastError(nullptr), "MASTER_ADDR") != nullptr);
  std::printf("rank %d: done over %s\n", rank, backend.c_str());
  return 0;
}
