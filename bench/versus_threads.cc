#include "bench/versus_threads.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "bench/c_calls.h"
#include "ccl/base/status.h"

namespace ccl {
namespace {

// As an mpirun does with processes: each thread has a processor of its own if there are enough, else all have all. The
// process itself may have been given one.
void TakeProcessor(size_t rank, size_t ranks) {
  const bool enough = ranks <= std::thread::hardware_concurrency();
  cpu_set_t mine;
  CPU_ZERO(&mine);
  for (size_t i = 0; i < CPU_SETSIZE; ++i) {
    if (!enough || i == rank) CPU_SET(i, &mine);
  }
  pthread_setaffinity_np(pthread_self(), sizeof mine, &mine);
}

}  // namespace

VersusThreads::VersusThreads(int ranks) : ranks_(static_cast<size_t>(ranks)), start_(ranks) {
  for (size_t i = 0; i < ranks_.size(); ++i) ranks_[i].thread = std::thread([this, i] { Serve(i); });
}

VersusThreads::~VersusThreads() {
  (void)Each([this](size_t rank) {
    return ranks_[rank].comm == nullptr ? absl::OkStatus() : ToStatus(cclCommDestroy(ranks_[rank].comm));
  });
  (void)Each(nullptr);
  for (Rank& rank : ranks_) rank.thread.join();
}

absl::StatusOr<std::unique_ptr<VersusThreads>> VersusThreads::Open(int ranks, const std::string& algorithm) {
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.backend = "local:";
  cclUniqueId id;
  CCL_RETURN_IF_ERROR(ToStatus(cclGetUniqueId(&id)));
  std::unique_ptr<VersusThreads> threads(new VersusThreads(ranks));
  CCL_RETURN_IF_ERROR(threads->Each([&](size_t i) {
    Rank& rank = threads->ranks_[i];
    cclConfig_t own = config;
    CCL_RETURN_IF_ERROR(ToStatus(cclCommInitRankConfig(&rank.comm, ranks, id, static_cast<int>(i), &own)));
    rank.call = CallsOf(rank.comm, algorithm);
    return absl::OkStatus();
  }));
  return threads;
}

absl::Status VersusThreads::Prepare(const VersusWork& work) {
  return Each([&](size_t rank) -> absl::Status {
    CCL_ASSIGN_OR_RETURN(ranks_[rank].buffers, VersusRank::Make(work, static_cast<int>(rank)));
    return absl::OkStatus();
  });
}

absl::StatusOr<double> VersusThreads::Batch(int calls) {
  std::vector<double> taken(ranks_.size());
  CCL_RETURN_IF_ERROR(Each([&](size_t rank) -> absl::Status {
    start_.arrive_and_wait();
    CCL_ASSIGN_OR_RETURN(taken[rank], ranks_[rank].buffers->Batch(ranks_[rank].call, calls));
    return absl::OkStatus();
  }));
  return *std::max_element(taken.begin(), taken.end());
}

absl::StatusOr<int64_t> VersusThreads::Verify() {
  std::vector<int64_t> wrong(ranks_.size());
  CCL_RETURN_IF_ERROR(Each([&](size_t rank) -> absl::Status {
    CCL_ASSIGN_OR_RETURN(wrong[rank], ranks_[rank].buffers->Verify(ranks_[rank].call, false));
    return absl::OkStatus();
  }));
  return std::accumulate(wrong.begin(), wrong.end(), int64_t{0});
}

absl::Status VersusThreads::Each(std::function<absl::Status(size_t)> f) {
  std::unique_lock<std::mutex> lock(mutex_);
  job_ = std::move(f);
  ++jobs_;
  busy_ = ranks_.size();
  error_ = absl::OkStatus();
  called_.notify_all();
  ended_.wait(lock, [this] { return busy_ == 0; });
  return error_;
}

void VersusThreads::Serve(size_t rank) {
  TakeProcessor(rank, ranks_.size());
  std::unique_lock<std::mutex> lock(mutex_);
  for (uint64_t served = 0;;) {
    called_.wait(lock, [&] { return jobs_ != served; });
    served = jobs_;
    const bool ends = job_ == nullptr;
    absl::Status status;
    if (!ends) {
      lock.unlock();
      status = job_(rank);
      lock.lock();
    }
    if (error_.ok()) error_ = std::move(status);
    if (--busy_ == 0) ended_.notify_one();
    if (ends) return;
  }
}

}  // namespace ccl
