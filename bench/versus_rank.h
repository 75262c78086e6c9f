// One rank of cclbench versus: its buffers and its calls, whoever answers them.
#ifndef BENCH_VERSUS_RANK_H_
#define BENCH_VERSUS_RANK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ccl/base/types.h"
#include "ccl/ccl.h"
#include "transports/mpi/collectives.h"

namespace ccl {

// What is measured: the same on all ranks.
struct VersusWork {
  Collective collective = Collective::kAllReduce;
  size_t count = 0;  // as mpi::Call has it
  int ranks = 0, root = 0;
  bool allocated = false;  // buffers by cclMemAlloc
  bool untouched = false;  // buffers are left alone between calls
};

// Does a collective and returns when it is done on this rank.
using VersusCall = std::function<absl::Status(const mpi::Call&)>;

// This library's. `comm` outlives it; `algorithm`: empty, or one that is forced.
VersusCall CallsOf(cclComm_t comm, const std::string& algorithm);

// Not thread-safe; ranks may be of several threads.
class VersusRank {
 public:
  static absl::StatusOr<std::unique_ptr<VersusRank>> Make(const VersusWork& work, int rank);
  ~VersusRank();
  VersusRank(const VersusRank&) = delete;
  VersusRank& operator=(const VersusRank&) = delete;

  // Seconds of so many calls, with the touching of the buffers. `other`: see mpi::Call.
  absl::StatusOr<double> Batch(const VersusCall& call, int calls, bool other = false);
  // Elements of this rank that one call leaves wrong. `one_buffer`: a broadcast leaves the root's receive buffer alone.
  absl::StatusOr<int64_t> Verify(const VersusCall& call, bool one_buffer);

 private:
  struct Buffers;
  VersusRank(const VersusWork& work, int rank);

  const VersusWork work_;
  const int rank_;
  std::unique_ptr<Buffers> buffers_;
  volatile float read_ = 0;
};

}  // namespace ccl

#endif  // BENCH_VERSUS_RANK_H_
