#include "ccl/exec/engine.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ccl {

Engine::Engine(std::unique_ptr<Backend> backend, bool progress_thread)
    : backend_(std::move(backend)),
      has_(backend_->abilities()),
      ranks_(backend_->ranks()),
      period_(has_.virtual_time ? backend_->period() : ranks_),
      actors_{ranks_, Whole::kArrivals} {
  owner_.resize(static_cast<size_t>(ranks_));
  left_.assign(static_cast<size_t>(ranks_), false);
  live_ = static_cast<int>(backend_->local_ranks().size());
  progresses_ = progress_thread && !has_.virtual_time && has_.threads == Threads::kAny;
  if (has_.threads == Threads::kOne) home_ = std::this_thread::get_id();
}

Engine::~Engine() {
  StopProgress();
  backend_.reset();  // others may be reading what dropped work has lent: until it has ended
}

void Engine::Adopt(int rank) {
  const Entry lock(*this);
  owner_[rank] = std::this_thread::get_id();
}

void Engine::Leave(int rank) {
  const Entry lock(*this);
  if (left_[rank]) return;
  left_[rank] = true;
  --live_;
  for (Waiter* waiter : waiters_) {
    if (waiter->thread != owner_[rank] || waiter->released) continue;
    --waiter->owned;
    --blocked_;
  }
  // The waiting threads may now be all there are.
  for (Waiter* waiter : waiters_) waiter->wake.notify_one();
}

absl::Status Engine::ShareFromRankZero(std::string& bytes) {
  const Entry lock(*this);
  return backend_->ShareFromRankZero(bytes);
}

Time Engine::Now() {
  const Entry lock(*this);
  return backend_->Now();
}

Actors Engine::actors() {
  const Entry lock(*this);
  return actors_;
}

uint64_t Engine::Digest() {
  const Entry lock(*this);
  return backend_->Digest();
}

void Engine::RecordFlows() {
  const Entry lock(*this);
  backend_->RecordFlows();
}

absl::Span<const FlowRecord> Engine::flows() {
  const Entry lock(*this);
  return backend_->flows();
}

void Engine::RecordPorts() {
  const Entry lock(*this);
  backend_->RecordPorts();
}

std::vector<PortRecord> Engine::ports() {
  const Entry lock(*this);
  return backend_->ports();
}

std::unique_ptr<Stream> Engine::NewStream(int rank, std::shared_ptr<Scope> scope) {
  auto stream = std::make_unique<Stream>();
  stream->rank = rank;
  if (scope == nullptr) return stream;
  const Entry lock(*this);
  timeouts_ = timeouts_ || (scope->timeout > 0 && !has_.virtual_time);
  if (scope->first == nullptr) {
    scope->first = stream.get();
  } else {
    scope->more.push_back(stream.get());
  }
  stream->scope = std::move(scope);
  return stream;
}

void Engine::Drop(Stream* stream) {
  const Entry lock(*this);
  Forget(stream);
  Settle();
  if (stream->scope == nullptr) return;
  if (stream->scope->first == stream) stream->scope->first = nullptr;
  std::erase(stream->scope->more, stream);
}

bool Engine::Stop(Scope& scope, const absl::Status& error) {
  const Entry lock(*this);
  scope.error.Set(error);
  bool under_way = false;
  for (Stream* stream : scope.streams()) {
    under_way = Forget(stream) || under_way;
    Settle();
  }
  TellWaiters();
  ReleaseWaiters();
  return under_way;
}

bool Engine::Forget(Stream* stream) {
  if (stream->queue.empty()) return false;
  StartHeldBack();
  if (stream->running > 0) {
    const uint32_t index = static_cast<uint32_t>(stream->running - 1);
    Slot& slot = running_[index];
    slot.stream = nullptr;
    slot.outstanding = stream->queue.front().outstanding();
    if (slot.outstanding > 0) {
      slot.dropped = Pop(stream);
    } else {
      free_slots_.push_back(index);
    }
    stream->running = 0;
  }
  while (!stream->queue.empty()) Pop(stream);
  return true;
}

void Engine::Enqueue(absl::Span<Stream* const> streams, std::vector<std::unique_ptr<Work>> work) {
  const Entry lock(*this);
  if (!error_.ok()) return;
  Add(calls_, uint64_t{1});
  for (size_t i = 0; i < work.size(); ++i) Push(streams[i], std::move(work[i]));
  for (Stream* stream : streams) {
    if (stream->running == 0 && !stream->held_back && !stream->queue.empty()) Begin(stream);
  }
  Settle();
  StartProgress();
}

// Starts the front of an idle stream, or holds it back.
void Engine::Begin(Stream* stream) {
  const Actors actors = ActorsFor(stream->queue.front());
  if (actors.whole == Whole::kFolded) {
    stream->held_back = true;
    held_back_.push_back(stream);
    return;
  }
  StartHeldBack();
  actors_ = actors;
  StartFront(stream, backend_->Now());
}

void Engine::StartAllHeldBack() {
  for (Stream* stream : std::exchange(held_back_, {})) {
    stream->held_back = false;
    actors_ = {ranks_, Whole::kArrivals};
    StartFront(stream, backend_->Now());
  }
}

