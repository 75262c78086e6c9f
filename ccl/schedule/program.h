#ifndef CCL_SCHEDULE_PROGRAM_H_
#define CCL_SCHEDULE_PROGRAM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "ccl/base/types.h"
#include "ccl/schedule/chunk_space.h"

// The schedule IR. One Program describes what every rank of one collective does, for every element
// count, and is independent of transports, data types and time.
//
//   rank   a program is asked for any rank's steps; it stores none it can compute
//   lane   runs its batches strictly in order; the lanes of a rank run concurrently
//   batch  the issue group: its steps are issued together once the batch's dependencies hold and
//          the lane's previous batch has completed; it completes when all its steps have
//   step   one message, copy, reduction or fabric operation over lists of chunks
//
// Matching is separate from order: the k-th send from a to b on wire channel c meets the k-th
// receive at b from a on channel c, where k counts in the order of issue. A (sender, receiver,
// channel) triple is used by one lane on each side, so that this order is defined.
namespace ccl {

enum class StepKind : uint8_t {
  kSend,         // sends the concatenation of src to peer
  kRecv,         // receives from peer into dst
  kRecvReduce,   // dst = src (+) incoming, piecewise; src and dst have the same shape
  kCopy,         // dst = src
  kReduce,       // dst = src[0] (+) src[1] (+) ..., a left fold; each operand as long as dst
  kGroupReduce,  // dst at the root = fold of every member's src in order of rank; peer is the
                 // root, or kEveryMember when all members have a dst
  kGroupCopy,    // every member's dst = the root's src; peer is the root
  kReconfigure,  // the group's optical circuits change to matching `channel`
};

enum class Buffer : uint8_t { kIn, kOut, kScratch };

inline constexpr int kEveryMember = -1;

// `count` consecutive chunks of one buffer. In scratch, `slot` says which copy of the space.
// A run never crosses a slice. Repeated, it stands for `repeat` runs of which each begins `stride`
// chunks behind the one before: what a rank has for one member of every group is one reference.
struct Ref {
  Buffer buffer = Buffer::kIn;
  uint16_t slot = 0;
  uint32_t first = 0;
  uint32_t count = 1;
  uint32_t repeat = 1;
  uint32_t stride = 0;
};

// Wait until lane `lane` of the same rank has completed `batches` batches.
struct Dep {
  uint32_t lane = 0;
  uint32_t batches = 0;
};

struct Step {
  StepKind kind = StepKind::kSend;
  // kRecvReduce: the incoming operand is the left one. Matters to floating point and to
  // operations that do not commute.
  bool incoming_first = false;
  uint16_t channel = 0;  // wire channel; the matching number of a Reconfigure
  int32_t peer = 0;      // rank; root of a group operation
  uint32_t group = 0;    // rank group of a group operation
  uint32_t src_begin = 0, src_count = 0;  // into StepList::refs
  uint32_t dst_begin = 0, dst_count = 0;
};

// One batch, as a program writes it and everybody else reads it. Reused: Clear keeps the memory.
class StepList {
 public:
  StepList() = default;
  // Copies what is written, not what writers need beside.
  StepList(const StepList& other) : steps(other.steps), refs(other.refs), deps(other.deps) {}
  StepList& operator=(const StepList& other) {
    steps = other.steps;
    refs = other.refs;
    deps = other.deps;
    return *this;
  }
  void Clear();
  // Writes repeated references out run by run, for readers that go by runs. The operands of a kReduce
  // are never repeated.
  void Flatten();
  // An empty list for a program that this list's writer is made of; its memory is kept too.
  StepList& Inner();
  // Two empty lists to write a step from; their memory is kept too. Until the next call.
  struct Lists {
    std::vector<Ref>&src, &dst;
  };
  Lists Spare();

