#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ccl/algorithms/combinators.h"
#include "ccl/algorithms/recipe.h"

namespace ccl {
namespace {

using C = Collective;

absl::Status Always(const Shape&) { return absl::OkStatus(); }

absl::Status AllGatherOnPowersOfTwo(const Shape& shape) {
  if (EvenForm(shape.collective) != C::kAllGather || IsPowerOfTwo(shape.ranks)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "its allgather needs a power of two ranks, not ", shape.ranks, "; nhr is its like at any number"));
}

constexpr C kReduceAll[] = {C::kAllReduce};
constexpr C kVector[] = {C::kAllReduce, C::kReduceScatter, C::kAllGather, C::kReduceScatterV,
                         C::kAllGatherV};
constexpr C kDoubling[] = {C::kAllReduce, C::kAllGather, C::kAllGatherV, C::kScan, C::kExscan};
constexpr C kDirect[] = {C::kReduceScatter,  C::kAllGather,  C::kBroadcast, C::kReduce,
                         C::kAllToAll,       C::kGather,     C::kScatter,   C::kScan,
                         C::kExscan,         C::kAllGatherV, C::kReduceScatterV,
                         C::kAllToAllV,      C::kGatherV,    C::kScatterV};
constexpr C kPeers[] = {C::kAllToAll, C::kAllToAllV};
constexpr C kExchange[] = {C::kAllToAll};
constexpr C kTree[] = {C::kAllReduce, C::kBroadcast, C::kReduce, C::kGather, C::kScatter};
constexpr C kPipe[] = {C::kAllReduce, C::kBroadcast, C::kReduce};
constexpr C kLine[] = {C::kAllReduce, C::kBroadcast, C::kReduce, C::kScan, C::kExscan};
constexpr C kMeet[] = {C::kBarrier};
constexpr C kGroupDirect[] = {C::kReduceScatter, C::kAllGather};

constexpr Slicing kSeq = Slicing::kInSequence;
constexpr Slicing kSide = Slicing::kSideBySide;

constexpr FoldOrder kAny = FoldOrder::kDiffers, kOne = FoldOrder::kOneFold;

const Algorithm kCatalogue[] = {
    {"ring", "one neighbour to the next; optimal volume, linear latency", "2(n-1)L + 2(n-1)m/nB",
     kVector, kSide, false, kAny, Always, MakeRing},
    {"biring", "both ways round at once; half the ring's latency", "(2ceil((n-1)/2)+1)L + 2(n-1)m/nB",
     kVector, kSide, false, kAny, Always, MakeBidirectionalRing},
    {"nhr", "logarithmic steps and optimal volume at any number of ranks",
     "2ceil(log n)L + 2(n-1)m/nB", kVector, kSide, false, kAny, Always, MakeNhr},
    {"recursive_doubling", "whole vectors between partners; lowest latency", "log n (L + m/B)",
     kDoubling, kSide, false, kAny, AllGatherOnPowersOfTwo, MakeRecursiveDoubling},
    {"rabenseifner", "recursive halving, then doubling; folds what exceeds a power of two",
     "2 log n L + 2(n-1)m/nB", kReduceAll, kSide, false, kAny, Always, MakeRabenseifner},
    {"double_binary_tree", "two complementary binary trees; pipelines when sliced",
     "2 log n (L + m/SB) + 2m/B", kPipe, kSeq, false, kAny, Always, MakeDoubleBinaryTree},
    {"knomial", "k-nomial tree, radix 2 unless given", "ceil(log_k n)(L + (k-1)m/B) each way",
     kTree, kSeq, false, kAny, Always, MakeKnomial},
    {"chain", "one after the other; for large vectors in many slices", "(n-2+S)(L + m/SB) each way",
     kLine, kSeq, false, kAny, Always, MakeChain},
    {"one_shot", "everything to everybody, folded in order of rank", "L + (n-1)m/B", kReduceAll,
     kSide, false, kOne, Always, MakeOneShot},
    {"two_shot", "a block to each, folded in order of rank, and back", "2L + 2(n-1)m/nB",
     kReduceAll, kSide, false, kOne, Always, MakeTwoShot},
    {"direct", "all messages at once", "L + (n-1)m/nB", kDirect, kSide, false, kOne, Always, MakeDirect},
    {"pairwise", "all-to-all, one peer at a time", "(n-1)(L + m/nB)", kPeers, kSide, false, kAny,
     Always, MakePairwise},
    {"bruck", "all-to-all in logarithmic steps", "ceil(log n)(L + m/2B)", kExchange, kSide, false, kAny,
     Always, MakeBruck},
    {"dissemination", "barrier in logarithmic rounds", "ceil(log n) L", kMeet, kSeq, false, kAny, Always,
     MakeDissemination},
    {"group_one_shot", "one reduction or multicast by the fabric", "L + m/B", kPipe, kSide, true, kOne,
     Always, MakeGroupOneShot},
    {"group_two_shot", "the fabric reduces a block to each rank and multicasts it",
     "(S+1)L + (S+1+(S-1)/n)m/SB", kReduceAll, kSeq, true, kOne, Always, MakeGroupTwoShot},
    {"group_direct", "the fabric reduces or multicasts each rank's block", "L + m/B", kGroupDirect,
     kSide, true, kOne, Always, MakeGroupDirect},
};

// Compositions worth proposing.
constexpr struct {
  C collective;
  absl::string_view text;
} kProposed[] = {
    {C::kAllReduce, "hier(two_shot+nhr)"},
    {C::kAllReduce, "hier(two_shot+ring)"},
    {C::kAllReduce, "hier(ring+ring)"},
    {C::kAllReduce, "hier(group_direct+nhr)"},
    {C::kAllReduce, "hier(two_shot+two_shot+nhr)"},
    {C::kAllReduce, "hier(two_shot+ring+nhr)"},
    {C::kAllReduce, "hier(ring+ring+ring)"},
    {C::kReduceScatter, "hier(direct+nhr)"},
    {C::kReduceScatter, "hier(direct+ring)"},
    {C::kReduceScatter, "hier(ring+ring)"},
    {C::kReduceScatter, "hier(direct+direct+nhr)"},
    {C::kReduceScatter, "hier(direct+ring+nhr)"},
    {C::kAllGather, "hier(direct+nhr)"},
    {C::kAllGather, "hier(direct+ring)"},
    {C::kAllGather, "hier(ring+ring)"},
    {C::kAllGather, "hier(direct+direct+nhr)"},
    {C::kAllGather, "hier(direct+ring+nhr)"},
    {C::kBroadcast, "hier(knomial+knomial)"},
    {C::kBroadcast, "hier(knomial+double_binary_tree)"},
    {C::kBroadcast, "hier(knomial+knomial+knomial)"},
    {C::kReduce, "hier(knomial+knomial)"},
    {C::kReduce, "hier(knomial+double_binary_tree)"},
    {C::kReduce, "hier(knomial+knomial+knomial)"},
    {C::kAllToAll, "hier(direct+direct)"},
    {C::kAllToAll, "hier(pairwise+pairwise)"},
    {C::kAllToAll, "hier(direct+direct+direct)"},
    {C::kAllToAll, "hier(direct+pairwise+bruck)"},
};

bool Does(const Algorithm& algorithm, Collective collective) {
  for (Collective c : algorithm.collectives) {
    if (c == collective) return true;
  }
  return false;
}

absl::StatusOr<const Algorithm*> Fitting(const AlgorithmSpec& spec, const Shape& shape) {
  const Algorithm* algorithm = FindAlgorithm(spec.name);
  if (algorithm == nullptr) {
    std::vector<absl::string_view> names;
    for (const Algorithm& row : kCatalogue) {
      if (Does(row, shape.collective)) names.push_back(row.name);
    }
    return absl::InvalidArgumentError(absl::StrCat("unknown algorithm '", spec.name, "'; for ",
                                                   Name(shape.collective), " there are: ",
                                                   absl::StrJoin(names, " "), " hier(..+..)"));
  }
  if (!Does(*algorithm, shape.collective)) {
    return absl::InvalidArgumentError(
        absl::StrCat("algorithm '", spec.name, "' does not do ", Name(shape.collective)));
  }
  if (!spec.parts.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("algorithm '", spec.name, "' takes no parts; compositions are hier(..+..)"));
  }
  if (spec.radix != 0 && spec.name != "knomial") {
    return absl::InvalidArgumentError(absl::StrCat("algorithm '", spec.name, "' takes no radix"));
  }
  if (absl::Status status = algorithm->applies(shape); !status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("algorithm '", spec.name, "': ", status.message()));
  }
  return algorithm;
}

