// Trees: k-nomial, chain and double binary. Reduction climbs, broadcast descends; allreduce does
// both. Receiving and sending have lanes of their own, so that slices pipeline through the tree.
#include "ccl/algorithms/recipe.h"

namespace ccl {
namespace {

// Trees over positions 0..n-1, rooted at 0.
struct KnomialTree {
  int n, radix;

  // The weight k^j of the lowest non-zero digit of v: v's subtree is [v, v + weight).
  int Weight(int v) const {
    int64_t weight = 1;
    while (weight < n && (v == 0 || v / weight % radix == 0)) weight *= radix;
    return static_cast<int>(std::min<int64_t>(weight, n));
  }
  int SubtreeSize(int v) const { return std::min(Weight(v), n - v); }
  int Parent(int v) const {
    if (v == 0) return -1;
    const int weight = Weight(v);
    return v - v / weight % radix * weight;
  }
  // Largest subtree first.
  void Children(int v, Ranks& out) const {
    int64_t weight = 1;
    const int limit = v == 0 ? n : Weight(v);
    while (weight * radix < limit) weight *= radix;
    for (; weight >= 1; weight /= radix) {
      if (weight >= limit) continue;
      for (int digit = 1; digit < radix; ++digit) {
        const int64_t child = v + digit * weight;
        if (child < n) out.push_back(static_cast<int>(child));
      }
    }
  }
};

struct ChainTree {
  int n;
  int Parent(int v) const { return v - 1; }
  void Children(int v, Ranks& out) const {
    if (v + 1 < n) out.push_back(v + 1);
  }
};

// The in-order binary tree on positions 1..n-1 under position 0: leaves are odd.
struct InOrderTree {
  int n;
  int Parent(int v) const {
    if (v == 0) return -1;
    const int bit = v & -v;
    const int up = (v ^ bit) | (bit << 1);
    return up < n ? up : v ^ bit;
  }
  void Children(int v, Ranks& out) const {
    if (v == 0) {
      if (n > 1) out.push_back(1 << (std::bit_width(static_cast<unsigned>(n - 1)) - 1));
      return;
    }
    int bit = (v & -v) >> 1;
    if (bit == 0) return;
    out.push_back(v - bit);
    while (bit > 0 && v + bit >= n) bit >>= 1;
    if (bit > 0) out.push_back(v + bit);
  }
};

// The same tree with leaves and inner positions exchanged (one of them stays a leaf when n - 1 is
// odd): reversed for even n - 1, shifted by one for odd.
struct MirroredTree {
  int n;
  InOrderTree tree() const { return {n}; }
  int There(int v) const {
    if (v <= 0) return v;
    if (n % 2 == 1) return n - v;
    return v == 1 ? n - 1 : v - 1;
  }
  int Back(int p) const {
    if (p <= 0) return p;
    if (n % 2 == 1) return n - p;
    return p == n - 1 ? 1 : p + 1;
  }
  int Parent(int v) const { return Back(tree().Parent(There(v))); }
  void Children(int v, Ranks& out) const {
    tree().Children(There(v), out);
    for (int& child : out) child = Back(child);
  }
};

enum class TreeKind { kKnomial, kChain, kDoubleBinary };

// Lanes of a tree: reduction from the children, sum to the parent, result from the parent, result
// to the children. Tree t of two works on block t in lanes 4 t ...
class TreeProgram : public Program {
 public:
  TreeProgram(absl::string_view name, const Shape& shape, TreeKind kind, int trees)
      : Program(MakeInfo(name, shape, ChunkSpace::Split(trees), 4 * trees, 2 * trees)),
        kind_(kind),
        n_(shape.ranks),
        radix_(shape.radix == 0 ? 2 : static_cast<int>(shape.radix)) {}

  uint32_t batches(int rank, uint32_t lane) const override {
    Ranks children;
    const bool has_parent = Neighbours(rank, lane / 4, children) >= 0;
    const bool up = info_.collective != Collective::kBroadcast;
    const bool down = info_.collective != Collective::kReduce;
    switch (lane % 4) {
      case kGather:
        if (!up) return 0;
        return children.size() > 1 ? 2 : static_cast<uint32_t>(children.size());
      case kClimb:
        return up && has_parent ? 1 : 0;
      case kFall:  // the root of a broadcast copies here
        return down && (has_parent || info_.collective == Collective::kBroadcast) ? 1 : 0;
      default:
        return down && !children.empty() ? 1 : 0;
    }
  }

