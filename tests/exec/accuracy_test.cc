// How far sums of the short floats are off, in units of the last place, against docs/numerics.md: an
// algorithm is as good as the number of times that a contribution is rounded on its way.
#include <bit>
#include <cmath>
#include <random>

#include "ccl/base/elements.h"
#include "tests/exec/world.h"

namespace ccl {
namespace {

int CeilLog2(int n) { return n <= 1 ? 0 : std::bit_width(static_cast<unsigned>(n - 1)); }

// Roundings of docs/numerics.md of a flat algorithm on n ranks.
int Roundings(const std::string& name, int n) {
  if (n == 1) return 0;
  if (name == "ring" || name == "chain") return n - 1;
  if (name == "biring") return n / 2 + (n > 2 ? 1 : 0);
  if (name == "recursive_doubling" || name == "rabenseifner") {
    const unsigned ranks = static_cast<unsigned>(n);
    return std::bit_width(ranks) - 1 + (std::has_single_bit(ranks) ? 0 : 1);
  }
  if (name == "nhr" || name == "knomial" || name == "double_binary_tree") return CeilLog2(n);
  return 1;  // one fold of all
}

// Of a composition: those of its stages, each among as many ranks as it runs between.
int Roundings(const AlgorithmSpec& spec, int n, const std::vector<Grouping>& groupings) {
  if (spec.parts.empty()) return Roundings(spec.name, n);
  int sum = 0, inner = 1;
  for (size_t level = 0; level < spec.parts.size(); ++level) {
    const int outer = level < groupings.size() ? groupings[level].size(0) : n;
    sum += Roundings(spec.parts[level].name, outer / inner);
    inner = outer;
  }
  return sum;
}

struct Storage {
  DataType type;
  int mantissa;  // bits
};
constexpr Storage kFormats[] = {{DataType::kFloat16, 10},
                               {DataType::kBfloat16, 7},
                               {DataType::kFloat8E4M3, 3},
                               {DataType::kFloat8E5M2, 2}};

bool IsScan(Collective c) { return c == Collective::kScan || c == Collective::kExscan; }

// The largest error of a sum or an average of positive numbers over all elements of all ranks' results.
double WorstUlp(World& world, const std::shared_ptr<const Program>& program, const Storage& format,
                ReduceOp op, uint64_t count) {
  const ProgramInfo& info = program->info();
  const int n = info.ranks;
  const uint64_t total = info.space.Total(count);
  std::mt19937 random(7);
  std::vector<std::vector<double>> upto(n + 1, std::vector<double>(total));  // of the first so many ranks
  std::vector<std::vector<char>> in(n), out(n);
  std::vector<Request> requests(n);
  double worst = 0;
  WithType(format.type, [&](auto zero) {
    using T = decltype(zero);
    for (int r = 0; r < n; ++r) {
      in[r].resize(total * sizeof(T));
      out[r].resize(total * sizeof(T));
      for (uint64_t i = 0; i < total; ++i) {
        const T value = FromDouble<T>(0.5 + static_cast<double>(random() >> 8) * 0x1p-25);
        reinterpret_cast<T*>(in[r].data())[i] = value;
        upto[r + 1][i] = upto[r][i] + ToDouble(value);
      }
      requests[r] = {info.collective, format.type, op, count, info.root, in[r].data(), out[r].data()};
    }
    world.Run(program, requests);
    for (int r = 0; r < n; ++r) {
      const BlockWindow window = OutputWindow(info, r);
      const uint64_t first = info.space.BlockOffset(window.first, count);
      const uint64_t end = info.space.BlockOffset(window.first + window.blocks, count);
      const int folded = !IsScan(info.collective) ? n : info.collective == Collective::kScan ? r + 1 : r;
      if (folded == 0) continue;  // the first rank of an exclusive scan gets nothing
      for (uint64_t i = first; i < end; ++i) {
        const double exact = upto[folded][i] / (op == ReduceOp::kAvg ? n : 1);
        const double ulp = std::ldexp(1, std::ilogb(exact) - format.mantissa);
        const double got = ToDouble(reinterpret_cast<const T*>(out[r].data())[i - first]);
        worst = std::max(worst, std::abs(got - exact) / ulp);
      }
    }
  });
  return worst;
}

// All algorithms of a shape and all short floats, sums and averages. Group operations run lowered to
// messages, or, `in_switches`, alone and as they are.
int KeepTheirBound(World& world, const Shape& shape, bool in_switches) {
  int programs = 0;
  for (const AlgorithmSpec& spec : Candidates(shape)) {
    auto program = BuildProgram(spec, shape, !in_switches);
    EXPECT_TRUE(program.ok()) << program.status();
    if (!program.ok() || (in_switches && (*program)->info().rank_groups == 0)) continue;
    ++programs;
    const int roundings = Roundings(spec, shape.ranks, shape.groupings);
    for (const Storage& format : kFormats) {
      for (const ReduceOp op : {ReduceOp::kSum, ReduceOp::kAvg}) {
        // The last rounding is off by half a unit at most, the sum in float32 by next to nothing. An
        // average is rounded once more.
        const double bound = roundings + (op == ReduceOp::kAvg ? 1 : 0) - 0.5 + 0.001;
        const double worst = WorstUlp(world, *program, format, op, 200);
        EXPECT_LE(worst, bound) << Name(shape.collective) << " " << Format(spec) << " n=" << shape.ranks << " "
                                << Name(format.type) << " " << Name(op);
        // The exclusive scan of two ranks adds nothing.
        const bool adds = shape.collective != Collective::kExscan || shape.ranks > 2;
        EXPECT_EQ(worst > 0, adds) << "the values are too tame";
      }
    }
  }
  return programs;
}

TEST(Accuracy, EveryAlgorithmKeepsItsBoundInUlp) {
  for (int n : {2, 3, 4, 7, 8, 16, 17}) {
    World world(Crossbar(n));
    std::vector<Grouping> groupings;
    if (n % 4 == 0 && n > 4) groupings.push_back(Grouping::Uniform(n, 4));
    for (Collective collective : {Collective::kAllReduce, Collective::kReduceScatter, Collective::kReduce,
                                  Collective::kScan, Collective::kExscan}) {
      EXPECT_GT(KeepTheirBound(world, {collective, n, n - 1, 0, groupings}, false), 0);
    }
  }
}

TEST(Accuracy, ThreeLevels) {
  const int n = 24;
  World world(Crossbar(n));
  const std::vector<Grouping> nested = {Grouping::Uniform(n, 4), Grouping::Uniform(n, 12)};
  for (Collective collective : {Collective::kAllReduce, Collective::kReduceScatter, Collective::kReduce}) {
    EXPECT_GT(KeepTheirBound(world, {collective, n, n - 1, 0, nested}, false), 0);
  }
}

TEST(Accuracy, GroupOperationsOfTheFabric) {
  for (int n : {3, 8}) {
    World world(Crossbar(n, "&set=switch.group_efficiency=0.5"));
    std::vector<Grouping> groupings;
    if (n == 8) groupings.push_back(Grouping::Uniform(n, 4));
    for (Collective collective : {Collective::kAllReduce, Collective::kReduceScatter, Collective::kReduce}) {
      EXPECT_GT(KeepTheirBound(world, {collective, n, n - 1, 0, groupings}, true), 0);
    }
  }
}

// What one fold keeps and many lose: all contributions are less than half a unit of the sum.
TEST(Accuracy, OneFoldSeesWhatIsSmall) {
  const int n = 17;
  World world(Crossbar(n));
  const auto sum = [&](const char* name) {
    const auto program =
        *BuildProgram(*ParseAlgorithm(name), Shape{Collective::kAllReduce, n, 0, 0, {}}, true);
    std::vector<Bfloat16> in(n, Bfloat16(1.0f)), out(n);
    in[n - 1] = Bfloat16(256.0f);  // of which units are 2, and with which a chain begins
    std::vector<Request> requests(n);
    for (int r = 0; r < n; ++r) {
      requests[r] = {Collective::kAllReduce, DataType::kBfloat16, ReduceOp::kSum, 1, 0, &in[r], &out[r]};
    }
    world.Run(program, requests);
    return static_cast<float>(out[n - 1]);
  };
  EXPECT_EQ(sum("one_shot"), 272.0f);
  EXPECT_EQ(sum("two_shot"), 272.0f);
  EXPECT_EQ(sum("knomial:32"), 272.0f);  // all at the root
  EXPECT_NE(sum("chain"), 272.0f);
}

}  // namespace
}  // namespace ccl
