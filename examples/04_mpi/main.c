/* Lesson 4: a program with MPI of its own. A communicator is made from an MPI communicator, here
 * from one that has the ranks in reverse; the library duplicates it, so that their messages never
 * meet. */
#include <mpi.h>
#include <stdio.h>

#include "ccl/ccl.h"
#include "ccl/mpi.h"
#include "examples/check.h"

enum { kMostRanks = 64 };

int main(int argc, char** argv) {
  MPI_Comm reversed;
  cclComm_t comm;
  int world_rank, rank, size, i;
  double mine, sum, all[kMostRanks];

  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &world_rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (size > kMostRanks) {
    fprintf(stderr, "at most %d ranks\n", kMostRanks);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Comm_split(MPI_COMM_WORLD, 0, size - world_rank, &reversed);

  CHECK(cclCommInitMpi(&comm, reversed));
  CHECK(cclCommUserRank(comm, &rank));
  mine = 1.5 * world_rank;
  /* Each process is one rank and drives nobody else: no group is needed. */
  CHECK(cclAllReduce(&mine, &sum, 1, cclDouble, cclSum, comm, NULL));
  CHECK(cclGather(&mine, all, 1, cclDouble, 0, comm, NULL));
  CHECK(cclCommSynchronize(comm));

  if (rank == 0) {
    printf("%d processes, sum %g, by rank:", size, sum);
    for (i = 0; i < size; ++i) printf(" %g", all[i]);
    printf("\n");
  }
  CHECK(cclCommDestroy(comm));
  MPI_Comm_free(&reversed);
  MPI_Finalize();
  return 0;
}