// The program's public name is the text that asks for it. A v-form is the program of blocks of one
// length: steps name blocks, and a message or fold never takes one for another.
class Named : public Program {
 public:
  Named(std::shared_ptr<const Program> inner, std::string name, Collective collective)
      : Program(inner->info()), inner_(std::move(inner)) {
    info_.name = std::move(name);
    info_.collective = collective;
    if (!HasCounts(collective)) return;
    const ChunkSpace& space = info_.space;
    info_.space = collective == Collective::kAllToAllV
                      ? ChunkSpace::Pairs(space.blocks(), space.slices())
                      : ChunkSpace::Ragged(space.blocks(), space.slices());
  }
  uint32_t batches(int rank, uint32_t lane) const override { return inner_->batches(rank, lane); }
  void Fetch(int rank, uint32_t lane, uint32_t batch, StepList& out) const override {
    inner_->Fetch(rank, lane, batch, out);
  }
  void Scratch(int rank, ScratchAreas& out) const override {
    inner_->Scratch(rank, out);
  }
  absl::Span<const int> RankGroup(uint32_t group) const override {
    return inner_->RankGroup(group);
  }

 private:
  const std::shared_ptr<const Program> inner_;
};

}  // namespace

absl::Span<const Algorithm> Catalogue() { return kCatalogue; }

