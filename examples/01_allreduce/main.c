/* Lesson 1: one thread, four emulated ranks, one allreduce. */
#include <stdio.h>

#include "ccl/ccl.h"
#include "examples/check.h"

enum { kRanks = 4, kCount = 3 };

int main(void) {
  cclComm_t comms[kRanks];
  float in[kRanks][kCount], out[kRanks][kCount];
  int64_t picoseconds = 0;
  int r, i;
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.backend = "emulated:crossbar";
  CHECK(cclCommInitAllConfig(comms, kRanks, NULL, &config));

  for (r = 0; r < kRanks; ++r) {
    for (i = 0; i < kCount; ++i) in[r][i] = (float)(10 * r + i);
  }

  /* One thread drives all ranks: outside a group, waiting for rank 0 would be waiting for ranks
   * that have not been asked yet. */
  CHECK(cclGroupStart());
  for (r = 0; r < kRanks; ++r) {
    CHECK(cclAllReduce(in[r], out[r], kCount, cclFloat, cclSum, comms[r], NULL));
  }
  CHECK(cclGroupEnd());
  /* The call above only queued the work; the buffers are the library's until here. */
  for (r = 0; r < kRanks; ++r) CHECK(cclCommSynchronize(comms[r]));

  for (r = 0; r < kRanks; ++r) {
    printf("rank %d: %2g %2g %2g -> %g %g %g\n", r, in[r][0], in[r][1], in[r][2], out[r][0],
           out[r][1], out[r][2]);
  }
  CHECK(cclCommGetTime(comms[0], &picoseconds));
  printf("virtual time: %.3f us\n", (double)picoseconds / 1e6);
  for (r = 0; r < kRanks; ++r) CHECK(cclCommDestroy(comms[r]));
  return 0;
}
