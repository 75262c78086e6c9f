// The parts of cclbench versus.
#ifndef BENCH_VERSUS_H_
#define BENCH_VERSUS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/versus_target.h"
#include "ccl/base/types.h"
#include "transports/mpi/collectives.h"

namespace ccl {

struct VersusOptions {
  std::vector<std::string> collectives = {"allreduce", "reduce_scatter", "allgather", "broadcast",
                                          "alltoall"};
  std::string sizes = "8,1KiB,8KiB,64KiB,256KiB,1MiB,16MiB", json, buffers = "ordinary", algorithm, peer = "mpi";
  int np = 0, repetitions = 15, root = 0, launches = 1;
  bool tuned = false, untouched = false;
};

// Who is compared with. The processes are MPI's in any case, which also brings them together.
struct VersusPeer {
  std::string name;       // "Open MPI v4.1.4"
  bool two_ways = false;  // knows mpi::Call::other
  std::function<absl::Status(const mpi::Call&)> run;
};

// Of one launch, a row; of several, what they have in common.
struct VersusCell {
  Collective collective = Collective::kAllReduce;
  uint64_t bytes = 0;  // of the larger buffer of a rank
  int ranks = 0;
  std::string buffers, peer;
  bool touched = true;
  // The slowest ranks' times of a call, medians over the repetitions; the peer's over ours, with its middle half.
  double peer_us = 0, ccl_us = 0, ratio = 0, low = 0, high = 0;
  double ping_pong_ns = 0;  // one way of a line between the first two ranks' cores
  int64_t wrong = 0;        // elements, of both
  // Of several launches, each one's; then the above are medians, and low and high the least and the most.
  std::vector<double> ratios, ping_pongs;
};

// Measures all cells, each of which is also given to `each` as it comes. Collective over the processes of
// the MPI, which has been started. The first error of this process comes back.
absl::StatusOr<std::vector<VersusCell>> MeasureVersus(const VersusOptions& options, const mpi::Collectives& mpi,
                                                      const VersusPeer& peer,
                                                      const std::function<void(const VersusCell&)>& each);

// Cells of several launches, each of which has the same ones in the same order, else InvalidArgument.
absl::StatusOr<std::vector<VersusCell>> MergeLaunches(const std::vector<std::vector<VersusCell>>& launches);

// Whether a cell is slower than is aimed at; of several launches, whether most are, each by its own regime.
bool Misses(const VersusCell& cell, Against against);

std::string VersusHead(const VersusOptions& options, const std::string& peer, int ranks);
std::string VersusLine(const VersusCell& cell, Against against);

// {"results": [...]}, a row a cell, and back.
std::string VersusJson(const std::vector<VersusCell>& cells);
absl::StatusOr<std::vector<VersusCell>> ParseVersusJson(const std::string& text);

// The command line of one launch of `program` under an mpirun: its words. `mpich`: under MPICH's.
std::vector<std::string> LaunchWords(const VersusOptions& options, const std::string& program, bool mpich,
                                     const std::string& json);

// Gloo over its own TCP transport, the fastest it has on a host. Collective over MPI's processes.
// Unimplemented where this program was built without it.
absl::StatusOr<VersusPeer> GlooPeer(const mpi::Collectives& mpi);

}  // namespace ccl

#endif  // BENCH_VERSUS_H_
