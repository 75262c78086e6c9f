// Logarithmic exchanges on powers of two.
#include "ccl/algorithms/recipe.h"

namespace ccl {
namespace {

// Allreduce on n ranks by an algorithm for p = 2^k <= n of them: of the first 2 (n - p) ranks the
// even ones give their vector to their odd neighbour and get the result back.
struct Folded {
  explicit Folded(int n)
      : steps(std::bit_width(static_cast<unsigned>(n)) - 1), power(1 << steps), extra(n - power) {}

  bool Idle(int rank) const { return rank < 2 * extra && rank % 2 == 0; }
  bool HasPartner(int rank) const { return rank < 2 * extra && rank % 2 == 1; }
  int Position(int rank) const { return rank < 2 * extra ? rank / 2 : rank - extra; }
  int Rank(int position) const { return position < extra ? 2 * position + 1 : position + extra; }

  int steps, power, extra;
};

// Recursive doubling. Allreduce exchanges whole vectors, log2 n times: the lowest latency, volume
// m log2 n. T = log2 n (L + m / B) at powers of two. Allgather doubles what it holds.
class RecursiveDoubling : public Program {
 public:
  explicit RecursiveDoubling(const Shape& shape)
      : Program(MakeInfo("recursive_doubling", shape,
                         shape.collective == Collective::kAllReduce
                             ? ChunkSpace::Split(1)
                             : ChunkSpace::PerBlock(shape.ranks),
                         1, 1)),
        fold_(shape.ranks) {}

  uint32_t batches(int rank, uint32_t) const override {
    if (info_.collective == Collective::kAllGather) return fold_.steps;
    if (fold_.Idle(rank)) return 2;
    return Exchanges(rank) + (CopiesAtTheEnd(rank) ? 1 : 0) + (fold_.HasPartner(rank) ? 1 : 0);
  }

  void Fetch(int rank, uint32_t, uint32_t batch, StepList& out) const override {
    const int step = static_cast<int>(batch);
    if (info_.collective == Collective::kAllGather) return GatherStep(rank, step, out);
    if (fold_.Idle(rank)) {
      if (step == 0) return out.Send(rank + 1, 0, {{In(0)}});
      return out.Recv(rank + 1, 0, {{Out(0)}});
    }
    const int exchanges = Exchanges(rank);
    if (step < exchanges) {
      const int round = step - (fold_.HasPartner(rank) ? 1 : 0);
      const int peer = round < 0 ? rank - 1 : fold_.Rank(fold_.Position(rank) ^ (1 << round));
      const Ref before = step == 0 ? In(0) : Value(rank, step - 1);
      if (round >= 0) out.Send(peer, 0, {{before}});
      return out.RecvReduce(peer, 0, {{before}}, {{Value(rank, step)}}, peer < rank);
    }
    if (step == exchanges && CopiesAtTheEnd(rank)) {
      return out.Copy({{Value(rank, exchanges - 1)}}, {{Out(0)}});
    }
    out.Send(rank - 1, 0, {{Out(0)}});
  }

  void Scratch(int rank, ScratchAreas& out) const override {
    if (info_.collective == Collective::kAllReduce && !fold_.Idle(rank)) out.push_back({2, 0, 1});
  }

 private:
  // Receives that reduce, the one from the idle neighbour included.
  int Exchanges(int rank) const { return fold_.steps + (fold_.HasPartner(rank) ? 1 : 0); }
  // A single exchange cannot write the output: in place, it is sending it.
  bool CopiesAtTheEnd(int rank) const { return Exchanges(rank) == 1; }
  // Where the value lies after receive `step`: never where the one before lay, which is being sent.
  Ref Value(int rank, int step) const {
    const int last = Exchanges(rank) - 1;
    return step == last && last > 0 ? Out(0) : ccl::Scratch(step % 2, 0);
  }

