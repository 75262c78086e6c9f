/* One device a process: the root info travels by MPI; then a rank table. C99, run by mpirun. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "acl/acl.h"
#include "hccl/hccl.h"

#define CHECK(call)                                                                          \
  do {                                                                                       \
    int code = (int)(call);                                                                  \
    if (code != 0) {                                                                         \
      fprintf(stderr, "line %d: %s: %d, %s\n", __LINE__, #call, code, aclGetRecentErrMsg()); \
      MPI_Abort(MPI_COMM_WORLD, 1);                                                          \
    }                                                                                        \
  } while (0)

enum { kCount = 10000 };

/* Sums and swaps; returns how much is wrong. */
static int Use(HcclComm comm, int rank, int ranks) {
  int wrong = 0;
  aclrtStream stream;
  int32_t *data, *received;
  CHECK(aclrtCreateStream(&stream));
  CHECK(aclrtMalloc((void**)&data, kCount * 4, ACL_MEM_MALLOC_HUGE_FIRST));
  CHECK(aclrtMalloc((void**)&received, kCount * 4, ACL_MEM_MALLOC_HUGE_FIRST));
  for (int i = 0; i < kCount; ++i) data[i] = rank + i;
  CHECK(HcclAllReduce(data, received, kCount, HCCL_DATA_TYPE_INT32, HCCL_REDUCE_SUM, comm, stream));
  CHECK(aclrtSynchronizeStream(stream));
  for (int i = 0; i < kCount; ++i) wrong += received[i] != ranks * (ranks - 1) / 2 + ranks * i;
  HcclSendRecvItem items[2] = {
      {HCCL_SEND, data, kCount, HCCL_DATA_TYPE_INT32, (uint32_t)((rank + 1) % ranks)},
      {HCCL_RECV, received, kCount, HCCL_DATA_TYPE_INT32, (uint32_t)((rank + ranks - 1) % ranks)}};
  CHECK(HcclBatchSendRecv(items, 2, comm, stream));
  CHECK(HcclBarrier(comm, stream));
  CHECK(aclrtSynchronizeStream(stream));
  wrong += received[7] != (rank + ranks - 1) % ranks + 7;
  CHECK(aclrtDestroyStream(stream));
  CHECK(aclrtFree(data));
  CHECK(aclrtFree(received));
  return wrong;
}

int main(int argc, char** argv) {
  int rank, ranks, wrong;
  char path[64] = "";
  HcclRootInfo info;
  HcclComm comm;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  CHECK(aclInit(NULL));
  CHECK(aclrtSetDevice(rank)); /* all are on one host */
  if (rank == 0) CHECK(HcclGetRootInfo(&info));
  MPI_Bcast(&info, HCCL_ROOT_INFO_BYTES, MPI_CHAR, 0, MPI_COMM_WORLD);
  CHECK(HcclCommInitRootInfo((uint32_t)ranks, &info, (uint32_t)rank, &comm));
  wrong = Use(comm, rank, ranks);
  CHECK(HcclCommDestroy(comm));

  if (rank == 0) {
    FILE* file;
    snprintf(path, sizeof path, "rank_table.%d.json", ranks);
    file = fopen(path, "w");
    CHECK(file == NULL);
    fprintf(file, "{\"status\":\"completed\",\"version\":\"1.0\",\"server_count\":\"1\",\"server_list\":[");
    fprintf(file, "{\"server_id\":\"host\",\"device\":[");
    for (int i = 0; i < ranks; ++i) {
      fprintf(file, "%s{\"device_id\":\"%d\",\"rank_id\":\"%d\"}", i > 0 ? "," : "", i, i);
    }
    fprintf(file, "]}]}");
    fclose(file);
  }
  MPI_Bcast(path, sizeof path, MPI_CHAR, 0, MPI_COMM_WORLD);
  CHECK(HcclCommInitClusterInfo(path, (uint32_t)rank, &comm));
  wrong += Use(comm, rank, ranks);
  CHECK(HcclCommDestroy(comm));
  if (rank == 0) remove(path);
  CHECK(aclFinalize());
  MPI_Finalize();
  if (wrong) fprintf(stderr, "rank %d: %d wrong\n", rank, wrong);
  return wrong != 0;
}
