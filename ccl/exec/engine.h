#ifndef CCL_EXEC_ENGINE_H_
#define CCL_EXEC_ENGINE_H_

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "ccl/exec/execution.h"
#include "ccl/exec/scope.h"

namespace ccl {

// A first-in first-out queue of one rank's work.
struct Stream {
  int rank = 0;                            // of the world
  std::shared_ptr<Scope> scope;            // null: errors are the engine's
  WorkQueue queue;                         // the front is running
  std::atomic<uint32_t> queued{0};         // works in it: written with the engine's lock
  uint32_t running = 0;                    // its slot in the engine, plus one
  bool held_back = false;                  // the front waits to be started, perhaps folded
};

// How much of the world the last operations took: the ranks that ran, and why not fewer.
struct Actors {
  int ranks = 0;
  Whole whole = Whole::kArrivals;
};

// Drives the executions of the local ranks of one world over its backend. Thread-safe.
//
// In virtual time the clock advances only when every endpoint is blocked in Wait: an endpoint
// belongs to the thread that adopted it, and a thread that waits blocks all of its endpoints. The
// last thread to block drives the world; whoever it releases counts as running again before the
// clock moves on, so results do not depend on how threads are scheduled.
//
// In real time whoever waits drives the world. While nobody calls for the length of a nap and there is
// work, a thread of the engine's own does, if the backend takes calls from any thread; else there is progress
// only inside calls, and if it takes those of one thread alone, others are an error.
//
// Folding: where a shift of all ranks changes neither the machine (Backend::period) nor a collective,
// the ranks below it alone need to run. When one thread waits for the same such collective on all ranks,
// none of it begun, nothing behind it and nothing else under way, only they do; the others' work ends
// when theirs has ended. Nobody can tell: until then nothing of the world is visible but the clock, whose
// events are those of the whole run. Work that may fold is held back until the clock is to move.
class Engine {
  // The lock, for everything but waiting: who drives the world lets those in who want it.
  class Entry {
   public:
    explicit Entry(Engine& engine) : engine_(engine) {
      if (engine_.mutex_.try_lock()) return;
      ++engine_.wanted_;
      engine_.mutex_.lock();
      --engine_.wanted_;
    }
    ~Entry() { engine_.mutex_.unlock(); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    Engine& engine_;
  };

 public:
  // `progress_thread`: in real time there may be one while nobody waits.
  explicit Engine(std::unique_ptr<Backend> backend, bool progress_thread = true);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // The caller's thread drives `rank` from now on.
  void Adopt(int rank);
  // The rank takes no further part; blocks nobody's clock.
  void Leave(int rank);

  const Topology& topology() const { return backend_->topology(); }
  const Abilities& abilities() const { return has_; }
  int ranks() const { return ranks_; }
  absl::Span<const int> local_ranks() const { return backend_->local_ranks(); }
  absl::string_view backend_name() const { return backend_->name(); }
  absl::string_view fabric_engine() const { return backend_->engine(); }
  absl::Status ShareFromRankZero(std::string& bytes);
  Time Now();
  Actors actors();  // of what was started last
  // The digest of a folded run is that of the ranks that ran.
  uint64_t Digest();
  // See Backend. The records stay where they are until the next operation.
  void RecordFlows();
  absl::Span<const FlowRecord> flows();
  void RecordPorts();
  std::vector<PortRecord> ports();

