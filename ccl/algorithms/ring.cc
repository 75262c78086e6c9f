// Ring: every rank sends to the next one only. Reduce-scatter travels n - 1 steps, so does
// allgather; allreduce is one after the other. Optimal volume, linear latency.
// T(allreduce) = 2 (n - 1) (L + m / (n B)).
#include "ccl/algorithms/recipe.h"

namespace ccl {
namespace {

class Ring : public Program {
 public:
  explicit Ring(const Shape& shape)
      : Program(MakeInfo("ring", shape,
                         shape.collective == Collective::kAllReduce
                             ? ChunkSpace::Split(shape.ranks)
                             : ChunkSpace::PerBlock(shape.ranks),
                         1, 1)),
        n_(shape.ranks) {
    info_.shift = 1;
  }

  uint32_t batches(int, uint32_t) const override {
    return info_.collective == Collective::kAllReduce ? 2 * (n_ - 1) : n_ - 1;
  }

  void Fetch(int rank, uint32_t, uint32_t batch, StepList& out) const override {
    const int step = static_cast<int>(batch);
    switch (info_.collective) {
      case Collective::kAllReduce:
        if (step < n_ - 1) return ReduceStep(rank, step, out);
        return GatherStep(rank, step - (n_ - 1), out);
      case Collective::kReduceScatter:
        return ReduceStep(rank, step, out);
      default:
        if (step == 0) out.Copy({{In(rank)}}, {{Out(rank)}});
        return GatherStep(rank, step, out);
    }
  }

  void Scratch(int, ScratchAreas& out) const override {
    if (info_.collective == Collective::kReduceScatter) {
      out.push_back({1, 0, static_cast<uint32_t>(n_)});
    }
  }

 private:
  // Block b starts at rank b + 1 and gathers contributions until it ends at rank b.
  void ReduceStep(int rank, int step, StepList& out) const {
    const int sent = Mod(rank - step - 1, n_);
    const int received = Mod(rank - step - 2, n_);
    out.Send(Mod(rank + 1, n_), 0, {{step == 0 ? In(sent) : Partial(sent, false)}});
    out.RecvReduce(Mod(rank - 1, n_), 0, {{In(received)}},
                   {{Partial(received, step == n_ - 2)}}, true);
  }

  Ref Partial(int block, bool last) const {
    return info_.collective == Collective::kAllReduce || last ? Out(block)
                                                              : ccl::Scratch(0, block);
  }

  void GatherStep(int rank, int step, StepList& out) const {
    const int sent = Mod(rank - step, n_);
    const bool own = step == 0 && info_.collective == Collective::kAllGather;
    out.Send(Mod(rank + 1, n_), 0, {{own ? In(sent) : Out(sent)}});
    out.Recv(Mod(rank - 1, n_), 0, {{Out(Mod(rank - step - 1, n_))}});
  }

  const int n_;
};

// Bidirectional ring: a block reaches (or leaves) its owner from both sides at once, ceil((n-1)/2)
// steps clockwise on lane 0 and floor((n-1)/2) the other way on lane 1. Half the latency of the
// ring; twice its bandwidth where the two directions do not share a port.
class BidirectionalRing : public Program {
 public:
  explicit BidirectionalRing(const Shape& shape)
      : Program(MakeInfo("biring", shape,
                         shape.collective == Collective::kAllReduce
                             ? ChunkSpace::Split(shape.ranks)
                             : ChunkSpace::PerBlock(shape.ranks),
                         2, 2)),
        n_(shape.ranks) {
    info_.shift = 1;
  }

  uint32_t batches(int, uint32_t lane) const override {
    return info_.collective == Collective::kAllReduce ? 2 * Length(lane) : Length(lane);
  }

  void Fetch(int rank, uint32_t lane, uint32_t batch, StepList& out) const override {
    const int length = Length(lane);
    const int step = static_cast<int>(batch);
    switch (info_.collective) {
      case Collective::kAllReduce:
        if (step < length) return ReduceStep(rank, lane, step, out);
        // The other direction's partial sums lie where this one's results arrive.
        if (step == length) out.After(1 - lane, Length(1 - lane));
        return GatherStep(rank, lane, step - length, out);
      case Collective::kReduceScatter:
        return ReduceStep(rank, lane, step, out);
      default:
        if (step == 0 && lane == 0) out.Copy({{In(rank)}}, {{Out(rank)}});
        return GatherStep(rank, lane, step, out);
    }
  }

  void Scratch(int, ScratchAreas& out) const override {
    if (info_.collective == Collective::kReduceScatter) {
      out.push_back({1, 0, static_cast<uint32_t>(n_)});
    }
  }

 private:
  int Length(uint32_t lane) const { return lane == 0 ? n_ / 2 : (n_ - 1) / 2; }

  void ReduceStep(int rank, uint32_t lane, int step, StepList& out) const {
    const int length = Length(lane);
    const int direction = lane == 0 ? 1 : -1;
    const int sent = Mod(rank + direction * (length - step), n_);
    const int received = Mod(rank + direction * (length - step - 1), n_);
    out.Send(Mod(rank + direction, n_), lane, {{step == 0 ? In(sent) : Partial(sent, false)}});
    const bool last = step == length - 1;  // the own block: lane 0 first, then lane 1 on top
    if (last && lane == 1) out.After(0, Length(0));
    out.RecvReduce(Mod(rank - direction, n_), lane,
                   {{last && lane == 1 ? Out(received) : In(received)}},
                   {{Partial(received, last)}});
  }

  Ref Partial(int block, bool last) const {
    return info_.collective == Collective::kAllReduce || last ? Out(block)
                                                              : ccl::Scratch(0, block);
  }

  void GatherStep(int rank, uint32_t lane, int step, StepList& out) const {
    const int direction = lane == 0 ? 1 : -1;
    const int sent = Mod(rank - direction * step, n_);
    const bool own = step == 0 && info_.collective == Collective::kAllGather;
    out.Send(Mod(rank + direction, n_), lane, {{own ? In(sent) : Out(sent)}});
    out.Recv(Mod(rank - direction, n_), lane, {{Out(Mod(rank - direction * (step + 1), n_))}});
  }

  const int n_;
};

}  // namespace

std::unique_ptr<Program> MakeRing(const Shape& shape) { return std::make_unique<Ring>(shape); }
std::unique_ptr<Program> MakeBidirectionalRing(const Shape& shape) {
  return std::make_unique<BidirectionalRing>(shape);
}

}  // namespace ccl
