// What streams run.
#ifndef CCL_EXEC_WORK_H_
#define CCL_EXEC_WORK_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ccl/backend/backend.h"
#include "ccl/exec/binding.h"
#include "ccl/exec/flight.h"
#include "ccl/exec/walk.h"
#include "ccl/schedule/program.h"

namespace ccl {

// Memory for issuing one batch: of the engine, because a batch of everybody to everybody is large
// and ranks issue one after the other.
struct Workspace {
  struct Range {  // the pieces of an operation in `pieces`
    size_t src = 0, src_count = 0, dst = 0, dst_count = 0;
  };
  StepList list;
  std::vector<Operation> operations;
  std::vector<Piece> pieces;
  std::vector<ConstPiece> const_pieces;
  std::vector<Range> ranges;  // by operation
  std::vector<const void*> operands;
  std::vector<Piece> from, to;  // of a local copy
  std::vector<ConstPiece> own, target;  // of a copy or fold in many pieces
  std::vector<Walk> walks;
  // Tokens of what has completed without the backend; the engine takes them before it returns.
  std::vector<uint64_t> ready;
  bool failed = false;  // a scope has; the engine tells who waits
};

// Why all ranks run although the machine looks the same from many; or that they do not.
enum class Whole : uint8_t {
  kFolded,    // a few ranks stand for all
  kBytes,     // real bytes are moved
  kProgram,   // the program promises no shift that the machine has too, or names groups of ranks
  kChunks,    // chunks have different lengths
  kMachine,   // no symmetry known or asked for, or a record of flows
  kArrivals,  // not the same collective on all ranks at once with nothing else under way
};
absl::string_view Describe(Whole whole);

// What symmetry work has.
struct Symmetry {
  Whole whole = Whole::kArrivals;  // why none, or kFolded
  int shift = 0;                   // of all ranks, under which it stays the same
};

// What a stream runs: something that posts operations of one rank and is told of their completion.
// Never blocks. Used under its engine's lock only.
class Work {
 public:
  virtual ~Work() = default;
  // Posts what can be posted at the beginning.
  virtual void Start(Backend& backend) = 0;
  // One of its operations has completed; posts what can follow.
  virtual void Complete(uint64_t tag, Backend& backend) = 0;
  virtual bool done() const = 0;
  // Whether it does so little by itself that, when it is done as soon as it has started, it has taken no time.
  virtual bool brief() const { return false; }
  // Operations posted and not completed.
  virtual size_t outstanding() const = 0;
  // Bytes that it takes.
  virtual uint64_t memory() const { return 0; }
  // For reports: what it is, where it stands, whom it waits for.
  virtual std::string Describe() const = 0;
  // That of ranks which all run Like() work.
  virtual Symmetry SymmetryOf() const { return {}; }
  // Whether another rank's work is the same program for the same request. Of foldable work.
  virtual bool Like(const Work& /*other*/) const { return false; }
  // It has ended and its stream gives it away: it is destroyed, or kept to run again.
  virtual void Return(std::unique_ptr<Work> /*self*/) {}

  // Before Start. Tokens of its operations carry `id` in the upper bits and a tag of kTagBits. The
  // workspace outlives the work and is lent to it while it runs a function.
  void Prepare(uint64_t id, Workspace& workspace) {
    id_ = id;
    workspace_ = &workspace;
  }
  static constexpr int kTagBits = 40;

  // Where the operation is recorded.
  void RecordIn(std::shared_ptr<FlightRing> ring, uint64_t number) {
    flight_ = std::move(ring);
    flight_number_ = number;
  }
  // Likewise, in the same records as before.
  void RecordAs(uint64_t number) { flight_number_ = number; }
  void NoteStart(Time now) {
    if (flight_ == nullptr) return;
    if (FlightRecord* record = flight_->Find(flight_number_)) record->started = now;
  }
  void NoteEnd(Time now) {
    if (flight_ == nullptr) return;
    if (FlightRecord* record = flight_->Find(flight_number_)) record->ended = now;
  }
  uint64_t flight_number() const { return flight_number_; }
  // What a completion will look at, beside the work itself; null: nothing.
  const void* hot() const { return hot_; }

 protected:
  uint64_t Token(uint64_t tag) const { return id_ << kTagBits | tag; }
  Workspace& workspace() const { return *workspace_; }
  const void* hot_ = nullptr;

 private:
  friend class WorkQueue;
  std::unique_ptr<Work> next_;  // in its queue
  uint64_t id_ = 0;
  std::shared_ptr<FlightRing> flight_;
  uint64_t flight_number_ = 0;
  Workspace* workspace_ = nullptr;
};

// First in, first out; takes no memory of its own.
class WorkQueue {
 public:
  WorkQueue() = default;
  ~WorkQueue() { clear(); }
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  bool empty() const { return first_ == nullptr; }
  Work& front() const { return *first_; }
  // The one behind; null: none.
  static const Work* Next(const Work& work) { return work.next_.get(); }
  void push(std::unique_ptr<Work> work) {
    Work* const added = work.get();
    (first_ == nullptr ? first_ : last_->next_) = std::move(work);
    last_ = added;
  }
  std::unique_ptr<Work> pop() {
    std::unique_ptr<Work> work = std::move(first_);
    first_ = std::move(work->next_);
    return work;
  }
  void clear() {
    while (!empty()) pop();
  }

 private:
  std::unique_ptr<Work> first_;
  Work* last_ = nullptr;  // of some
};

}  // namespace ccl

#endif  // CCL_EXEC_WORK_H_
