#ifndef CCL_EXEC_EXECUTION_H_
#define CCL_EXEC_EXECUTION_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "ccl/exec/rank_map.h"
#include "ccl/exec/work.h"

namespace ccl {

class Shelf;

// One rank's run of a program: a state machine over its lanes. Bytes of local copies and folds move
// when their step is issued; the backend is told what they cost where it models that.
class Execution final : public Work, private Consumer {
 public:
  // `rank` is the program's, which `map` turns into the backend's.
  Execution(std::shared_ptr<const Program> program, int rank, uint32_t context, Request request,
            RankMap map = {});

  void Start(Backend& backend) override;
  void Complete(uint64_t tag, Backend& backend) override;
  bool done() const override {
    return state_ != nullptr && state_->started && state_->running == 0 && !state_->launching;
  }
  bool brief() const override { return state_->binding.OutputElements() <= kBrief; }
  size_t outstanding() const override;
  uint64_t memory() const override {
    return sizeof *this + (state_ == nullptr ? 0 : sizeof *state_ + state_->binding.ScratchBytes());
  }
  std::string Describe() const override;
  Symmetry SymmetryOf() const override;
  bool Like(const Work& other) const override;

  // Whether one that has ended can run the same call again, with other buffers: what the caller has of
  // his own in the request, or a copy that is scaled, is made anew.
  static bool Repeats(const Request& request);
  // Of one that has ended. Takes no memory.
  void Again(uint32_t context, const void* in, void* out, uint64_t tag);
  // Where it goes when it has ended.
  void ReturnTo(std::shared_ptr<Shelf> shelf) { shelf_ = std::move(shelf); }
  void Return(std::unique_ptr<Work> self) override;

 private:
  struct Lane {
    uint32_t next = 0;         // batch to issue
    uint32_t completed = 0;    // batches
    uint32_t outstanding = 0;  // operations of the batch in flight
    uint32_t batches : 31 = 0;
    uint32_t waits : 1 = 0;    // for deps
    std::unique_ptr<std::vector<Dep>> deps;  // made when there are some
  };
  // Where bytes go that are folded as they arrive: with src on one side (a receive), or the
  // operands alone (a group's).
  struct Fold {
    std::vector<Piece> src, dst;
    bool incoming_first = false;
    bool alone = false;
  };
  // Tags of operations: the fold's number plus one (or 0) above the lane.
  static constexpr int kLaneBits = 16;
  static constexpr uint64_t kLaneMask = (1u << kLaneBits) - 1;
  // Operations of a batch that are posted at once: they stay in the cache on their way down.
  static constexpr size_t kMostPosted = 128;
  // Elements that are moved sooner than the time is told.
  static constexpr uint64_t kBrief = 256;
  struct LocalCopy {
    void* to;
    const void* from;
    uint64_t bytes;
  };
  // All that a program of one batch does: copied and posted again when the call comes with the same buffers.
  struct Posted {
    const void* in = nullptr;
    const void* out = nullptr;
    std::vector<Operation> operations;
    std::vector<ConstPiece> src;
    std::vector<Piece> dst;
  };
  // What a run is made of; what every completion looks at comes first.
  struct State {
    State(const Program& program, int rank, const Request& asked);

    uint32_t running = 0;    // lanes not at their end
    bool started = false;
    bool launching = false;  // the machine's launch time passes
    absl::InlinedVector<Lane, 4> lanes;
    std::unique_ptr<char[]> scaled;  // the input, where contributions are scaled first
    Request request;                 // as the program sees it: its input is `scaled`, or the output
    Binding binding;
    std::vector<Fold> folds;
    std::vector<uint32_t> free_folds;
    std::unique_ptr<std::map<uint32_t, std::vector<int>>> groups;  // translated, where map_ is one
    std::unique_ptr<Posted> posted;
    bool remembered = false;        // posted and copies are those of a whole run
    std::vector<LocalCopy> copies;  // done when a step was issued
    bool folded = false;            // likewise, or copied in many pieces
  };

