// Ranks that stand for others: see Engine.
#include <numeric>
#include <utility>

#include "ccl/exec/engine.h"

namespace ccl {

Actors Engine::ActorsFor(const Work& work) const {
  if (period_ == ranks_) return {ranks_, Whole::kMachine};
  const Symmetry symmetry = work.SymmetryOf();
  if (symmetry.whole != Whole::kFolded) return {ranks_, symmetry.whole};
  const int both = std::lcm(period_, symmetry.shift);  // divides the ranks, as both do
  return {both, both < ranks_ ? Whole::kFolded : Whole::kProgram};
}

Actors Engine::ActorsFor(const Waiter& waiter) const {
  const size_t ranks = static_cast<size_t>(ranks_);
  if (backend_->period() != period_) return {ranks_, Whole::kMachine};
  if (waiters_.size() != 1 || waiter.streams.size() != ranks || held_back_.size() != ranks ||
      free_slots_.size() != running_.size()) {
    return {ranks_, Whole::kArrivals};
  }
  const Work& first = held_back_.front()->queue.front();
  for (size_t i = 0; i < ranks; ++i) {
    const Stream* stream = held_back_[i];
    if (stream->rank != static_cast<int>(i) || stream != waiter.streams[i] ||
        WorkQueue::Next(stream->queue.front()) != nullptr || !stream->queue.front().Like(first)) {
      return {ranks_, Whole::kArrivals};
    }
  }
  return ActorsFor(first);
}

void Engine::StartFor(const Waiter& waiter) {
  const Actors actors = ActorsFor(waiter);
  if (actors.whole != Whole::kFolded) {
    StartHeldBack();
    actors_ = actors;
    return;
  }
  std::vector<Stream*> streams = std::exchange(held_back_, {});
  for (Stream* stream : streams) stream->held_back = false;
  backend_->Fold(actors.ranks);
  actors_ = actors;
  followers_.assign(streams.begin() + actors.ranks, streams.end());
  for (int rank = 0; rank < actors.ranks; ++rank) StartFront(streams[static_cast<size_t>(rank)], backend_->Now());
  if (free_slots_.size() == running_.size()) Unfold();
}

// The ranks that ran have ended, and so have those that they stood for.
void Engine::Unfold() {
  backend_->Fold(ranks_);
  for (Stream* stream : std::exchange(followers_, {})) Pop(stream);
}

}  // namespace ccl
