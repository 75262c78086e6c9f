// Part of a program under mpirun on one machine: for whoever asks MPI, the first half of the ranks is one
// host and the second another, so that what is said between them goes through MPI.
#include <mpi.h>

#include <cstdio>
#include <cstdlib>

namespace {

// Nobody asked: the program has run on one host.
struct Asked {
  bool asked = false;
  ~Asked() {
    if (asked) return;
    std::fprintf(stderr, "MPI_Comm_split_type of this program was not called\n");
    std::_Exit(1);
  }
} seen;

}  // namespace

int MPI_Comm_split_type(MPI_Comm comm, int, int key, MPI_Info, MPI_Comm* host) {
  seen.asked = true;
  int rank = 0, ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  return MPI_Comm_split(comm, 2 * rank / ranks, key, host);
}
