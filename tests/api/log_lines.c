/* Makes calls of every kind, for the log. */
#include <stdio.h>

#include "ccl/ccl.h"

int main(void) {
  cclComm_t comms[2];
  void *memory = NULL, *handle = NULL;
  int in[2] = {1, 2}, out[2] = {0, 0}, r;
  if (cclMemAlloc(&memory, 100) != cclSuccess) return 1;
  if (cclCommInitAll(comms, 2, NULL) != cclSuccess) return 1;
  if (cclCommRegister(comms[0], memory, 100, &handle) != cclSuccess) return 1;
  cclGroupStart();
  for (r = 0; r < 2; ++r) cclAllReduce(&in[r], &out[r], 1, cclInt, cclSum, comms[r], NULL);
  if (cclGroupEnd() != cclSuccess) return 1;
  cclGroupStart();
  cclSend(&in[0], 1, cclInt, 1, comms[0], NULL);
  cclRecv(&out[1], 1, cclInt, 0, comms[1], NULL);
  if (cclGroupEnd() != cclSuccess) return 1;
  if (cclBroadcast(in, in, 1, cclInt, 7, comms[0], NULL) == cclSuccess) return 1;
  for (r = 0; r < 2; ++r) {
    if (cclCommSynchronize(comms[r]) != cclSuccess) return 1;
  }
  for (r = 0; r < 2; ++r) cclCommDestroy(comms[r]);
  return cclMemFree(memory) == cclSuccess ? 0 : 1;
}