  void GatherStep(int rank, int step, StepList& out) const {
    const int held = 1 << step;
    const int peer = rank ^ held;
    if (step == 0) {
      out.Copy({{In(rank)}}, {{Out(rank)}});
      out.Send(peer, 0, {{In(rank)}});
    } else {
      out.Send(peer, 0, {{Out(rank & ~(held - 1), held)}});
    }
    out.Recv(peer, 0, {{Out(peer & ~(held - 1), held)}});
  }

  const Folded fold_;
};

// Rabenseifner: recursive halving reduce-scatter, then recursive doubling allgather. Optimal volume
// at powers of two: T = 2 log2 n L + 2 (n - 1) m / (n B); elsewhere the fold adds two vectors.
class Rabenseifner : public Program {
 public:
  explicit Rabenseifner(const Shape& shape)
      : Program(MakeInfo("rabenseifner", shape,
                         ChunkSpace::Split(Folded(shape.ranks).power), 1, 1)),
        fold_(shape.ranks) {}

  uint32_t batches(int rank, uint32_t) const override {
    if (fold_.Idle(rank)) return 2;
    return 2 * fold_.steps + (fold_.HasPartner(rank) ? 2 : 0);
  }

  void Fetch(int rank, uint32_t, uint32_t batch, StepList& out) const override {
    int step = static_cast<int>(batch);
    const Ref input = In(0, fold_.power);
    const Ref result = Out(0, fold_.power);
    if (fold_.Idle(rank)) {
      if (step == 0) return out.Send(rank + 1, 0, {{input}});
      return out.Recv(rank + 1, 0, {{result}});
    }
    const bool folded = fold_.HasPartner(rank);
    if (folded) {
      if (step == 0) return out.RecvReduce(rank - 1, 0, {{input}}, {{result}}, true);
      --step;
      if (step == 2 * fold_.steps) return out.Send(rank - 1, 0, {{result}});
    }
    const int position = fold_.Position(rank);
    const bool reducing = step < fold_.steps;
    const int held = reducing ? fold_.power >> (step + 1) : 1 << (step - fold_.steps);
    const int other = position ^ held;
    const int peer = fold_.Rank(other);
    const int own_first = position & ~(held - 1);
    const int other_first = other & ~(held - 1);
    if (reducing) {
      const bool untouched = step == 0 && !folded;
      out.Send(peer, 0, {{untouched ? In(other_first, held) : Out(other_first, held)}});
      out.RecvReduce(peer, 0, {{untouched ? In(own_first, held) : Out(own_first, held)}},
                     {{Out(own_first, held)}}, peer < rank);
    } else {
      out.Send(peer, 0, {{Out(own_first, held)}});
      out.Recv(peer, 0, {{Out(other_first, held)}});
    }
  }

 private:
  const Folded fold_;
};

// Dissemination barrier: after ceil(log2 n) rounds everybody has heard of everybody.
class Dissemination : public Program {
 public:
  explicit Dissemination(const Shape& shape)
      : Program(MakeInfo("dissemination", shape, ChunkSpace::Split(1), 1, 1)) {
    info_.shift = 1;
  }
  uint32_t batches(int, uint32_t) const override { return CeilLog2(info_.ranks); }
  void Fetch(int rank, uint32_t, uint32_t batch, StepList& out) const override {
    const int distance = 1 << batch;
    out.Send(Mod(rank + distance, info_.ranks), 0, {});
    out.Recv(Mod(rank - distance, info_.ranks), 0, {});
  }
};

}  // namespace

std::unique_ptr<Program> MakeRecursiveDoubling(const Shape& shape) {
  if (Scans(shape.collective)) return MakeScanDoubling(shape);
  return std::make_unique<RecursiveDoubling>(shape);
}
std::unique_ptr<Program> MakeRabenseifner(const Shape& shape) {
  return std::make_unique<Rabenseifner>(shape);
}
std::unique_ptr<Program> MakeDissemination(const Shape& shape) {
  return std::make_unique<Dissemination>(shape);
}

}  // namespace ccl