  std::unique_ptr<Stream> NewStream(int rank, std::shared_ptr<Scope> scope = nullptr);
  // A stream is dropped before it is destroyed. Forgets a stream's work.
  // What is under way completes and goes nowhere: until then the work, with
  // its scratch, stays alive.
  void Drop(Stream* stream);
  // Appends work to the streams, all before any of it runs. Never blocks.
  void Enqueue(absl::Span<Stream* const> streams, std::vector<std::unique_ptr<Work>> work);
  // Likewise one that `make` gives, which is called under the lock. Null: there is none, and false
  // comes back. Nothing is called when the world or the stream's scope has failed: that error comes back.
  template <typename F>
  absl::StatusOr<bool> EnqueueMade(Stream* stream, F make) {
    if (absl::Status status = CheckHome(); !status.ok()) return status;
    const Entry lock(*this);
    if (absl::Status error = ErrorOf({&stream, 1}); !error.ok()) return error;
    std::unique_ptr<Work> work = make();
    if (work == nullptr) return false;
    Add(calls_, uint64_t{1});
    Push(stream, std::move(work));
    if (stream->running == 0 && !stream->held_back) Begin(stream);
    Settle();
    // What has been written is on its way to the others. To give the lock back waits until it is there,
    // and meanwhile their answers come.
    if (!has_.virtual_time && stream->running > 0) TakePolled(PollOnce(Waiting::kBriefly));
    StartProgress();
    return true;
  }
  // Fails a scope, unless it has failed before, and drops the work of its streams: whoever waits
  // for them returns with the error. Says whether anything was under way.
  bool Stop(Scope& scope, const absl::Status& error);
  // Fails a scope, unless it has failed before.
  void Fail(Scope& scope, const absl::Status& error);
  // See Backend.
  absl::StatusOr<std::unique_ptr<Backend>> Survivors(absl::Span<const int> ranks);
  // Runs `f` while nothing moves.
  template <typename F>
  void Locked(F f) {
    const Entry lock(*this);
    f();
  }
  // Likewise, and then what has become ready by it goes on.
  template <typename F>
  void Settled(F f) {
    const Entry lock(*this);
    f();
    Settle();
  }
  // Runs `f` likewise, with the time and the world's error.
  template <typename F>
  void Look(F f) {
    const Entry lock(*this);
    f(backend_->Now(), error_.status());
  }
  // `f` is told, under the lock, when an error has come up, of a scope or, then it has it, of the world.
  // Not when somebody stops a scope. Once, before any work.
  void OnFailure(std::function<void(Time now, const absl::Status& world)> f) {
    const Entry lock(*this);
    on_failure_ = std::move(f);
  }
  // Without waiting, progress or the lock: true when the stream is empty, if nothing has failed. An error
  // is there before what it drops is gone. The last work may still be on its way to where it is kept.
  bool Empty(const Stream* stream) const {
    return stream->queued.load(std::memory_order_acquire) == 0 && error_.ok() &&
           (stream->scope == nullptr || stream->scope->error.ok()) && CheckHome().ok();
  }
  // Returns when the streams are empty, or with the first error of the world or of a stream's scope,
  // which is final. A deadlock fails every scope with work under way.
  absl::Status Wait(absl::Span<Stream* const> streams);
  // Progress without waiting. True when the stream is empty.
  absl::StatusOr<bool> Query(Stream* stream);
  // Likewise. In virtual time it counts as waiting, for a millisecond at most: when everybody else
  // waits too, the clock moves to the next instant at which something completes. Nothing that could
  // is no deadlock: the caller may go on and call what is missing.
  absl::StatusOr<bool> Poll(Stream* stream);
  // Likewise of all streams of a scope, to which nothing is added any more: a deadlock is one.
  absl::StatusOr<bool> Flush(const Scope& scope);
  // Waits for all streams of a scope.
  absl::Status Wait(const Scope& scope);
  // What the work of a scope takes, in bytes.
  uint64_t MemoryOf(const Scope& scope);
  // OK, or the world's first error.
  absl::Status error();
  // Likewise, or the scope's.
  absl::Status error(const Scope& scope);

 private:
  struct Waiter {
    absl::Span<Stream* const> streams;
    std::thread::id thread;
    int owned = 0;  // endpoints that this wait blocks
    bool released = false;
    absl::Status error;  // of the world or of a scope of its streams
    std::condition_variable wake;
  };