  // Writers. Refs given to one call become the step's src and dst lists.
  void Send(int peer, uint32_t channel, absl::Span<const Ref> src);
  void Recv(int peer, uint32_t channel, absl::Span<const Ref> dst);
  void RecvReduce(int peer, uint32_t channel, absl::Span<const Ref> src, absl::Span<const Ref> dst,
                  bool incoming_first = false);
  void Copy(absl::Span<const Ref> src, absl::Span<const Ref> dst);
  void Reduce(absl::Span<const Ref> operands, Ref dst);
  void GroupReduce(uint32_t group, int root, uint32_t channel, absl::Span<const Ref> src,
                   absl::Span<const Ref> dst);
  void GroupCopy(uint32_t group, int root, uint32_t channel, absl::Span<const Ref> src,
                 absl::Span<const Ref> dst);
  void Reconfigure(uint32_t group, uint32_t matching);
  void After(uint32_t lane, uint32_t batches) { deps.push_back({lane, batches}); }

  absl::Span<const Ref> src(const Step& s) const { return {refs.data() + s.src_begin, s.src_count}; }
  absl::Span<const Ref> dst(const Step& s) const { return {refs.data() + s.dst_begin, s.dst_count}; }

  std::vector<Step> steps;
  std::vector<Ref> refs;
  std::vector<Dep> deps;

 private:
  Step& Add(StepKind kind, absl::Span<const Ref> src, absl::Span<const Ref> dst);

  std::unique_ptr<StepList> inner_;
  std::vector<Ref> spare_src_, spare_dst_;
};

// Scratch slots [first, first + slots) of a rank each hold the blocks
// [first_block, first_block + blocks) of every slice.
struct ScratchArea {
  uint32_t slots = 0;
  uint32_t first_block = 0;
  uint32_t blocks = 0;
};
// Of one rank. Batches look at them, and take no memory for it.
using ScratchAreas = absl::InlinedVector<ScratchArea, 16>;

struct ProgramInfo {
  std::string name;  // as the user would write it to force it: "ring", "hier(two_shot+nhr)*4"
  Collective collective = Collective::kAllReduce;
  int ranks = 1;
  int root = 0;
  ChunkSpace space;
  uint32_t lanes = 1;         // of the rank that has most
  uint32_t channels = 1;      // wire channels are below this
  uint32_t rank_groups = 0;   // groups of ranks named by group operations
  bool group_to_all = false;  // some reduction of a group gives its result to every member
  // The program of rank r + shift (modulo `ranks`) is that of rank r with every peer shifted likewise:
  // step by step it moves as many chunks of every slice, whichever they are. Divides `ranks`, and is
  // that number when nothing is promised. The verifier checks it.
  int shift = 0;
};

// Immutable and safe to read from any number of threads. Deterministic: the same arguments give
// the same steps. Every accessor is O(1) in the length of the program.
class Program {
 public:
  virtual ~Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const ProgramInfo& info() const { return info_; }

  // Number of batches of a lane; 0 for a lane the rank does not use.
  virtual uint32_t batches(int rank, uint32_t lane) const = 0;
  // Writes batch `batch` into `out`, which the caller has cleared. A batch may be empty.
  virtual void Fetch(int rank, uint32_t lane, uint32_t batch, StepList& out) const = 0;
  // Appends the scratch areas of a rank; slots are numbered through the areas in order.
  virtual void Scratch(int rank, ScratchAreas& out) const;
  // Members of a rank group in ascending order.
  virtual absl::Span<const int> RankGroup(uint32_t group) const;

 protected:
  explicit Program(ProgramInfo info);
  ProgramInfo info_;
};

// The window of blocks that a rank's input or output buffer holds, by collective: everything,
// the rank's own block, or nothing ({0, 0}).
struct BlockWindow {
  uint32_t first = 0;
  uint32_t blocks = 0;
};
BlockWindow InputWindow(const ProgramInfo& info, int rank);
BlockWindow OutputWindow(const ProgramInfo& info, int rank);

}  // namespace ccl

#endif  // CCL_SCHEDULE_PROGRAM_H_
