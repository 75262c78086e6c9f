// For programs of their own that tests start, under mpirun too: what does not hold ends the process, with
// a line that says where and on which rank.
#ifndef TESTS_API_CHECK_H_
#define TESTS_API_CHECK_H_

#include <cstdio>
#include <cstdlib>

#include "ccl/ccl.h"

namespace ccl_test {

// Of mpirun, or of cclbench launch and its like; `standard` without any.
inline int FromLauncher(const char* mpirun, const char* other, int standard) {
  const char* text = std::getenv(mpirun);
  if (text == nullptr) text = std::getenv(other);
  return text == nullptr ? standard : std::atoi(text);
}
inline int Rank() { return FromLauncher("OMPI_COMM_WORLD_RANK", "RANK", 0); }
inline int Ranks() { return FromLauncher("OMPI_COMM_WORLD_SIZE", "WORLD_SIZE", 1); }

// Without an orderly end, for which other ranks would have to come.
[[noreturn]] inline void Fail(const char* file, int line, const char* what) {
  std::fprintf(stderr, "rank %d: %s:%d: not %s: %s\n", Rank(), file, line, what, cclGetLastError(nullptr));
  std::fflush(stderr);
  std::_Exit(1);
}

#define CHECK_THAT(condition)                                                 \
  do {                                                                        \
    if (!(condition)) ccl_test::Fail(__FILE__, __LINE__, #condition);         \
  } while (false)
#define CHECK_CCL(call) CHECK_THAT((call) == cclSuccess)

// What the ranks of a communicator pass, summed up.
inline int Sum(cclComm_t comm, int in = 1) {
  int out = -1;
  CHECK_CCL(cclAllReduce(&in, &out, 1, cclInt, cclSum, comm, nullptr));
  CHECK_CCL(cclCommSynchronize(comm));
  return out;
}

}  // namespace ccl_test

#endif  // TESTS_API_CHECK_H_
