// Whether the processes of this host are alive.
#ifndef TRANSPORTS_MPI_PEERS_H_
#define TRANSPORTS_MPI_PEERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace ccl::mpi {

// A process as others know it: numbers are used again, so the time of its start belongs to it.
struct Process {
  int64_t id = 0;
  int64_t started = 0;  // as /proc has it; 0: unknown
};
Process ThisProcess();

// Open MPI 4.1 never reports a peer that has died: a message from it just does not come. Peers on
// this host are looked at; for those elsewhere there are timeouts.
class Peers {
 public:
  // `processes` of all ranks, of which those with `here` are on this host. A process that cannot be
  // seen from here (another namespace) is not watched.
  void Watch(absl::Span<const Process> processes, absl::Span<const bool> here, int self);
  // The first that has died, or -1. Looks a few times a second, whenever it is asked.
  int FirstDead();
  int64_t IdOf(int rank) const;

 private:
  struct Watched {
    int rank;
    Process process;
  };
  std::vector<Watched> watched_;
  int64_t looked_ns_ = 0;
};

}  // namespace ccl::mpi

#endif  // TRANSPORTS_MPI_PEERS_H_
