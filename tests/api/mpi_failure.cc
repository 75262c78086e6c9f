// MPI ranks that fail in one of several ways, which the argument names. Run by mpirun, four of them.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "ccl/ccl.h"
#include "tests/api/check.h"

namespace {

using ccl_test::Sum;

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool Said(const char* text) { return std::strstr(cclGetLastError(nullptr), text) != nullptr; }

// Rank 2 is killed in the middle of an allreduce; the others shrink and go on.
void Kill(cclComm_t comm, int n, int rank) {
  std::vector<float> data(1 << 24, 1);
  const double begun = Seconds();
  CHECK_THAT(cclAllReduce(data.data(), data.data(), data.size(), cclFloat, cclSum, comm, nullptr) ==
             cclSuccess);
  if (rank == 2) {
    cclStreamQuery(nullptr);
    raise(SIGKILL);
  }
  const cclResult_t result = cclCommSynchronize(comm);
  CHECK_THAT(result == cclRemoteError);
  CHECK_THAT(Said("rank 2") && Said("has died"));
  CHECK_THAT(Seconds() - begun < 4);
  const int dead = 2;
  cclComm_t rest = nullptr;
  CHECK_THAT(cclCommShrink(comm, &dead, 1, &rest, nullptr, CCL_SHRINK_ABORT) == cclSuccess);
  CHECK_THAT(Sum(rest) == n - 1);
  CHECK_THAT(cclCommDestroy(comm) == cclSuccess);
  CHECK_THAT(Sum(rest) == n - 1);
  CHECK_THAT(cclCommDestroy(rest) == cclSuccess);
}

// Rank 2 calls another operation than the others.
void Mismatch(cclComm_t comm, int rank) {
  std::vector<float> data(1000, 1);
  const double begun = Seconds();
  CHECK_THAT(cclAllReduce(data.data(), data.data(), rank == 2 ? 999 : 1000, cclFloat, cclSum, comm, nullptr) ==
             cclSuccess);
  CHECK_THAT(cclCommSynchronize(comm) == cclInvalidUsage);
  CHECK_THAT(Said("rank 0 allreduce #2 of 1000") && Said("rank 2 allreduce #2 of 999"));
  CHECK_THAT(Seconds() - begun < 1);
  CHECK_THAT(data == std::vector<float>(1000, 1));
}

// Whether this process has written down that something took too long.
bool Written(int rank) {
  bool found = false;
  char mine[64];
  std::snprintf(mine, sizeof mine, "-%d-r%d-", static_cast<int>(getpid()), rank);
  for (const auto& entry : std::filesystem::directory_iterator(std::getenv("FLIGHTS"))) {
    if (entry.path().filename().string().find(mine) == std::string::npos) continue;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    found = text.str().find("\"why\": \"timeout\"") != std::string::npos &&
            text.str().find("within 1000 ms") != std::string::npos;
  }
  return found;
}

// Rank 2 does not come: the others say what they wait for, and abort.
void Timeout(cclComm_t comm, int rank) {
  int one = 1, sum = 0;
  if (rank == 2) {
    sleep(4);
    return;
  }
  const double begun = Seconds();
  CHECK_THAT(cclAllReduce(&one, &sum, 1, cclInt, cclSum, comm, nullptr) == cclSuccess);
  CHECK_THAT(cclCommSynchronize(comm) == cclTimeout);
  CHECK_THAT(Said("allreduce") && Said("within 1000 ms") && (Said("receive from") || Said("group reduction of")));
  const double taken = Seconds() - begun;
  CHECK_THAT(taken > 0.9 && taken < 3);
  CHECK_THAT(Written(rank));
}

}  // namespace

int main(int, char** argv) {
  const std::string how = argv[1];
  const int n = ccl_test::Ranks(), rank = ccl_test::Rank();
  cclUniqueId id = {};
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  cclComm_t comm = nullptr;
  config.timeoutMs = how == "timeout" ? 1000 : 2000;
  config.check = how == "mismatch";
  config.abortOnTimeout = 1;
  if (how == "timeout") config.flightFolder = std::getenv("FLIGHTS");
  CHECK_THAT(cclCommInitRankConfig(&comm, n, id, rank, &config) == cclSuccess);
  CHECK_THAT(Sum(comm) == n);
  if (how == "kill") Kill(comm, n, rank);
  if (how == "mismatch") Mismatch(comm, rank);
  if (how == "timeout") Timeout(comm, rank);
  if (how != "kill") CHECK_THAT(cclCommDestroy(comm) == cclSuccess);
  sleep(1);  // who ends before the others have had their error is another error to them
  std::printf("rank %d: done\n", rank);
  std::fflush(stdout);
  // Peers that have failed do not take part in MPI's own end.
  std::_Exit(0);
}