  void Fetch(int rank, uint32_t lane, uint32_t batch, StepList& out) const override {
    const uint32_t tree = lane / 4;
    const uint32_t first_lane = 4 * tree;
    const int block = static_cast<int>(tree);
    const uint32_t up_channel = 2 * tree, down_channel = 2 * tree + 1;
    Ranks children;
    const int parent = Neighbours(rank, tree, children);
    switch (lane % 4) {
      case kGather: {
        if (children.size() == 1) {
          return out.RecvReduce(children[0], up_channel, {{In(block)}}, {{Sum(rank, block)}});
        }
        Refs& operands = out.Spare().src;
        operands.push_back(In(block));
        for (size_t i = 0; i < children.size(); ++i) {
          operands.push_back(ccl::Scratch(static_cast<int>(i), block));
          if (batch == 0) out.Recv(children[i], up_channel, {{operands.back()}});
        }
        if (batch == 1) out.Reduce(operands, Sum(rank, block));
        return;
      }
      case kClimb:
        if (!children.empty()) out.After(first_lane + kGather, batches(rank, first_lane + kGather));
        return out.Send(parent, up_channel,
                        {{children.empty() ? In(block) : Sum(rank, block)}});
      case kFall:
        if (parent < 0) return out.Copy({{In(block)}}, {{Out(block)}});
        // The sum that climbs lies where the result will.
        if (info_.collective == Collective::kAllReduce) out.After(first_lane + kClimb, 1);
        return out.Recv(parent, down_channel, {{Out(block)}});
      default:
        if (parent >= 0) {
          out.After(first_lane + kFall, 1);
        } else if (info_.collective == Collective::kAllReduce) {
          out.After(first_lane + kGather, batches(rank, first_lane + kGather));
        }
        for (int child : children) {
          const bool from_input = parent < 0 && info_.collective == Collective::kBroadcast;
          out.Send(child, down_channel, {{from_input ? In(block) : Out(block)}});
        }
    }
  }

  void Scratch(int rank, ScratchAreas& out) const override {
    if (info_.collective == Collective::kBroadcast) return;
    size_t slots = 0;
    for (uint32_t tree = 0; tree < info_.lanes / 4; ++tree) {
      Ranks children;
      Neighbours(rank, tree, children);
      if (children.size() > 1) slots = std::max(slots, children.size());
      if (!children.empty()) slots = std::max<size_t>(slots, NeedsSumSlot(rank) ? SumSlot() + 1 : 0);
    }
    if (slots > 0) out.push_back({static_cast<uint32_t>(slots), 0, info_.space.blocks()});
  }

 private:
  enum : uint32_t { kGather, kClimb, kFall, kSpread };

  bool NeedsSumSlot(int rank) const {
    return info_.collective == Collective::kReduce && rank != info_.root;
  }
  // A rank without output sums into slot 0: a child's vector may be overwritten by the fold, but
  // with one child nothing else uses the slots.
  int SumSlot() const { return 0; }
  Ref Sum(int rank, int block) const {
    return NeedsSumSlot(rank) ? ccl::Scratch(SumSlot(), block) : Out(block);
  }

  // The parent's rank, -1 at the root, and the children's.
  int Neighbours(int rank, uint32_t tree, Ranks& children) const {
    const int v = Mod(rank - info_.root, n_);
    int parent;
    switch (kind_) {
      case TreeKind::kKnomial:
        KnomialTree{n_, radix_}.Children(v, children);
        parent = KnomialTree{n_, radix_}.Parent(v);
        break;
      case TreeKind::kChain:
        ChainTree{n_}.Children(v, children);
        parent = ChainTree{n_}.Parent(v);
        break;
      default:
        if (tree == 0) {
          InOrderTree{n_}.Children(v, children);
          parent = InOrderTree{n_}.Parent(v);
        } else {
          MirroredTree{n_}.Children(v, children);
          parent = MirroredTree{n_}.Parent(v);
        }
    }
    for (int& child : children) child = Mod(child + info_.root, n_);
    return parent < 0 ? -1 : Mod(parent + info_.root, n_);
  }

