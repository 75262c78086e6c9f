#ifndef CCL_EXEC_BINDING_H_
#define CCL_EXEC_BINDING_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ccl/backend/backend.h"
#include "ccl/exec/custom_op.h"
#include "ccl/schedule/program.h"

namespace ccl {

// What one rank asks of one collective. `count` is NCCL's: elements of the whole vector, or of one
// rank's block for the collectives that CountIsPerRank.
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
};

// Bytes of one rank's larger buffer, the vector or all blocks of the per-rank collectives: what plans
// are chosen by.
uint64_t PlanBytes(const Request& request, int ranks);

// Chunks of a program to bytes of one rank's buffers. Owns the scratch.
class Binding {
 public:
  Binding(const Program& program, int rank, const Request& request);

  uint64_t Bytes(absl::Span<const Ref> refs) const;
  // Appends the memory of the refs, neighbours joined. Nothing with a phantom payload.
  void Pieces(absl::Span<const Ref> refs, std::vector<Piece>& out) const;
  void* Address(const Ref& ref) const;
  // Of a run, its repetitions not counted.
  uint64_t Elements(const Ref& ref) const { return space_.LengthOfRun(ref.first, ref.count, count_); }
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

  const ChunkSpace& space_;
  const uint64_t count_;
  const size_t size_;  // bytes of an element
  char* in_ = nullptr;
  char* out_ = nullptr;
  const bool phantom_;
  uint64_t in_first_ = 0, out_first_ = 0;  // elements of the whole before the buffers begin
  uint64_t in_elements_ = 0, out_elements_ = 0;
  std::vector<Slot> slots_;
  uint64_t scratch_bytes_ = 0;
  struct Free {
    void operator()(char* memory) const;
  };
  std::unique_ptr<char, Free> scratch_;
};

}  // namespace ccl

#endif  // CCL_EXEC_BINDING_H_
