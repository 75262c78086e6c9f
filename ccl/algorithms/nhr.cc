// NHR (non-uniform hierarchical ring): reduce-scatter and allgather in ceil(log2 n) steps that move
// the optimal n - 1 blocks at every n. Allgather goes through the distances 2^(K-1) ... 1: at
// distance d a rank sends to rank + d its blocks rank, rank - 2d, rank - 4d, ...;
// floor((n - 1 + d) / 2d) of them. Reduce-scatter is the same backwards.
// T(allreduce) = 2 ceil(log2 n) L + 2 (n - 1) m / (n B).
#include "ccl/algorithms/recipe.h"

namespace ccl {
namespace {

class Nhr : public Program {
 public:
  explicit Nhr(const Shape& shape)
      : Program(MakeInfo("nhr", shape,
                         shape.collective == Collective::kAllReduce
                             ? ChunkSpace::Split(shape.ranks)
                             : ChunkSpace::PerBlock(shape.ranks),
                         1, 1)),
        n_(shape.ranks),
        steps_(CeilLog2(shape.ranks)) {
    info_.shift = 1;
  }

  uint32_t batches(int, uint32_t) const override {
    return info_.collective == Collective::kAllReduce ? 2 * steps_ : steps_;
  }

  void Fetch(int rank, uint32_t, uint32_t batch, StepList& out) const override {
    const int step = static_cast<int>(batch);
    const bool reducing = info_.collective == Collective::kReduceScatter ||
                          (info_.collective == Collective::kAllReduce && step < steps_);
    if (reducing) return ReduceStep(rank, step, out);
    GatherStep(rank, info_.collective == Collective::kAllReduce ? step - steps_ : step, out);
  }

  void Scratch(int, ScratchAreas& out) const override {
    if (info_.collective == Collective::kReduceScatter && steps_ > 1) {
      out.push_back({1, 0, static_cast<uint32_t>(n_)});
    }
  }

 private:
  // Blocks first, first - 2d, first - 4d, ... of one buffer.
  void List(Buffer buffer, int first, int distance, Refs& refs) const {
    refs.clear();
    const int blocks = (n_ - 1 + distance) / (2 * distance);
    for (int i = 0; i < blocks; ++i) {
      refs.push_back({buffer, 0, static_cast<uint32_t>(Mod(first - 2 * distance * i, n_)), 1});
    }
  }

  void ReduceStep(int rank, int step, StepList& out) const {
    const int distance = 1 << step;
    const Buffer partial =
        info_.collective == Collective::kAllReduce ? Buffer::kOut : Buffer::kScratch;
    // At distance 1 every block that is received is met for the first time.
    const Buffer before = step == 0 ? Buffer::kIn : partial;
    const auto [src, dst] = out.Spare();
    List(before, rank - distance, distance, src);
    // An odd n leaves one block, that of rank + 1, that was not met before it is sent.
    for (Ref& ref : src) {
      if (n_ % 2 == 1 && ref.first == static_cast<uint32_t>(Mod(rank + 1, n_))) {
        ref.buffer = Buffer::kIn;
      }
    }
    out.Send(Mod(rank - distance, n_), 0, src);
    List(before, rank, distance, src);
    List(partial, rank, distance, dst);
    if (step == steps_ - 1) dst[0] = Out(rank);
    out.RecvReduce(Mod(rank + distance, n_), 0, src, dst);
  }

  void GatherStep(int rank, int step, StepList& out) const {
    const int distance = 1 << (steps_ - 1 - step);
    Refs& refs = out.Spare().src;
    List(Buffer::kOut, rank, distance, refs);
    if (step == 0 && info_.collective == Collective::kAllGather) {
      out.Copy({{In(rank)}}, {{Out(rank)}});
      refs[0] = In(rank);
    }
    out.Send(Mod(rank + distance, n_), 0, refs);
    List(Buffer::kOut, rank - distance, distance, refs);
    out.Recv(Mod(rank - distance, n_), 0, refs);
  }

  const int n_;
  const int steps_;
};

}  // namespace

std::unique_ptr<Program> MakeNhr(const Shape& shape) { return std::make_unique<Nhr>(shape); }

}  // namespace ccl
