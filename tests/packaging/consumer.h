/* What every consumer does: 8 emulated ranks sum 1000 numbers each. Returns the number of failures.
 * C99 and C++. */
#ifndef TESTS_PACKAGING_CONSUMER_H_
#define TESTS_PACKAGING_CONSUMER_H_

#include <stdio.h>

#include "ccl/ccl.h"

static int Check(cclResult_t result, const char* what) {
  if (result == cclSuccess) return 0;
  fprintf(stderr, "%s: %s: %s\n", what, cclGetErrorString(result), cclGetLastError(NULL));
  return 1;
}

static int EmulatedAllReduce(void) {
  enum { kRanks = 8, kCount = 1000 };
  static float in[kRanks][kCount], out[kRanks][kCount];
  cclComm_t comms[kRanks];
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  int failures = 0, wrong = 0, version = 0, rank, i;
  config.backend = "emulated:cloudmatrix384";
  failures += Check(cclGetVersion(&version), "cclGetVersion");
  if (version != CCL_VERSION_CODE) {
    fprintf(stderr, "the library is version %d, its header %d\n", version, CCL_VERSION_CODE);
    ++failures;
  }
  if (Check(cclCommInitAllConfig(comms, kRanks, NULL, &config), "cclCommInitAllConfig")) return 1;
  failures += Check(cclGroupStart(), "cclGroupStart");
  for (rank = 0; rank < kRanks; ++rank) {
    for (i = 0; i < kCount; ++i) in[rank][i] = (float)((rank + 1) * (i % 10));
    failures +=
        Check(cclAllReduce(in[rank], out[rank], kCount, cclFloat, cclSum, comms[rank], NULL),
              "cclAllReduce");
  }
  failures += Check(cclGroupEnd(), "cclGroupEnd");
  for (rank = 0; rank < kRanks; ++rank) {
    failures += Check(cclCommSynchronize(comms[rank]), "cclCommSynchronize");
    for (i = 0; i < kCount; ++i) wrong += out[rank][i] != (float)(36 * (i % 10));
    failures += Check(cclCommDestroy(comms[rank]), "cclCommDestroy");
  }
  printf("%d ranks, %d elements, %d wrong\n", kRanks, kCount, wrong);
  return failures + wrong;
}

#endif /* TESTS_PACKAGING_CONSUMER_H_ */
