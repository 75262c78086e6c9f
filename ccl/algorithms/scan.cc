// Scans: rank r ends with the fold of what ranks 0 .. r contribute (scan) or 0 .. r - 1 (exscan).
// Partial results always have the lower ranks on their left.
#include <algorithm>

#include "ccl/algorithms/recipe.h"

namespace ccl {
namespace {

bool Inclusive(const ProgramInfo& info) { return info.collective == Collective::kScan; }

// One rank after the other, folding from the left. T = (n - 2 + S)(L + m/SB): receiving and sending
// have lanes of their own, so that slices pipeline.
class ScanChain : public Program {
 public:
  explicit ScanChain(const Shape& shape)
      : Program(MakeInfo("chain", shape, ChunkSpace::Split(1), 2, 1)) {}

  uint32_t batches(int rank, uint32_t lane) const override {
    const bool first = rank == 0, last = rank == info_.ranks - 1;
    if (lane == kSend) return last ? 0 : 1;
    if (Inclusive(info_)) return 1;
    return first ? 0 : last ? 1 : 3;
  }

  void Fetch(int rank, uint32_t lane, uint32_t batch, StepList& out) const override {
    if (lane == kSend) {
      // The last batch of an exscan is of no concern to others.
      if (const uint32_t before = batches(rank, kReceive); before > 0) {
        out.After(kReceive, std::min(before, 2u));
      }
      const bool own = !Inclusive(info_) && rank == 0;
      return out.Send(rank + 1, 0, {{own ? In(0) : Inclusive(info_) ? Out(0) : ccl::Scratch(1, 0)}});
    }
    if (Inclusive(info_)) {
      if (rank == 0) return out.Copy({{In(0)}}, {{Out(0)}});
      return out.RecvReduce(rank - 1, 0, {{In(0)}}, {{Out(0)}}, true);
    }
    // In place, the input lies where the result goes: what comes in waits in scratch.
    if (rank == info_.ranks - 1) return out.Recv(rank - 1, 0, {{Out(0)}});
    if (batch == 0) return out.Recv(rank - 1, 0, {{ccl::Scratch(0, 0)}});
    if (batch == 2) return out.Copy({{ccl::Scratch(0, 0)}}, {{Out(0)}});
    out.Reduce({{ccl::Scratch(0, 0), In(0)}}, ccl::Scratch(1, 0));
  }

  void Scratch(int rank, ScratchAreas& out) const override {
    if (!Inclusive(info_) && rank > 0 && rank < info_.ranks - 1) out.push_back({2, 0, 1});
  }

 private:
  enum : uint32_t { kReceive, kSend };
};

// Everybody to all above, who fold once. T = L + (n - 1) m / B.
class ScanDirect : public Program {
 public:
  explicit ScanDirect(const Shape& shape)
      : Program(MakeInfo("direct", shape, ChunkSpace::Split(1), 1, 1)) {}

  uint32_t batches(int, uint32_t) const override { return 2; }

  void Fetch(int rank, uint32_t, uint32_t batch, StepList& out) const override {
    if (batch == 0) {
      for (int to = rank + 1; to < info_.ranks; ++to) out.Send(to, 0, {{In(0)}});
      for (int from = rank - 1; from >= 0; --from) out.Recv(from, 0, {{ccl::Scratch(from, 0)}});
      return;
    }
    Refs& operands = out.Spare().src;
    for (int r = 0; r < rank; ++r) operands.push_back(ccl::Scratch(r, 0));
    if (Inclusive(info_)) operands.push_back(In(0));
    if (operands.size() == 1) return out.Copy(operands, {{Out(0)}});
    if (operands.size() > 1) out.Reduce(operands, Out(0));
  }

  void Scratch(int rank, ScratchAreas& out) const override {
    if (rank > 0) out.push_back({static_cast<uint32_t>(rank), 0, 1});
  }
};

// Recursive doubling (Hillis and Steele): in step k a rank holds the fold of the 2^k ranks that end
// with itself, and passes it on to rank + 2^k. T = ceil(log2 n)(L + m/B). Batch 2k is step k's
// exchange, batch 2k + 1 its folds; a last one copies what could not be written earlier.
class ScanDoubling : public Program {
 public:
  explicit ScanDoubling(const Shape& shape)
      : Program(MakeInfo("recursive_doubling", shape, ChunkSpace::Split(1), 1, 1)) {}

  uint32_t batches(int, uint32_t) const override {
    return static_cast<uint32_t>(2 * CeilLog2(info_.ranks) + 1);
  }

  void Fetch(int rank, uint32_t, uint32_t batch, StepList& out) const override {
    if (batch + 1 == batches(rank, 0)) {
      if (rank == 0 && Inclusive(info_)) out.Copy({{In(0)}}, {{Out(0)}});
      // Until here the input was to be read, and the result may lie there.
      if (rank > 0 && !Inclusive(info_)) out.Copy({{ccl::Scratch(kBefore, 0)}}, {{Out(0)}});
      return;
    }
    const int step = static_cast<int>(batch / 2), distance = 1 << step;
    const bool receives = rank >= distance;
    // Of an exscan the first that comes in is the first of what lies before the rank.
    const Ref incoming = ccl::Scratch(step == 0 && !Inclusive(info_) ? kBefore : kIncoming, 0);
    const bool untouched = step == 0 || rank == 0;  // the window is the input
    const Ref kept = Inclusive(info_) ? Out(0) : ccl::Scratch(kWindow, 0);
    const Ref window = untouched ? In(0) : kept;
    if (batch % 2 == 0) {
      if (rank + distance < info_.ranks) out.Send(rank + distance, 0, {{window}});
      if (receives) out.Recv(rank - distance, 0, {{incoming}});
      return;
    }
    if (!receives) return;
    const bool goes_on = rank + 2 * distance < info_.ranks;
    if (Inclusive(info_) || goes_on) out.Reduce({{incoming, window}}, kept);
    if (Inclusive(info_) || step == 0) return;
    out.Reduce({{incoming, ccl::Scratch(kBefore, 0)}}, ccl::Scratch(kBefore, 0));
  }

  void Scratch(int rank, ScratchAreas& out) const override {
    if (rank > 0) out.push_back({Inclusive(info_) ? 1u : 3u, 0, 1});
  }

 private:
  // Slots. The window is the fold of the ranks that end with the rank itself, as it is passed on; an
  // exscan keeps what lies before the rank beside it.
  enum : int { kIncoming, kWindow, kBefore };
};

}  // namespace

std::unique_ptr<Program> MakeScanChain(const Shape& s) { return std::make_unique<ScanChain>(s); }
std::unique_ptr<Program> MakeScanDirect(const Shape& s) { return std::make_unique<ScanDirect>(s); }
std::unique_ptr<Program> MakeScanDoubling(const Shape& s) { return std::make_unique<ScanDoubling>(s); }

}  // namespace ccl
