// Ranks that stand for others: see Engine.
#include <utility>

#include "ccl/exec/engine.h"

namespace ccl {

Whole Engine::FoldFor(const Waiter& waiter) const {
  const size_t ranks = static_cast<size_t>(ranks_);
  if (backend_->period() != period_) return Whole::kMachine;
  if (waiters_.size() != 1 || waiter.streams.size() != ranks || held_back_.size() != ranks ||
      free_slots_.size() != running_.size()) {
    return Whole::kArrivals;
  }
  const Work& first = held_back_.front()->queue.front();
  for (size_t i = 0; i < ranks; ++i) {
    const Stream* stream = held_back_[i];
    if (stream->rank != static_cast<int>(i) || stream != waiter.streams[i] ||
        WorkQueue::Next(stream->queue.front()) != nullptr || !stream->queue.front().Like(first)) {
      return Whole::kArrivals;
    }
  }
  return Whole::kFolded;
}

void Engine::StartFor(const Waiter& waiter) {
  const Whole whole = FoldFor(waiter);
  if (whole != Whole::kFolded) {
    StartHeldBack();
    actors_.whole = whole;
    return;
  }
  std::vector<Stream*> streams = std::exchange(held_back_, {});
  for (Stream* stream : streams) stream->held_back = false;
  backend_->Fold(true);
  actors_ = {period_, Whole::kFolded};
  followers_.assign(streams.begin() + period_, streams.end());
  for (int rank = 0; rank < period_; ++rank) StartFront(streams[static_cast<size_t>(rank)]);
  if (free_slots_.size() == running_.size()) Unfold();
}

// The ranks that ran have ended, and so have those that they stood for.
void Engine::Unfold() {
  backend_->Fold(false);
  for (Stream* stream : std::exchange(followers_, {})) Pop(stream);
}

}  // namespace ccl
