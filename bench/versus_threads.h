// Ranks of cclbench versus that are threads of one process.
#ifndef BENCH_VERSUS_THREADS_H_
#define BENCH_VERSUS_THREADS_H_

#include <barrier>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/versus_rank.h"

namespace ccl {

// All functions are called by the thread that made it, and return when all of its threads are done: these sleep
// in between.
class VersusThreads {
 public:
  // Communicators of `local:`, one a thread.
  static absl::StatusOr<std::unique_ptr<VersusThreads>> Open(int ranks, const std::string& algorithm);
  ~VersusThreads();
  VersusThreads(const VersusThreads&) = delete;
  VersusThreads& operator=(const VersusThreads&) = delete;

  absl::Status Prepare(const VersusWork& work);
  // Of the slowest thread; all begin at once.
  absl::StatusOr<double> Batch(int calls);
  // Elements, of all.
  absl::StatusOr<int64_t> Verify();

 private:
  struct Rank {
    cclComm_t comm = nullptr;
    VersusCall call;
    std::unique_ptr<VersusRank> buffers;
    std::thread thread;
  };

  explicit VersusThreads(int ranks);
  // Every thread runs `f` of its rank. The first error.
  absl::Status Each(std::function<absl::Status(size_t rank)> f);
  void Serve(size_t rank);

  std::vector<Rank> ranks_;
  std::barrier<> start_;
  std::mutex mutex_;
  std::condition_variable called_, ended_;
  std::function<absl::Status(size_t)> job_;  // null: the threads are to end
  uint64_t jobs_ = 0;
  size_t busy_ = 0;
  absl::Status error_;
};

}  // namespace ccl

#endif  // BENCH_VERSUS_THREADS_H_