  void Consume(uint64_t token, uint64_t offset,
               absl::Span<const absl::Span<const ConstPiece>> operands) override;
  void Begin(Backend& backend);
  bool Holds(const Lane& lane) const;
  void Advance(Backend& backend);
  // Issues the lane's next batch; false when it waits for other lanes.
  bool Issue(uint32_t lane, Backend& backend);
  // Adds the operation of a step to the workspace, unless the step is done.
  void AddOperation(uint32_t lane, const Step& step, Backend& backend);
  // Posts what the workspace holds.
  void PostAll(Lane& lane, Backend& backend);
  void Remember();
  // Posts what was posted before. False: nothing fits.
  bool PostAgain(Backend& backend);
  // Takes a fold for the operation's token.
  Fold& NewFold(uint32_t lane, Operation& operation);
  // Whether contributions are scaled before they are folded.
  static bool Scales(const Request& request);
  void Scale();
  void Combine(void* dst, absl::Span<const void* const> operands, size_t count) const;
  // Does a copy or fold; returns the bytes to charge for.
  uint64_t LocalStep(const Step& step, OperationKind& kind);
  // The members of a group of the program as the backend knows them.
  absl::Span<const int> WorldGroup(uint32_t group);
  void Finish();

  // Made with the execution, because memory may lack; without bytes when it starts: of a folded world
  // most executions never do.
  std::unique_ptr<State> state_;
  const std::shared_ptr<const Program> program_;
  const int rank_;
  uint32_t context_;
  const RankMap map_;
  Request request_;
  std::shared_ptr<Shelf> shelf_;
};

// Executions of one call that have ended. Guarded by the lock of their engine. They own it together with
// who takes from it, until that closes it.
class Shelf {
 public:
  void Close() {
    closed_ = true;
    executions_.clear();
  }
  // Null: there is none.
  std::unique_ptr<Execution> Take() {
    if (executions_.empty()) return nullptr;
    std::unique_ptr<Execution> last = std::move(executions_.back());
    executions_.pop_back();
    return last;
  }
  void Put(std::unique_ptr<Execution> execution) {
    if (!closed_ && executions_.size() < kMost && memory() + execution->memory() <= kMostMemory) {
      executions_.push_back(std::move(execution));
    }
  }
  bool closed() const { return closed_; }
  uint64_t memory() const {
    uint64_t bytes = 0;
    for (const auto& execution : executions_) bytes += execution->memory();
    return bytes;
  }

 private:
  static constexpr size_t kMost = 4;
  static constexpr uint64_t kMostMemory = uint64_t{16} << 20;
  std::vector<std::unique_ptr<Execution>> executions_;
  bool closed_ = false;
};

// Point-to-point messages of one group call: all posted together.
class Exchange final : public Work {
 public:
  struct Message {
    bool sends;
    int peer;
    void* data;  // null with a phantom payload
    uint64_t bytes;
    uint16_t channel = 0;
  };
  Exchange(int rank, uint32_t context, std::vector<Message> messages, RankMap map = {})
      : rank_(rank), map_(std::move(map)), context_(context), messages_(std::move(messages)) {}

  void Start(Backend& backend) override;
  void Complete(uint64_t, Backend& backend) override;
  bool done() const override { return outstanding_ == 0; }
  size_t outstanding() const override { return outstanding_; }
  std::string Describe() const override;

 private:
  void Begin(Backend& backend);

  const int rank_;
  const RankMap map_;
  const uint32_t context_;
  const std::vector<Message> messages_;
  size_t outstanding_ = 0;
  bool launching_ = false;
};

// A rank that computes for so long, in virtual time; nothing in real time.
class Delay final : public Work {
 public:
  Delay(int rank, Time duration) : rank_(rank), duration_(duration) {}
  void Start(Backend& backend) override;
  void Complete(uint64_t, Backend&) override { done_ = true; }
  bool done() const override { return done_; }
  size_t outstanding() const override { return started_ && !done_ ? 1 : 0; }
  std::string Describe() const override;

 private:
  const int rank_;
  const Time duration_;
  bool started_ = false, done_ = false;
};

}  // namespace ccl

#endif  // CCL_EXEC_EXECUTION_H_
