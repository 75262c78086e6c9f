// The collectives of the MPI itself, to measure against. No MPI here: libccl includes it.
#ifndef TRANSPORTS_MPI_COLLECTIVES_H_
#define TRANSPORTS_MPI_COLLECTIVES_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "ccl/base/types.h"

namespace ccl::mpi {

// A call among all processes. `count` is of float32, of the whole vector or of one rank's block as the
// collective has it; reductions are sums.
struct Call {
  Collective collective = Collective::kAllReduce;
  size_t count = 0;
  int root = 0;
  const void* in = nullptr;
  void* out = nullptr;
  // Of the several ways that MPI has to ask for it: MPI_Reduce_scatter and not _block.
  bool other = false;
};

// Over MPI_COMM_WORLD, by one thread. All but `start` ask for MPI to have been started.
struct Collectives {
  absl::Status (*start)();
  int (*rank)();
  int (*ranks)();
  std::string (*library)();                    // "Open MPI v4.1.4, ..."
  absl::Status (*run)(const Call& call);       // blocks; Unimplemented names what is not here
  void (*barrier)();
  void (*most)(absl::Span<double> values);     // over the ranks, each of them
  void (*sleeping_barrier)();                  // who waits sleeps, some milliseconds too long
  // One way of a line of memory between the first two ranks and back, halved; the median of some.
  // 0 when they do not share memory, or are one.
  absl::StatusOr<double> (*ping_pong_ns)();
};

}  // namespace ccl::mpi

#endif  // TRANSPORTS_MPI_COLLECTIVES_H_