const Algorithm* FindAlgorithm(absl::string_view name) {
  for (const Algorithm& algorithm : kCatalogue) {
    if (algorithm.name == name) return &algorithm;
  }
  return nullptr;
}

FoldOrder OrderOf(const AlgorithmSpec& spec, Collective collective) {
  const Algorithm* algorithm = FindAlgorithm(spec.name);
  // A chain of ranks folds a scan on its way up, and anything else on its way down.
  if (Scans(collective) && spec.name == "chain") return FoldOrder::kRankOrder;
  return algorithm == nullptr ? FoldOrder::kDiffers : algorithm->order;
}

absl::StatusOr<std::shared_ptr<const Program>> BuildProgram(const AlgorithmSpec& spec,
                                                            const Shape& shape,
                                                            bool lower_group_operations) {
  std::shared_ptr<const Program> program;
  Slicing slicing = Slicing::kInSequence;
  bool group_operations = false;
  if (spec.name == "hier") {
    if (spec.radix != 0) return absl::InvalidArgumentError("hier takes no radix");
    auto composed = Compose(spec.parts, shape);
    if (!composed.ok()) return composed.status();
    program = *std::move(composed);
    group_operations = program->info().rank_groups > 0;
  } else {
    auto algorithm = Fitting(spec, shape);
    if (!algorithm.ok()) return algorithm.status();
    slicing = (*algorithm)->slicing;
    Shape flat = shape;
    flat.collective = EvenForm(shape.collective);
    flat.radix = spec.radix;
    if (shape.ranks == 1) {
      program = MakeLocal(flat);
    } else {
      program = (*algorithm)->make(flat);
      group_operations = (*algorithm)->group_operations;
    }
  }
  if (group_operations && lower_group_operations) program = LowerGroupOperations(program);
  if (spec.slices > 1) program = Slice(program, spec.slices, slicing);
  return std::make_shared<Named>(std::move(program), Format(spec), shape.collective);
}

std::vector<AlgorithmSpec> Compositions(const Shape& shape) {
  std::vector<AlgorithmSpec> compositions;
  for (const auto& [collective, text] : kProposed) {
    if (collective != shape.collective) continue;
    auto spec = ParseAlgorithm(text);
    if (!spec.ok() || spec->parts.size() > shape.groupings.size() + 1) continue;
    if (BuildProgram(*spec, shape, true).ok()) compositions.push_back(*std::move(spec));
  }
  return compositions;
}

std::vector<AlgorithmSpec> Candidates(const Shape& shape) {
  std::vector<AlgorithmSpec> candidates;
  for (const Algorithm& algorithm : kCatalogue) {
    if (!Does(algorithm, shape.collective) || !algorithm.applies(shape).ok()) continue;
    AlgorithmSpec spec;
    spec.name = std::string(algorithm.name);
    candidates.push_back(spec);
  }
  std::vector<Grouping> useful;  // groupings that structure something
  for (const Grouping& grouping : shape.groupings) {
    const bool structures = grouping.groups() > 1 && grouping.groups() < shape.ranks;
    if (structures && (useful.empty() || !(grouping == useful.back()))) useful.push_back(grouping);
  }
  if (useful.empty()) return candidates;
  for (AlgorithmSpec& spec : Compositions(shape)) {
    if (spec.parts.size() <= useful.size() + 1) candidates.push_back(std::move(spec));
  }
  return candidates;
}

}  // namespace ccl
