#ifndef CCL_EXEC_BINDING_H_
#define CCL_EXEC_BINDING_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ccl/backend/backend.h"
#include "ccl/exec/blocks.h"
#include "ccl/exec/custom_op.h"
#include "ccl/schedule/program.h"

namespace ccl {

// What one rank asks of one collective. `count` is NCCL's: elements of the whole vector, or of one
// rank's block for the collectives that CountIsPerRank; v-forms have `blocks` instead.
struct Request {
  Collective collective = Collective::kAllReduce;
  DataType type = DataType::kFloat32;
  ReduceOp op = ReduceOp::kSum;
  uint64_t count = 0;
  int root = 0;
  const void* in = nullptr;  // null with a phantom payload
  void* out = nullptr;
  bool phantom = false;      // sizes without bytes
  std::shared_ptr<const CustomOp> custom = nullptr;  // in the place of `op`
  std::shared_ptr<const Blocks> blocks = nullptr;    // of a v-form
  uint64_t tag = 0;          // the caller's, for reports
};

// One of real bytes, without blocks or an operation of the user's: most calls are, and it is quickly written.
struct PlainRequest {
  Collective collective;
  DataType type;
  ReduceOp op;
  uint64_t count;
  int root;
  const void* in;
  void* out;
  uint64_t tag;

  static PlainRequest Of(const Request& r) {
    return {r.collective, r.type, r.op, r.count, r.root, r.in, r.out, r.tag};
  }
};

// Bytes of one rank's larger buffer, the vector or all blocks of the per-rank collectives: what plans
// are chosen by. 0 where ranks know their own blocks only: they would choose differently.
uint64_t PlanBytes(const Request& request, int ranks);

// The same by what this rank knows, its own blocks: what a call is predicted by.
uint64_t OwnBytes(const Request& request, int ranks);
// Whether the bits of the result depend on the order of the fold. Integers wrap, and are exact.
bool OrderMatters(const Request& request);

// Chunks of a program to bytes of one rank's buffers. Owns the scratch.
class Binding {
 public:
  Binding(const Program& program, int rank, const Request& request);
  // Other buffers of the same lengths.
  void Rebind(const void* in, void* out) {
    in_ = static_cast<char*>(const_cast<void*>(in));
    out_ = static_cast<char*>(out);
  }

  uint64_t Bytes(absl::Span<const Ref> refs) const;
  // Appends the memory of the refs, neighbours joined. Nothing with a phantom payload.
  void Pieces(absl::Span<const Ref> refs, std::vector<Piece>& out) const;
  void* Address(const Ref& ref) const;
  // Of a run, its repetitions not counted.
  uint64_t Elements(const Ref& ref) const {
    if (blocks_ != nullptr) return UnevenElements(ref);
    return space_.LengthOfRun(ref.first, ref.count, count_);
  }
  // Whether the chunks of a run may lie apart.
  bool Scattered(const Ref& ref) const {
    if (blocks_ != nullptr) return true;
    // The slices of a block lie together, so a run of blocks of one slice does not.
    return space_.per_block() && space_.slices() > 1 && ref.buffer != Buffer::kScratch;
  }
  // Of the rank's buffers.
  uint64_t InputElements() const { return in_elements_; }
  uint64_t OutputElements() const { return out_elements_; }
  uint64_t ScratchBytes() const { return scratch_bytes_; }

 private:
  struct Slot {
    uint64_t offset;  // bytes
    uint32_t first_block, blocks;
    uint64_t stride;  // elements of a slice
  };

  void AddScratch(const Program& program, int rank);
  // Of v-forms: the blocks of a buffer, and of the one that has those of all ranks.
  const BlockList& ListOf(Buffer buffer) const;
  uint64_t UnevenElements(const Ref& ref) const;
  void* UnevenAddress(const Ref& ref) const;
  uint64_t LayUneven(const ScratchArea& area);

  const ChunkSpace& space_;
  const uint64_t count_;
  const size_t size_;  // bytes of an element
  char* in_ = nullptr;
  char* out_ = nullptr;
  const bool phantom_;
  uint64_t in_first_ = 0, out_first_ = 0;  // elements of the whole before the buffers begin
  uint64_t in_elements_ = 0, out_elements_ = 0;
  const std::shared_ptr<const Blocks> blocks_;  // null but for v-forms
  uint32_t in_block_ = 0, out_block_ = 0;       // the first of the buffers' windows
  std::vector<uint64_t> before_;                // elements before each block in scratch
  std::vector<Slot> slots_;
  uint64_t scratch_bytes_ = 0;
  struct Free {
    void operator()(char* memory) const;
  };
  std::unique_ptr<char, Free> scratch_;
};

}  // namespace ccl

#endif  // CCL_EXEC_BINDING_H_
