// Progress without a caller who waits: see Engine.
#include <sched.h>

#include <chrono>

#include "ccl/exec/engine.h"

namespace ccl {
namespace {

// Naps between looks at whether somebody is needed: short at first, for work that has just been left
// alone. After so many without need the thread sleeps until it is called, which costs the caller a few
// microseconds.
constexpr int kShortNaps = 5, kNaps = 50;
constexpr std::chrono::microseconds kShortNap(200), kLongNap(1000);
constexpr int kTestsPerYield = 32;

}  // namespace

void Engine::StartProgress() {
  if (!progresses_) return;
  if (!progress_.joinable()) {
    progress_ = std::thread([this] { Progress(); });
  } else if (asleep_) {
    CallProgress();
  }
}

void Engine::CallProgress() {
  std::lock_guard<std::mutex> lock(nap_mutex_);
  call_ = true;
  called_.notify_one();
}

void Engine::StopProgress() {
  stopping_ = true;
  CallProgress();
  if (progress_.joinable()) progress_.join();
}

void Engine::Nap(int naps) {
  std::unique_lock<std::mutex> lock(nap_mutex_);
  const auto called = [this] { return call_; };
  if (asleep_) {
    called_.wait(lock, called);
  } else {
    called_.wait_for(lock, naps < kShortNaps ? kShortNap : kLongNap, called);
  }
  call_ = false;
}

void Engine::Progress() {
  // Where ranks are not fewer than cores, whoever has nothing to do makes room for the others.
  const Level* const host = backend_->topology().Host();
  const int here = host == nullptr ? backend_->ranks() : host->grouping.size(host->grouping.GroupOf(backend_->local_ranks().front()));
  const bool crowded = here >= static_cast<int>(std::thread::hardware_concurrency());
  std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
  int naps = 0, tests = 0;
  uint64_t seen = 0;
  while (!stopping_) {
    // Whoever waits drives. So, for the moment, does whoever has the lock. Who has just called will wait
    // soon: to lose the processor with the lock that he wants would cost him a turn of it.
    if (naps == kNaps) asleep_ = true;
    const uint64_t calls = calls_;
    const bool free = calls == seen && waiting_ == 0 && lock.try_lock();
    seen = calls;
    if (!free || !error_.ok() || free_slots_.size() == running_.size()) {
      // Sleeps only having seen, with the lock, that there is nothing to do: what comes later calls.
      if (!free) asleep_ = false;
      if (free) lock.unlock();
      Nap(naps);
      naps = asleep_ || naps == kNaps ? 0 : naps + 1;
      asleep_ = false;
      continue;
    }
    asleep_ = false;
    naps = 0;
    TakePolled(PollOnce(Waiting::kNo));
    const bool idle = done_.empty();
    lock.unlock();
    while (wanted_ > 0) sched_yield();
    if (idle && (crowded || ++tests % kTestsPerYield == 0)) sched_yield();
  }
}

}  // namespace ccl
