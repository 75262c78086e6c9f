// Progress without a caller who waits: see Engine.
#include <sched.h>

#include <chrono>

#include "ccl/exec/engine.h"

namespace ccl {
namespace {

// After so many looks without anything to do the thread sleeps until it is called.
constexpr int kLooks = 50;
constexpr std::chrono::microseconds kBetweenLooks(200);
constexpr int kTestsPerYield = 32;

}  // namespace

void Engine::StartProgress() {
  if (!progresses_) return;
  if (!progress_.joinable()) {
    progress_ = std::thread([this] { Progress(); });
  } else if (asleep_) {
    called_.notify_one();
  }
}

void Engine::StopProgress() {
  {
    const Entry lock(*this);
    stopping_ = true;
    called_.notify_one();
  }
  if (progress_.joinable()) progress_.join();
}

void Engine::Progress() {
  // Where ranks are not fewer than cores, whoever has nothing to do makes room for the others.
  const Topology& topology = backend_->topology();
  const bool crowded = topology.levels.front().grouping.size(0) >=
                       static_cast<int>(std::thread::hardware_concurrency());
  std::unique_lock<std::mutex> lock(mutex_);
  int looks = 0, tests = 0;
  while (!stopping_) {
    // Who waits drives.
    if (!waiters_.empty() || !error_.ok() || free_slots_.size() == running_.size()) {
      if (++looks < kLooks) {
        called_.wait_for(lock, kBetweenLooks);
        continue;
      }
      asleep_ = true;
      called_.wait(lock);
      asleep_ = false;
      looks = 0;
      continue;
    }
    looks = 0;
    if (absl::Status status = PollOnce(Waiting::kNo); !status.ok()) {
      error_ = status;
      Failed();
    }
    ReleaseWaiters();
    const bool idle = done_.empty();
    lock.unlock();
    while (wanted_ > 0) sched_yield();
    if (idle && (crowded || ++tests % kTestsPerYield == 0)) sched_yield();
    lock.lock();
  }
}

}  // namespace ccl
