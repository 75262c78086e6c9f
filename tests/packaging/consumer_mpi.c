/* A program with an MPI of its own that hands a communicator to the installed library, and emulates
 * a few ranks besides. */
#include "ccl/mpi.h"
#include "consumer.h"

int main(int argc, char** argv) {
  cclComm_t comm;
  int own = 1, sum = 0, ranks = 0, rank = 0, failures;
  MPI_Init(&argc, &argv);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (Check(cclCommInitMpi(&comm, MPI_COMM_WORLD), "cclCommInitMpi")) return 1;
  own += rank;
  failures = Check(cclAllReduce(&own, &sum, 1, cclInt, cclSum, comm, NULL), "cclAllReduce");
  failures += Check(cclCommSynchronize(comm), "cclCommSynchronize");
  failures += Check(cclCommDestroy(comm), "cclCommDestroy");
  printf("rank %d of %d: sum %d\n", rank, ranks, sum);
  failures += EmulatedAllReduce();
  MPI_Finalize();
  return failures != 0 || sum != ranks * (ranks + 1) / 2;
}
