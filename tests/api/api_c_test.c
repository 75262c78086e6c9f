/* A C99 program that uses ccl.h alone: 4 emulated ranks sum their numbers. */
#include <stdio.h>

#include "ccl/ccl.h"

#define CHECK(call)                                                            \
  do {                                                                         \
    cclResult_t r = (call);                                                    \
    if (r != cclSuccess) {                                                     \
      fprintf(stderr, "%s: %s\n", cclGetErrorString(r), cclGetLastError(NULL)); \
      return 1;                                                                \
    }                                                                          \
  } while (0)

int main(void) {
  enum { kRanks = 4 };
  cclComm_t comms[kRanks];
  float in[kRanks], out[kRanks];
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  int i;
  config.backend = "emulated:crossbar";
  CHECK(cclCommInitAllConfig(comms, kRanks, NULL, &config));
  CHECK(cclGroupStart());
  for (i = 0; i < kRanks; ++i) {
    in[i] = (float)i;
    CHECK(cclAllReduce(&in[i], &out[i], 1, cclFloat, cclSum, comms[i], NULL));
  }
  CHECK(cclGroupEnd());
  for (i = 0; i < kRanks; ++i) CHECK(cclCommSynchronize(comms[i]));
  for (i = 0; i < kRanks; ++i) {
    if (out[i] != 6) return 1;
    CHECK(cclCommDestroy(comms[i]));
  }
  return 0;
}
