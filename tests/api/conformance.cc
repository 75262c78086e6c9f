// Every collective of the C API: all types and reductions, users' too, v-forms, in place and not, each
// call by itself and several in a group, against a slow reference.
//
// Usage: conformance one_thread|threads RANKS; under a launcher: conformance processes, each a rank.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "tests/api/check.h"
#include "tests/api/conformance_run.h"

namespace ccl_test {
namespace {

// All cases on the ranks of this thread, in bundles of so many: one without a group, or several in one.
int RunAll(const std::vector<cclComm_t>& comms, int ranks, int first, size_t bundle) {
  const std::vector<Case> cases = AllCases();
  int wrong = 0;
  for (size_t begin = 0; begin < cases.size(); begin += bundle) {
    std::vector<std::unique_ptr<Run>> runs;
    if (bundle > 1) CHECK_CCL(cclGroupStart());
    for (size_t i = begin; i < std::min(begin + bundle, cases.size()); ++i) {
      for (size_t m = 0; m < comms.size(); ++m) {
        runs.push_back(std::make_unique<Run>(cases[i], ranks, first + static_cast<int>(m), comms[m]));
        runs.back()->Call();
      }
    }
    if (bundle > 1) CHECK_CCL(cclGroupEnd());
    for (cclComm_t comm : comms) CHECK_CCL(cclCommSynchronize(comm));
    for (const auto& run : runs) wrong += run->Wrong();
    if (wrong > 0) return wrong;
  }
  return wrong;
}

int Both(const std::vector<cclComm_t>& comms, int ranks, int first) {
  const int wrong = RunAll(comms, ranks, first, 1);
  return wrong > 0 ? wrong : RunAll(comms, ranks, first, 7);
}

cclComm_t Join(const cclUniqueId& id, int ranks, int rank) {
  cclComm_t comm = nullptr;
  CHECK_CCL(cclCommInitRank(&comm, ranks, id, rank));
  return comm;
}

}  // namespace
}  // namespace ccl_test

using namespace ccl_test;

int main(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "";
  int wrong = 0;
  if (how == "processes") {
    cclComm_t comm = Join({}, Ranks(), Rank());
    wrong = Both({comm}, Ranks(), Rank());
    CHECK_CCL(cclCommDestroy(comm));
    return wrong != 0;
  }
  std::printf("%zu cases, each alone and in a group\n", AllCases().size());
  const int ranks = argc > 2 ? std::atoi(argv[2]) : 0;
  std::vector<cclComm_t> comms(static_cast<size_t>(ranks));
  if (how == "one_thread" && ranks > 0) {
    CHECK_CCL(cclCommInitAll(comms.data(), ranks, nullptr));
    wrong = Both(comms, ranks, 0);
    for (cclComm_t comm : comms) CHECK_CCL(cclCommDestroy(comm));
    return wrong != 0;
  }
  if (how != "threads" || ranks <= 0) {
    std::fprintf(stderr, "usage: conformance one_thread|threads RANKS | conformance processes\n");
    return 2;
  }
  cclUniqueId id;
  CHECK_CCL(cclGetUniqueId(&id));
  std::vector<int> found(static_cast<size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      cclComm_t comm = Join(id, ranks, rank);
      found[static_cast<size_t>(rank)] = Both({comm}, ranks, rank);
      if (found[static_cast<size_t>(rank)] > 0) std::_Exit(1);  // others would wait for it
      CHECK_CCL(cclCommDestroy(comm));
    });
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}