// What follows another work starts when that has ended.
void Engine::StartFront(Stream* stream, Time now) {
  while (!stream->queue.empty()) {
    if (free_slots_.empty()) {
      free_slots_.push_back(static_cast<uint32_t>(running_.size()));
      running_.emplace_back();
    }
    const uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    Work& work = stream->queue.front();
    running_[slot].stream = stream;
    running_[slot].work = &work;
    stream->running = slot + 1;
    running_[slot].started = now;
    work.NoteStart(now);
    work.Prepare(slot, workspace_);
    work.Start(*backend_);
    if (!work.done()) return;
    if (!work.brief()) now = backend_->Now();
    Retire(stream, now);
  }
}

void Engine::Retire(Stream* stream, Time now) {
  const uint32_t slot = static_cast<uint32_t>(stream->running - 1);
  running_[slot].stream = nullptr;
  free_slots_.push_back(slot);
  stream->running = 0;
  if (stream->scope != nullptr) ++stream->scope->ended;
  std::unique_ptr<Work> work = Pop(stream);
  work->NoteEnd(now);
  Work* const ended = work.get();
  ended->Return(std::move(work));
}

void Engine::Completed(uint64_t token) {
  const uint32_t index = static_cast<uint32_t>(token >> Work::kTagBits);
  Stream* stream = running_[index].stream;
  if (stream == nullptr) {
    Slot& slot = running_[index];
    if (--slot.outstanding > 0) return;
    slot.dropped = nullptr;
    free_slots_.push_back(index);
    return;
  }
  Work& work = *running_[index].work;
  work.Complete(token & ((uint64_t{1} << Work::kTagBits) - 1), *backend_);
  if (work.done()) {
    const Time now = backend_->Now();
    Retire(stream, now);
    StartFront(stream, now);
  }
}

void Engine::Settle() {
  while (!workspace_.ready.empty()) {
    const uint64_t token = workspace_.ready.back();
    workspace_.ready.pop_back();
    Completed(token);
    if (workspace_.ready.empty()) ReleaseWaiters();
  }
  if (std::exchange(workspace_.failed, false)) Failed();
}

absl::Status Engine::PollOnce(Waiting waiting) {
  done_.clear();
  absl::Status status = backend_->Poll(waiting, done_);
  // In a large world slot and work are misses of the cache, one behind the other: they are asked for
  // some turns before.
  constexpr size_t kLarge = 4096, kAhead = 8;
  const auto slot_of = [&](size_t i) -> Slot& {
    return running_[static_cast<uint32_t>(done_[i].token >> Work::kTagBits)];
  };
  // Work started below may post, never poll: done_ stays as it is.
  const bool large = done_.size() > kLarge;
  const auto fetch = [](const void* memory) {
    if (memory == nullptr) return;
    for (int line = 0; line < 3; ++line) __builtin_prefetch(static_cast<const char*>(memory) + 64 * line);
  };
  for (size_t i = 0; i < done_.size(); ++i) {
    if (large && i + 2 * kAhead < done_.size()) {
      __builtin_prefetch(&slot_of(i + 2 * kAhead));
      fetch(slot_of(i + kAhead).work);
      const Work* const soon = slot_of(i + kAhead / 2).work;
      fetch(soon == nullptr ? nullptr : soon->hot());
    }
    Completed(done_[i].token);
  }
  Settle();
  if (timeouts_) CheckTimeouts();
  if (!followers_.empty() && free_slots_.size() == running_.size()) Unfold();
  return status;
}

void Engine::TakePolled(const absl::Status& status) {
  if (!status.ok()) {
    error_.Set(status);
    Failed();
  }
  ReleaseWaiters();
}

bool Engine::Idle(absl::Span<Stream* const> streams) {
  return std::all_of(streams.begin(), streams.end(),
                     [](const Stream* s) { return s->queue.empty(); });
}

void Engine::ReleaseWaiters() {
  for (Waiter* waiter : waiters_) {
    if (waiter->released || (waiter->error.ok() && !Idle(waiter->streams))) continue;
    waiter->released = true;
    blocked_ -= waiter->owned;
    waiter->wake.notify_one();
  }
}

absl::Status Engine::ErrorOf(absl::Span<Stream* const> streams) const {
  if (!error_.ok()) return error_.status();
  for (const Stream* stream : streams) {
    if (stream->scope != nullptr && !stream->scope->error.ok()) return stream->scope->error.status();
  }
  return absl::OkStatus();
}

void Engine::TellWaiters() {
  for (Waiter* waiter : waiters_) {
    if (waiter->error.ok()) waiter->error = ErrorOf(waiter->streams);
  }
}

void Engine::Relock(std::unique_lock<std::mutex>& lock) {
  if (lock.try_lock()) return;
  ++wanted_;
  lock.lock();
  --wanted_;
}

absl::Status Engine::Wait(absl::Span<Stream* const> streams) {
  if (absl::Status status = CheckHome(); !status.ok()) return status;
  std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
  Relock(lock);
  return WaitFor(lock, streams, Patience::kForEver);
}

