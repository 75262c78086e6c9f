/* One device a process: the id travels by MPI. C99, run by mpirun. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "cuda_runtime.h"
#include "nccl.h"

#define NCCL(call)                                                                       \
  do {                                                                                   \
    ncclResult_t r = (call);                                                             \
    if (r != ncclSuccess) {                                                              \
      fprintf(stderr, "line %d: %s: %s\n", __LINE__, ncclGetErrorString(r), ncclGetLastError(NULL)); \
      MPI_Abort(MPI_COMM_WORLD, 1);                                                      \
    }                                                                                    \
  } while (0)
#define CUDA(call)                                                                       \
  do {                                                                                   \
    cudaError_t e = (call);                                                              \
    if (e != cudaSuccess) {                                                              \
      fprintf(stderr, "line %d: %s: %s\n", __LINE__, cudaGetErrorString(e), ncclGetLastError(NULL)); \
      MPI_Abort(MPI_COMM_WORLD, 1);                                                      \
    }                                                                                    \
  } while (0)

int main(int argc, char** argv) {
  enum { kCount = 100000 };
  int rank, ranks, wrong = 0;
  ncclUniqueId id;
  ncclComm_t comm, half;
  cudaStream_t stream;
  cudaEvent_t begin, end;
  float *send, *receive, *host, ms = -1;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (rank == 0) NCCL(ncclGetUniqueId(&id));
  MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);

  CUDA(cudaSetDevice(rank)); /* all are on one host */
  CUDA(cudaMalloc((void**)&send, kCount * sizeof(float)));
  CUDA(cudaMalloc((void**)&receive, kCount * sizeof(float)));
  CUDA(cudaStreamCreate(&stream));
  CUDA(cudaEventCreate(&begin));
  CUDA(cudaEventCreate(&end));
  host = malloc(kCount * sizeof(float));
  for (int i = 0; i < kCount; ++i) host[i] = (float)(rank + i % 7);
  CUDA(cudaMemcpyAsync(send, host, kCount * sizeof(float), cudaMemcpyHostToDevice, stream));

  NCCL(ncclCommInitRank(&comm, ranks, id, rank));
  CUDA(cudaEventRecord(begin, stream));
  NCCL(ncclAllReduce(send, receive, kCount, ncclFloat, ncclSum, comm, stream));
  CUDA(cudaEventRecord(end, stream));
  CUDA(cudaMemcpyAsync(host, receive, kCount * sizeof(float), cudaMemcpyDeviceToHost, stream));
  CUDA(cudaStreamSynchronize(stream));
  CUDA(cudaEventElapsedTime(&ms, begin, end));
  wrong += ms < 0;
  for (int i = 0; i < kCount; ++i) {
    wrong += host[i] != (float)(ranks * (ranks - 1) / 2 + ranks * (i % 7));
  }

  /* Around the ring, and a communicator of every other rank. */
  NCCL(ncclGroupStart());
  NCCL(ncclSend(send, kCount, ncclFloat, (rank + 1) % ranks, comm, stream));
  NCCL(ncclRecv(receive, kCount, ncclFloat, (rank + ranks - 1) % ranks, comm, stream));
  NCCL(ncclGroupEnd());
  while (cudaStreamQuery(stream) == cudaErrorNotReady) continue;
  wrong += receive[8] != (float)((rank + ranks - 1) % ranks + 1);
  NCCL(ncclCommSplit(comm, rank % 2, rank, &half, NULL));
  NCCL(ncclAllReduce(send, send, 1, ncclFloat, ncclMax, comm, stream));
  NCCL(ncclAllReduce(send, receive, 1, ncclFloat, ncclSum, half, stream));
  CUDA(cudaStreamSynchronize(stream));
  wrong += receive[0] != (float)((ranks - 1) * ((ranks + 1 - rank % 2) / 2));

  NCCL(ncclCommDestroy(half));
  NCCL(ncclCommDestroy(comm));
  CUDA(cudaEventDestroy(begin));
  CUDA(cudaEventDestroy(end));
  CUDA(cudaStreamDestroy(stream));
  CUDA(cudaFree(send));
  CUDA(cudaFree(receive));
  free(host);
  MPI_Finalize();
  if (wrong) fprintf(stderr, "rank %d: %d wrong\n", rank, wrong);
  return wrong != 0;
}