  const TreeKind kind_;
  const int n_, radix_;
};

// K-nomial gather and scatter: a position keeps the blocks of its subtree, consecutive from its own.
class KnomialBlocks : public Program {
 public:
  explicit KnomialBlocks(const Shape& shape)
      : Program(MakeInfo("knomial", shape, ChunkSpace::PerBlock(shape.ranks), 2, 1)),
        tree_{shape.ranks, shape.radix == 0 ? 2 : static_cast<int>(shape.radix)} {}

  uint32_t batches(int rank, uint32_t lane) const override {
    const bool gather = info_.collective == Collective::kGather;
    const int v = Position(rank);
    if ((lane == 0) == gather) {  // the side of the children
      return v == 0 || tree_.SubtreeSize(v) > 1 ? 1 : 0;
    }
    return v == 0 ? 0 : 1;
  }

  void Fetch(int rank, uint32_t lane, uint32_t, StepList& out) const override {
    const bool gather = info_.collective == Collective::kGather;
    const int v = Position(rank);
    const uint32_t other = 1 - lane;
    if (lane == 1 && batches(rank, other) > 0) out.After(other, 1);
    if ((lane == 0) != gather) {
      const int peer = Rank(tree_.Parent(v));
      const Refs& blocks = Held(rank, v, tree_.SubtreeSize(v), out);
      if (gather) return out.Send(peer, 0, blocks);
      return out.Recv(peer, 0, blocks);
    }
    if (v == 0) out.Copy({{In(rank)}}, {{Out(rank)}});
    Ranks children;
    tree_.Children(v, children);
    for (int child : children) {
      const Refs& blocks = Held(rank, child, tree_.SubtreeSize(child), out);
      if (gather) {
        out.Recv(Rank(child), 0, blocks);
      } else {
        out.Send(Rank(child), 0, blocks);
      }
    }
  }

  void Scratch(int rank, ScratchAreas& out) const override {
    if (Position(rank) != 0 && tree_.SubtreeSize(Position(rank)) > 1) {
      out.push_back({1, 0, static_cast<uint32_t>(info_.ranks)});
    }
  }

 private:
  int Position(int rank) const { return Mod(rank - info_.root, info_.ranks); }
  int Rank(int position) const { return Mod(position + info_.root, info_.ranks); }

  // Where `rank` holds the blocks of positions [first, first + count).
  const Refs& Held(int rank, int first, int count, StepList& list) const {
    const bool gather = info_.collective == Collective::kGather;
    Refs& refs = list.Spare().src;
    for (int v = first; v < first + count; ++v) {
      const int block = Rank(v);
      Ref ref = ccl::Scratch(0, block);
      if (Position(rank) == 0) {
        ref = gather ? Out(block) : In(block);
      } else if (block == rank) {
        ref = gather ? In(block) : Out(block);
      }
      if (!refs.empty() && refs.back().buffer == ref.buffer &&
          refs.back().first + refs.back().count == ref.first) {
        ++refs.back().count;
      } else {
        refs.push_back(ref);
      }
    }
    return refs;
  }

  const KnomialTree tree_;
};

}  // namespace

std::unique_ptr<Program> MakeKnomial(const Shape& s) {
  if (s.collective == Collective::kGather || s.collective == Collective::kScatter) {
    return std::make_unique<KnomialBlocks>(s);
  }
  return std::make_unique<TreeProgram>("knomial", s, TreeKind::kKnomial, 1);
}
std::unique_ptr<Program> MakeChain(const Shape& s) {
  if (Scans(s.collective)) return MakeScanChain(s);
  return std::make_unique<TreeProgram>("chain", s, TreeKind::kChain, 1);
}
std::unique_ptr<Program> MakeDoubleBinaryTree(const Shape& s) {
  return std::make_unique<TreeProgram>("double_binary_tree", s, TreeKind::kDoubleBinary, 2);
}

}  // namespace ccl