  // Of what is written with the lock alone: no more than a load and a store.
  template <typename T>
  static void Add(std::atomic<T>& number, T more) {
    number.store(number.load(std::memory_order_relaxed) + more, std::memory_order_release);
  }
  static void Push(Stream* stream, std::unique_ptr<Work> work) {
    stream->queue.push(std::move(work));
    Add(stream->queued, 1u);
  }
  static std::unique_ptr<Work> Pop(Stream* stream) {
    std::unique_ptr<Work> work = stream->queue.pop();
    Add(stream->queued, ~0u);
    return work;
  }
  // Threads that may not call are told so.
  absl::Status CheckHome() const;
  void StartProgress();
  void StopProgress();
  void CallProgress();
  void Progress();
  // Until the nap is over or the thread is called.
  void Nap(int naps);
  // Takes the lock, which whoever drives the world is asked for.
  void Relock(std::unique_lock<std::mutex>& lock);
  enum class Patience { kForEver, kOnce, kOnceAndMore };  // the last: the caller may add work
  absl::Status WaitFor(std::unique_lock<std::mutex>& lock, absl::Span<Stream* const> streams,
                       Patience patience);
  void Begin(Stream* stream);
  void StartFront(Stream* stream, Time now);
  void StartHeldBack() {
    if (!held_back_.empty()) StartAllHeldBack();
  }
  void StartAllHeldBack();
  // Starts what is held back, folded if `waiter` allows.
  void StartFor(const Waiter& waiter);
  // The ranks that can run for all, if all run such work at once.
  Actors ActorsFor(const Work& work) const;
  Actors ActorsFor(const Waiter& waiter) const;
  void Unfold();
  void Retire(Stream* stream, Time now);
  bool Forget(Stream* stream);
  void Completed(uint64_t token);
  // Takes what has completed without the backend.
  void Settle();
  void FailWaiting(const absl::Status& error);
  void TellWaiters();  // of a new error
  void Failed();       // tells whoever wants to know of a new error
  void CheckTimeouts();
  absl::Status ErrorOf(absl::Span<Stream* const> streams) const;
  absl::Status PollOnce(Waiting waiting);
  // In real time: what came of it is told to whoever waits.
  void TakePolled(const absl::Status& status);
  void ReleaseWaiters();
  static bool Idle(absl::Span<Stream* const> streams);
  std::string Deadlock() const;

  std::mutex mutex_;
  std::atomic<int> wanted_{0};  // threads that want the lock
  std::unique_ptr<Backend> backend_;
  const Abilities has_;
  const int ranks_;
  bool progresses_ = false;     // by a thread of its own, once there is something to do
  std::thread::id home_;        // the one thread that may call; default: any may
  std::thread progress_;
  std::mutex nap_mutex_;
  std::condition_variable called_;
  bool call_ = false;  // guarded by nap_mutex_
  std::atomic<bool> asleep_{false}, stopping_{false};
  std::atomic<int> waiting_{0};     // threads in WaitFor
  std::atomic<uint64_t> calls_{0};  // that began work or waited for it
  std::vector<std::thread::id> owner_;  // by rank; default: nobody
  std::vector<bool> left_;
  int live_ = 0;     // local endpoints that have not left
  int blocked_ = 0;  // of them, owned by waiting threads
  std::vector<Waiter*> waiters_;
  // Where completions go. A slot is given again when nothing of its work is outstanding.
  struct Slot {
    Stream* stream = nullptr;
    Work* work = nullptr;           // the stream's front
    std::unique_ptr<Work> dropped;  // was running when its stream went
    size_t outstanding = 0;         // operations of `dropped`
    Time started = 0;
  };
  std::vector<Slot> running_;
  std::vector<uint32_t> free_slots_;
  std::vector<Completion> done_;
  const int period_;                  // of the backend, less than its ranks if it can fold
  std::vector<Stream*> held_back_;    // in the order of their calls
  std::vector<Stream*> followers_;    // of the folded operation under way: whose ranks do not run
  Actors actors_;
  Workspace workspace_;
  bool timeouts_ = false;   // some scope has one
  Time checked_at_ = 0;     // for timeouts
  FirstError error_;
  std::function<void(Time, const absl::Status&)> on_failure_;
};

}  // namespace ccl

#endif  // CCL_EXEC_ENGINE_H_
