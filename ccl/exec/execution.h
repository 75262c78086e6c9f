#ifndef CCL_EXEC_EXECUTION_H_
#define CCL_EXEC_EXECUTION_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "ccl/exec/binding.h"
#include "ccl/exec/flight.h"
#include "ccl/exec/rank_map.h"

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
  // Tokens of what has completed without the backend; the engine takes them before it returns.
  std::vector<uint64_t> ready;
  bool failed = false;  // a scope has; the engine tells who waits
};

// Why all ranks run although the machine looks the same from many; or that they do not.
enum class Whole : uint8_t {
  kFolded,    // a few ranks stand for all
  kBytes,     // real bytes are moved
  kProgram,   // the program promises no shift that suits the machine, or names groups of ranks
  kChunks,    // chunks have different lengths
  kMachine,   // no symmetry known or asked for, or a record of flows
  kArrivals,  // not the same collective on all ranks at once with nothing else under way
};
absl::string_view Describe(Whole whole);

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
  // Operations posted and not completed.
  virtual size_t outstanding() const = 0;
  // Bytes that it takes.
  virtual uint64_t memory() const { return 0; }
  // For reports: what it is, where it stands, whom it waits for.
  virtual std::string Describe() const = 0;
  // Whether ranks that run Like() work are shifts of each other by any multiple of `period`.
  virtual Whole Foldable(int /*period*/) const { return Whole::kArrivals; }
  // Whether another rank's work is the same program for the same request. Of foldable work.
  virtual bool Like(const Work& /*other*/) const { return false; }

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
  uint64_t id_ = 0;
  std::shared_ptr<FlightRing> flight_;
  uint64_t flight_number_ = 0;
  Workspace* workspace_ = nullptr;
};

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
  size_t outstanding() const override;
  uint64_t memory() const override {
    return sizeof *this + (state_ == nullptr ? 0 : sizeof *state_ + state_->binding.ScratchBytes());
  }
  std::string Describe() const override;
  Whole Foldable(int period) const override;
  bool Like(const Work& other) const override;

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
  // What a run is made of; what every completion looks at comes first.
  struct State {
    State(const Program& program, int rank, const Request& asked);

    uint32_t running = 0;    // lanes not at their end
    bool started = false;
    bool launching = false;  // the machine's launch time passes
    absl::InlinedVector<Lane, 4> lanes;
    std::unique_ptr<char[]> scaled;  // the input, where contributions are scaled first
    const Request request;           // as the program sees it: its input is `scaled`, or the output
    Binding binding;
    std::vector<Fold> folds;
    std::vector<uint32_t> free_folds;
    std::unique_ptr<std::map<uint32_t, std::vector<int>>> groups;  // translated, where map_ is one
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
  // Takes a fold for the operation's token.
  Fold& NewFold(uint32_t lane, Operation& operation);
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
  const uint32_t context_;
  const RankMap map_;
  const Request request_;
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
