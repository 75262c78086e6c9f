#ifndef CCL_BACKEND_BACKEND_H_
#define CCL_BACKEND_BACKEND_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ccl/base/types.h"
#include "ccl/topology/topology.h"

// The window between executions above and transports below. A backend moves bytes between ranks
// and tells the time; it knows no collective, no chunk and no reduction.
namespace ccl {

struct Piece {
  void* data = nullptr;
  size_t bytes = 0;
};
struct ConstPiece {
  const void* data = nullptr;
  size_t bytes = 0;
};

// Takes the bytes of a kRecvReduce or kGroupReduce where they are.
class Consumer {
 public:
  // Called by the backend for an operation posted with real bytes, on the thread that calls Post or
  // Poll, between Post and the operation's completion: once, or part by part in any order, each a whole
  // number of elements that begins `offset` bytes behind the operation's first. What a kGroupReduce does
  // not hand over the backend itself writes to `dst`: another member's consumer has folded it. `operands` are the
  // arriving byte strings (one for kRecvReduce; one per member in order of rank for kGroupReduce), each
  // a list of pieces; they are lent for the duration of the call. Must not call back into the backend.
  virtual void Consume(uint64_t token, uint64_t offset,
                       absl::Span<const absl::Span<const ConstPiece>> operands) = 0;

 protected:
  ~Consumer() = default;
};

enum class OperationKind : uint8_t {
  kSend,
  kRecv,
  kRecvReduce,
  kGroupReduce,
  kGroupCopy,
  kReconfigure,  // optical circuits among the group: from each rank to the `channel`-th after it
  kCopy,      // cost only: `bytes` were copied locally
  kReduce,    // cost only: `bytes` of operands were reduced locally
  kDelay,     // cost only: the rank is busy for `delay`
};

// Ranks [.., ..] of a group operation, ascending; lives as long as the operation.
struct RankSet {
  uint64_t id = 0;  // equal on all members, distinct among groups of one context
  absl::Span<const int> ranks;
};

struct Operation {
  OperationKind kind = OperationKind::kSend;
  uint16_t channel = 0;
  int32_t peer = 0;            // rank; root of a group operation, -1: every member
  uint32_t context = 0;        // operations match within one context (a communicator)
  uint64_t bytes = 0;          // of the message; each operand of a group operation
  Time delay = 0;              // kDelay
  // Real bytes: kSend, kGroupReduce, and kGroupCopy at the root read `src`; kRecv and kGroupCopy
  // write `dst`, as does the consumer of a kGroupReduce whose result the rank wants. Empty with a
  // phantom payload. The arrays are read during Post only; the memory they point to stays valid and,
  // for src, unchanged until the completion.
  absl::Span<const ConstPiece> src;
  absl::Span<const Piece> dst;
  Consumer* consumer = nullptr;  // kRecvReduce, and kGroupReduce of some bytes where the result is
                                 // wanted; null with a phantom payload
  RankSet group;
  uint64_t token = 0;            // comes back in the completion
};

struct Completion {
  int rank = 0;
  uint64_t token = 0;
};

// Which threads may call a backend, one at a time: any, whenever; any, while the program itself is not
// in the library below; the one that opened it.
enum class Threads : uint8_t { kAny, kSerialized, kOne };

struct Abilities {
  bool virtual_time = false;    // time advances in Poll only, and never while a rank could act
  bool phantom = false;         // operations may carry sizes without bytes
  bool models_compute = false;  // wants kCopy, kReduce and kDelay; else they complete at once
  bool group_operations = false;
  // Operations carry contexts below the one and channels below the other number; at least 4 and 1.
  uint32_t contexts = 0;
  uint32_t channels = 0;
  Threads threads = Threads::kAny;
};

// A rank that has posted one side of a transfer whose other side has not been.
struct Wait {
  int rank = 0, peer = 0;
  bool sends = false;
};

// kBriefly: for less than a microsecond, and only where an answer is likely to come within it.
enum class Waiting : uint8_t { kNo, kBriefly, kYes };

// What became of one transfer, or of one local copy, reduction or delay (src == dst, local).
struct FlowRecord {
  int src = 0, dst = 0;
  bool local = false;
  uint64_t bytes = 0;
  Time send_posted = 0, recv_posted = 0;  // it starts at the later one
  Time sent = 0, delivered = 0;           // the sender's buffer is free; the last byte has arrived
  Time done = 0;                          // and has been reduced: the receiver's completion
  Time latency = 0, serialisation = 0;    // what delivery takes when nothing else is under way

