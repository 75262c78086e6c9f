/* A program that was written for NCCL, as it is: C99. */
#include <stdio.h>

#include "cuda_runtime.h"
#include "nccl.h"

int main(void) {
  enum { kDevices = 4, kCount = 1000 };
  ncclComm_t comms[kDevices];
  cudaStream_t streams[kDevices];
  float* data[kDevices];
  int bad = 0;
  for (int i = 0; i < kDevices; ++i) {
    bad += cudaSetDevice(i) != cudaSuccess;
    bad += cudaMalloc((void**)&data[i], kCount * sizeof(float)) != cudaSuccess;
    for (int k = 0; k < kCount; ++k) data[i][k] = (float)(i + k);
    bad += cudaStreamCreate(&streams[i]) != cudaSuccess;
  }
  bad += ncclCommInitAll(comms, kDevices, NULL) != ncclSuccess;
  if (bad) return fprintf(stderr, "%s\n", ncclGetLastError(NULL)), 1;
  bad += ncclGroupStart() != ncclSuccess;
  for (int i = 0; i < kDevices; ++i) {
    bad += ncclAllReduce(data[i], data[i], kCount, ncclFloat, ncclSum, comms[i], streams[i]) != ncclSuccess;
  }
  bad += ncclGroupEnd() != ncclSuccess;
  for (int i = 0; i < kDevices; ++i) {
    bad += cudaStreamSynchronize(streams[i]) != cudaSuccess;
    for (int k = 0; k < kCount; ++k) bad += data[i][k] != (float)(6 + 4 * k);
    bad += ncclCommDestroy(comms[i]) != ncclSuccess;
    bad += cudaStreamDestroy(streams[i]) != cudaSuccess;
    bad += cudaFree(data[i]) != cudaSuccess;
  }
  return bad != 0;
}