absl::Status Engine::Wait(const Scope& scope) {
  std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
  Relock(lock);
  const std::vector<Stream*> streams = scope.streams();
  return WaitFor(lock, streams, Patience::kForEver);
}

absl::StatusOr<bool> Engine::Poll(Stream* stream) {
  if (!has_.virtual_time) return Query(stream);
  std::unique_lock<std::mutex> lock(mutex_);
  absl::Status error = WaitFor(lock, {&stream, 1}, Patience::kOnceAndMore);
  if (!error.ok()) return error;
  return Idle({&stream, 1});
}

absl::StatusOr<bool> Engine::Flush(const Scope& scope) {
  std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
  Relock(lock);
  const std::vector<Stream*> streams = scope.streams();
  if (absl::Status error = WaitFor(lock, streams, Patience::kOnce); !error.ok()) {
    return error;
  }
  return Idle(streams);
}

absl::StatusOr<std::unique_ptr<Backend>> Engine::Survivors(absl::Span<const int> ranks) {
  const Entry lock(*this);
  return backend_->Survivors(ranks);
}

uint64_t Engine::MemoryOf(const Scope& scope) {
  const Entry lock(*this);
  uint64_t bytes = 0;
  for (const Stream* stream : scope.streams()) {
    if (stream->queue.empty()) continue;
    for (const Work* work = &stream->queue.front(); work != nullptr; work = WorkQueue::Next(*work)) {
      bytes += work->memory();
    }
  }
  return bytes;
}

absl::Status Engine::WaitFor(std::unique_lock<std::mutex>& lock, absl::Span<Stream* const> streams,
                             Patience patience) {
  const bool virtual_time = has_.virtual_time, once = patience != Patience::kForEver;
  if (!virtual_time && !once && Idle(streams)) return ErrorOf(streams);
  // Threads that look again and again must meet here for the clock to move.
  std::chrono::steady_clock::time_point patient_until;
  if (virtual_time && once) {
    patient_until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
  }
  Waiter waiter;
  waiter.streams = streams;
  waiter.thread = std::this_thread::get_id();
  if (virtual_time) {
    // Who waits for a rank drives it, unless its owner is waiting too.
    for (const Stream* stream : streams) {
      const auto waits = [&](const Waiter* w) { return w->thread == owner_[stream->rank]; };
      if (std::none_of(waiters_.begin(), waiters_.end(), waits)) {
        owner_[stream->rank] = waiter.thread;
      }
    }
    for (int rank : backend_->local_ranks()) {
      if (!left_[rank] && owner_[rank] == std::this_thread::get_id()) ++waiter.owned;
    }
  }
  waiters_.push_back(&waiter);
  Add(waiting_, 1);
  Add(calls_, uint64_t{1});
  blocked_ += waiter.owned;
  waiter.error = ErrorOf(streams);
  while (waiter.error.ok() && !Idle(streams)) {
    if (virtual_time && blocked_ < live_) {
      if (!once) waiter.wake.wait(lock);
      if (once && waiter.wake.wait_until(lock, patient_until) == std::cv_status::timeout) break;
      continue;
    }
    if (virtual_time && !held_back_.empty()) StartFor(waiter);
    const absl::Status status = PollOnce(once && !virtual_time ? Waiting::kNo : Waiting::kYes);
    if (virtual_time && absl::IsUnavailable(status)) {
      FailWaiting(status);  // others may go on without
    } else if (!status.ok()) {
      error_.Set(status);
      Failed();
    } else if (virtual_time && done_.empty() && patience != Patience::kOnceAndMore) {
      FailWaiting(absl::FailedPreconditionError(Deadlock()));
    }
    ReleaseWaiters();
    if (!virtual_time && wanted_ > 0) {
      lock.unlock();  // let other threads of this process in
      while (wanted_ > 0) sched_yield();
      Relock(lock);
    }
    if (once) break;
  }
  if (!waiter.released) blocked_ -= waiter.owned;
  waiters_.erase(std::find(waiters_.begin(), waiters_.end(), &waiter));
  Add(waiting_, -1);
  if (asleep_ && free_slots_.size() != running_.size()) CallProgress();
  return waiter.error;
}

absl::StatusOr<bool> Engine::Query(Stream* stream) {
  const Entry lock(*this);
  if (error_.ok()) StartHeldBack();
  if (error_.ok() && !has_.virtual_time) {
    TakePolled(PollOnce(Waiting::kNo));
  }
  if (absl::Status error = ErrorOf({&stream, 1}); !error.ok()) return error;
  return stream->queue.empty();
}

absl::Status Engine::error() {
  const Entry lock(*this);
  return error_.status();
}

absl::Status Engine::CheckHome() const {
  if (home_ == std::thread::id() || home_ == std::this_thread::get_id()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the program has started MPI for one thread (MPI_THREAD_SINGLE or FUNNELED): calls come from "
      "the thread that made the communicator");
}

absl::Status Engine::error(const Scope& scope) {
  if (absl::Status status = CheckHome(); !status.ok()) return status;
  const Entry lock(*this);
  return error_.ok() ? scope.error.status() : error_.status();
}

}  // namespace ccl