  Time start() const { return send_posted > recv_posted ? send_posted : recv_posted; }
};

// What has passed a port or link of the fabric since the beginning.
struct PortRecord {
  std::string name;       // "endpoint 3 send node"
  std::string kind;       // what ports alike have in common: "send node"
  double bandwidth = 0;   // bytes/s
  uint64_t bytes = 0;     // on the wire
  uint64_t passages = 0;  // messages, or pieces of them where they took turns
  double busy = 0;        // bytes over what could have passed until now
  double mean_waiting = 0;    // bytes in front of it
  uint64_t most_waiting = 0;
};

// Ranks of one job. Not thread-safe: the engine serialises calls. Matching: the k-th send from a
// to b in (context, channel) meets the k-th receive, in the order of posting; the byte counts must
// agree, and a disagreement is an error that names both sides. Zero-byte messages match like others.
class Backend {
 public:
  virtual ~Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  virtual absl::string_view name() const = 0;  // "emulated", "mpi"
  virtual int ranks() const = 0;
  virtual absl::Span<const int> local_ranks() const = 0;  // ascending; driven by this process
  virtual const Topology& topology() const = 0;
  virtual Abilities abilities() const = 0;

  // Virtual: the world's instant. Real: a monotonic clock.
  virtual Time Now() const = 0;

  // Starts operations of a local rank. Never blocks; errors appear in Poll.
  virtual void Post(int rank, absl::Span<const Operation> operations) = 0;

  // Appends completions. Real time: those at hand; with kYes may wait (yielding) a bounded while
  // for one. Virtual time: moves the clock to the next instant at which something completes and
  // appends everything of that instant; appends nothing when nothing is in flight.
  // An error is final: it comes back from every later call. But in virtual time Unavailable says that
  // what is under way can never end; the rest can go on.
  virtual absl::Status Poll(Waiting waiting, std::vector<Completion>& done) = 0;

  // Collective over the processes of the job: rank 0's bytes, on every process.
  virtual absl::Status ShareFromRankZero(std::string& bytes) = 0;
  // Likewise: OK if every process comes with OK; else, on all of them, the status of the first that
  // does not.
  virtual absl::Status Agree(const absl::Status& own) = 0;

  // A backend of some of the ranks, in their order, which are its ranks 0, 1, ...: collective over
  // them alone, and possible when this one has failed because others have died.
  virtual absl::StatusOr<std::unique_ptr<Backend>> Survivors(absl::Span<const int> /*ranks*/) {
    return absl::UnimplementedError(
        absl::StrCat("the ", name(), " backend cannot go on with some of its ranks after a failure"));
  }

  // In virtual time: who waits for whom, by rank.
  virtual std::vector<Wait> Unmatched() const { return {}; }

  // What decides virtual times: the fabric's engine. Empty in real time.
  virtual absl::string_view engine() const { return ""; }

  // A hash of everything that has happened, in virtual time; 0 in real time.
  virtual uint64_t Digest() const { return 0; }

  // In virtual time: the least shift of all ranks (modulo their number) under which the machine is
  // the same; the number of ranks when nothing is known or recorded records would miss ranks.
  virtual int period() const { return ranks(); }
  // With no operation posted. From now on ranks below `actors`, a multiple of period() that divides the
  // ranks, post alone: each stands for all ranks with its remainder, which do the same with peers
  // shifted likewise. They name peers as they are, and the k-th send meets the k-th receive of the rank
  // that stands for the receiver. As many as there are ranks: each for itself again.
  virtual void Fold(int /*actors*/) {}

  // In virtual time, from now on: a record of every flow, in the order of completion. Changes
  // neither times nor bytes.
  virtual void RecordFlows() {}
  virtual absl::Span<const FlowRecord> flows() const { return {}; }
  // Likewise of every port. To be called before the first Post.
  virtual void RecordPorts() {}
  virtual std::vector<PortRecord> ports() { return {}; }

 protected:
  Backend() = default;
};

// Opens the backend that a URL names: "emulated:FABRIC[?ranks=N&set=KEY=VALUE&...]", "mpi:".
// The one link seam between the library and its transports; defined in transports/builtin.cc.
// `ranks` is what the caller expects, 0 when the backend is to say.
absl::StatusOr<std::unique_ptr<Backend>> OpenBackend(absl::string_view url, int ranks);

}  // namespace ccl

#endif  // CCL_BACKEND_BACKEND_H_
