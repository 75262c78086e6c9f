// Part of a program under mpirun on one machine: for whoever asks MPI, the first half of the ranks is one
// host and the second another, so that what is said between them goes through MPI.
#include <mpi.h>

int MPI_Comm_split_type(MPI_Comm comm, int, int key, MPI_Info, MPI_Comm* host) {
  int rank = 0, ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  return MPI_Comm_split(comm, 2 * rank / ranks, key, host);
}
