#ifndef TRANSPORTS_EMULATED_EMULATED_H_
#define TRANSPORTS_EMULATED_EMULATED_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/backend/backend.h"
#include "fabric/pool.h"
#include "fabric/recorder.h"
#include "fabric/simulator.h"
#include "transports/emulated/groups.h"
#include "transports/emulated/matcher.h"
#include "transports/emulated/pacer.h"

namespace ccl {

struct EmulatedOptions {
  fabric::EngineKind engine = fabric::EngineKind::kFifo;
  std::string trace;    // a file for what passes every port, in the trace event format; empty: none
  double dilation = 0;  // real seconds that a virtual one takes; 0: as fast as it can be computed
  bool folds = true;    // whether ranks may stand for others; see Backend::period
};

// All ranks of a world in this process, their messages in the virtual time of a simulated fabric.
//
// A transfer starts when both sides have been posted. Its bytes move then, straight from the
// sender's memory into the receiver's (a receive that reduces is lent the sender's); what takes time
// is the fabric. Messages that start at one instant enter the fabric in the order in which their
// sender posted them, so the result does not depend on the order in which ranks were run. A group
// operation starts when all members have joined; its bytes move then too. Ranks whose tiers have no
// switches that reduce and replicate cannot join one.
class EmulatedBackend final : public Backend {
 public:
  static absl::StatusOr<std::unique_ptr<Backend>> Create(const fabric::Description& description,
                                                         const EmulatedOptions& options);
  // A trace that could not be written whole is said on standard error.
  ~EmulatedBackend() override;

  absl::string_view name() const override { return "emulated"; }
  int ranks() const override { return static_cast<int>(ranks_.size()); }
  absl::Span<const int> local_ranks() const override { return ranks_; }
  const Topology& topology() const override { return topology_; }
  Abilities abilities() const override;
  Time Now() const override { return simulator_->now(); }
  void Post(int rank, absl::Span<const Operation> operations) override;
  absl::Status Poll(Waiting waiting, std::vector<Completion>& done) override;
  absl::Status ShareFromRankZero(std::string&) override { return absl::OkStatus(); }
  absl::Status Agree(const absl::Status& own) override { return own; }
  std::vector<Wait> Unmatched() const override;
  absl::string_view engine() const override { return simulator_->engine(); }
  int period() const override;
  void Fold(int actors) override;
  uint64_t Digest() const override { return digest_; }
  void RecordFlows() override { recording_ = true; }
  absl::Span<const FlowRecord> flows() const override { return flows_; }
  void RecordPorts() override;
  std::vector<PortRecord> ports() override;

 private:
  static constexpr uint32_t kNone = Matcher::kNone;

  // One side of a transfer that waits for the other, or a transfer, or a local operation.
  struct Record {
    uint64_t bytes;
    uint64_t token;        // of the side that was posted first, then of the sender
    uint64_t recv_token;   // of the receiver, once matched
    uint64_t order;        // of the send among its rank's
    int32_t rank, peer;
    uint32_t next;         // in its queue
    uint32_t held;         // of a waiting side with bytes: in held_
    OperationKind kind;
    bool sender_first;
    bool reducing;         // the fabric has delivered it, the rank's engine is reducing it
  };
  // What a waiting side has lent.
  struct Held {
    std::vector<ConstPiece> pieces;
    Consumer* consumer;    // of a kRecvReduce
  };
  // Of a record, when flows are recorded.
  struct Times {
    Time posted = -1;      // its first side; -1: before recording began
    Time matched = 0;      // its second side
    Time sent = 0, delivered = 0;
  };
  // A transfer matched at this instant.
  struct Starting {
    int32_t rank;
    uint32_t record;
    uint64_t order;
  };

  EmulatedBackend(std::unique_ptr<fabric::Simulator> simulator, Topology topology, bool folds);
  // The rank that stands for `rank`.
  int Actor(int rank) const { return rank < actors_ ? rank : rank % actors_; }
  uint32_t NewRecord();
  Times& TimesOf(uint32_t index) {
    times_.Reach(index);
    return times_[index];
  }
  void PostMessage(int rank, const Operation& operation);
  void Hold(const Operation& operation, Record& record);
  void Move(Record& waiting, const Operation& arriving, bool arriving_sends);
  void PostGroup(int rank, const Operation& operation);
  void PostReconfigure(int rank, const Operation& operation);
  void Start();
  void HandleGroup(const fabric::Event& event, std::vector<Completion>& done);
  void Fail(absl::Status status);
  void Keep(uint32_t index, Time done, bool local);

  const std::unique_ptr<fabric::Simulator> simulator_;
  Topology topology_;
  const bool folds_;
  std::vector<int> ranks_;
  int actors_;                    // ranks that post: all, or the first of a folded world
  std::vector<uint64_t> posted_;  // sends of each rank so far
  fabric::Pool<Record> records_;
  Matcher waiting_;
  fabric::Pool<Held> held_;
  std::vector<Starting> starting_, sorting_;
  GroupMatcher matcher_, circuit_matcher_;
  std::vector<std::unique_ptr<GroupOperation>> starting_groups_;  // complete at this instant
  std::vector<std::unique_ptr<GroupOperation>> groups_;           // under way, by number
  std::vector<uint32_t> free_groups_;
  std::vector<fabric::Event> events_;
  uint64_t digest_ = 14695981039346656037u;
  bool recording_ = false;
  fabric::Pool<Times> times_;       // by record, while recording
  std::vector<FlowRecord> flows_;
  std::unique_ptr<fabric::Recorder> recorder_;  // null: nobody asked
  std::unique_ptr<Pacer> pacer_;                // null: no pacing
  absl::Status error_;
};

// "NAME[?ranks=N&engine=E&fold=no&trace=FILE&pace=X&set=KEY=VALUE&event=EVENT&...]", the part of an
// emulated URL behind the scheme.
// `ranks` is the caller's number, 0 when the URL or the fabric is to say.
absl::StatusOr<std::unique_ptr<Backend>> OpenEmulated(absl::string_view rest, int ranks);

// The planner's view of a described fabric.
Topology TopologyOf(const fabric::Description& description);

}  // namespace ccl

#endif  // TRANSPORTS_EMULATED_EMULATED_H_
