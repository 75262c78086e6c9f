// Exchanges in which every pair of ranks speaks directly. Peers are taken in the order rank + 1,
// rank + 2, ... so that no receiver is everybody's first.
#include "ccl/algorithms/recipe.h"

namespace ccl {
namespace {

uint32_t Blocks(const Shape& shape) { return static_cast<uint32_t>(shape.ranks); }

// Scratch operands of a k-way fold in order of rank; the own contribution is read where it is. The list's
// spare one.
const Refs& Operands(int n, int rank, int block, StepList& list) {
  Refs& operands = list.Spare().src;
  for (int r = 0; r < n; ++r) operands.push_back(r == rank ? In(block) : Scratch(r, block));
  return operands;
}

// Allreduce in one exchange: everybody sends everything to everybody, then folds n vectors in order
// of rank. One latency, n - 1 times the volume. T = L + (n - 1) m / B.
class OneShot : public Program {
 public:
  explicit OneShot(const Shape& shape)
      : Program(MakeInfo("one_shot", shape, ChunkSpace::Split(1), 1, 1)) {
    info_.shift = 1;
  }
  uint32_t batches(int, uint32_t) const override { return 2; }
  void Fetch(int rank, uint32_t, uint32_t batch, StepList& out) const override {
    const int n = info_.ranks;
    if (batch == 1) return out.Reduce(Operands(n, rank, 0, out), Out(0));
    for (int t = 1; t < n; ++t) {
      out.Send(Mod(rank + t, n), 0, {{In(0)}});
      const int from = Mod(rank - t, n);
      out.Recv(from, 0, {{ccl::Scratch(from, 0)}});
    }
  }
  void Scratch(int, ScratchAreas& out) const override {
    out.push_back({static_cast<uint32_t>(info_.ranks), 0, 1});
  }
};

// Allreduce in two exchanges: block b of everybody to rank b, which folds n blocks in order of rank
// and sends the result to everybody. Optimal volume. T = 2 L + 2 (n - 1) m / (n B).
// Reduce-scatter is the first half.
class TwoShot : public Program {
 public:
  explicit TwoShot(const Shape& shape)
      : Program(MakeInfo(shape.collective == Collective::kAllReduce ? "two_shot" : "direct", shape,
                         shape.collective == Collective::kAllReduce
                             ? ChunkSpace::Split(Blocks(shape))
                             : ChunkSpace::PerBlock(Blocks(shape)),
                         1, 1)) {
    info_.shift = 1;
  }
  uint32_t batches(int, uint32_t) const override {
    return info_.collective == Collective::kAllReduce ? 3 : 2;
  }
  void Fetch(int rank, uint32_t, uint32_t batch, StepList& out) const override {
    const int n = info_.ranks;
    if (batch == 1) return out.Reduce(Operands(n, rank, rank, out), Out(rank));
    for (int t = 1; t < n; ++t) {
      const int to = Mod(rank + t, n);
      const int from = Mod(rank - t, n);
      if (batch == 0) {
        out.Send(to, 0, {{In(to)}});
        out.Recv(from, 0, {{ccl::Scratch(from, rank)}});
      } else {
        out.Send(to, 0, {{Out(rank)}});
        out.Recv(from, 0, {{Out(from)}});
      }
    }
  }
  void Scratch(int rank, ScratchAreas& out) const override {
    out.push_back({static_cast<uint32_t>(info_.ranks), static_cast<uint32_t>(rank), 1});
  }
};

// Allgather, all-to-all, broadcast, gather, scatter and reduce with all messages at once.
class Direct : public Program {
 public:
  explicit Direct(const Shape& shape)
      : Program(MakeInfo("direct", shape,
                         CountIsPerRank(shape.collective) ? ChunkSpace::PerBlock(Blocks(shape))
                                                          : ChunkSpace::Split(1),
                         1, 1)) {
    if (!HasRoot(shape.collective)) info_.shift = 1;
  }

  uint32_t batches(int rank, uint32_t) const override {
    return info_.collective == Collective::kReduce && rank == info_.root ? 2 : 1;
  }

  void Fetch(int rank, uint32_t, uint32_t batch, StepList& out) const override {
    const int n = info_.ranks;
    const int root = info_.root;
    switch (info_.collective) {
      case Collective::kAllGather:
      case Collective::kAllToAll:
        out.Copy({{In(rank)}}, {{Out(rank)}});
        for (int t = 1; t < n; ++t) {
          const int to = Mod(rank + t, n);
          out.Send(to, 0, {{In(info_.collective == Collective::kAllGather ? rank : to)}});
          const int from = Mod(rank - t, n);
          out.Recv(from, 0, {{Out(from)}});
        }
        return;
      case Collective::kBroadcast:
      case Collective::kScatter: {
        const bool whole = info_.collective == Collective::kBroadcast;
        if (rank != root) return out.Recv(root, 0, {{Out(whole ? 0 : rank)}});
        out.Copy({{In(whole ? 0 : rank)}}, {{Out(whole ? 0 : rank)}});
        for (int t = 1; t < n; ++t) {
          const int to = Mod(rank + t, n);
          out.Send(to, 0, {{In(whole ? 0 : to)}});
        }
        return;
      }
      case Collective::kGather:
        if (rank != root) return out.Send(root, 0, {{In(rank)}});
        out.Copy({{In(rank)}}, {{Out(rank)}});
        for (int t = 1; t < n; ++t) {
          const int from = Mod(rank + t, n);
          out.Recv(from, 0, {{Out(from)}});
        }
        return;
      default:  // reduce
        if (rank != root) return out.Send(root, 0, {{In(0)}});
        if (batch == 1) return out.Reduce(Operands(n, rank, 0, out), Out(0));
        for (int t = 1; t < n; ++t) {
          const int from = Mod(rank + t, n);
          out.Recv(from, 0, {{ccl::Scratch(from, 0)}});
        }
    }
  }

  void Scratch(int rank, ScratchAreas& out) const override {
    if (info_.collective == Collective::kReduce && rank == info_.root) {
      out.push_back({static_cast<uint32_t>(info_.ranks), 0, 1});
    }
  }
};

// All-to-all, one peer at a time. T = (n - 1) (L + m / (n B)), m the bytes a rank sends and keeps.
class Pairwise : public Program {
 public:
  explicit Pairwise(const Shape& shape)
      : Program(MakeInfo("pairwise", shape, ChunkSpace::PerBlock(Blocks(shape)), 1, 1)) {
    info_.shift = 1;
  }
  uint32_t batches(int, uint32_t) const override { return info_.ranks - 1; }
  void Fetch(int rank, uint32_t, uint32_t batch, StepList& out) const override {
    const int n = info_.ranks;
    const int t = static_cast<int>(batch) + 1;
    if (t == 1) out.Copy({{In(rank)}}, {{Out(rank)}});
    const int from = Mod(rank - t, n);
    out.Send(Mod(rank + t, n), 0, {{In(Mod(rank + t, n))}});
    out.Recv(from, 0, {{Out(from)}});
  }
};

// Bruck all-to-all: ceil(log2 n) steps; step k carries every block whose remaining distance has
// bit k set. T = ceil(log2 n) L + about log2 n m / (2 B).
class Bruck : public Program {
 public:
  explicit Bruck(const Shape& shape)
      : Program(MakeInfo("bruck", shape, ChunkSpace::PerBlock(Blocks(shape)), 1, 1)) {
    info_.shift = 1;
  }
  uint32_t batches(int, uint32_t) const override { return CeilLog2(info_.ranks); }

  void Fetch(int rank, uint32_t, uint32_t batch, StepList& out) const override {
    const int n = info_.ranks;
    const uint32_t bit = 1u << batch;
    const auto [src, dst] = out.Spare();
    for (int d = 1; d < n; ++d) {
      if ((d & bit) == 0) continue;
      // A block changes slots at every hop, so that it can come in while its predecessor leaves.
      const int hop = std::popcount(d & (bit - 1));
      const bool last = (static_cast<uint32_t>(d) >> batch) == 1;
      src.push_back(hop == 0 ? In(Mod(rank + d, n)) : ccl::Scratch((hop - 1) % 2, d));
      dst.push_back(last ? Out(Mod(rank - d, n)) : ccl::Scratch(hop % 2, d));
    }
    if (batch == 0) out.Copy({{In(rank)}}, {{Out(rank)}});
    out.Send(Mod(rank + static_cast<int>(bit), n), 0, src);
    out.Recv(Mod(rank - static_cast<int>(bit), n), 0, dst);
  }

  void Scratch(int, ScratchAreas& out) const override {
    out.push_back({2, 0, static_cast<uint32_t>(info_.ranks)});
  }
};

class Local : public Program {
 public:
  explicit Local(const Shape& shape)
      : Program(MakeInfo("local", shape,
                         CountIsPerRank(shape.collective) ? ChunkSpace::PerBlock(1)
                                                          : ChunkSpace::Split(1),
                         1, 1)) {}
  uint32_t batches(int, uint32_t) const override {
    const bool nothing =
        info_.collective == Collective::kBarrier || info_.collective == Collective::kExscan;
    return nothing ? 0 : 1;
  }
  void Fetch(int, uint32_t, uint32_t, StepList& out) const override {
    out.Copy({{In(0)}}, {{Out(0)}});
  }
};

}  // namespace

std::unique_ptr<Program> MakeOneShot(const Shape& s) { return std::make_unique<OneShot>(s); }
std::unique_ptr<Program> MakeTwoShot(const Shape& s) { return std::make_unique<TwoShot>(s); }
std::unique_ptr<Program> MakeDirect(const Shape& s) {
  if (s.collective == Collective::kReduceScatter) return std::make_unique<TwoShot>(s);
  if (Scans(s.collective)) return MakeScanDirect(s);
  return std::make_unique<Direct>(s);
}
std::unique_ptr<Program> MakePairwise(const Shape& s) { return std::make_unique<Pairwise>(s); }
std::unique_ptr<Program> MakeBruck(const Shape& s) { return std::make_unique<Bruck>(s); }
std::unique_ptr<Program> MakeLocal(const Shape& s) { return std::make_unique<Local>(s); }

}  // namespace ccl
