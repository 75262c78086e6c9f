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

int Roundings(const AlgorithmSpec& spec, int n, const std::vector<Grouping>& groupings) {
  if (spec.parts.empty()) return Roundings(spec.name, n);
  const int within = groupings[0].size(0);
  return Roundings(spec.parts[0].name, within) + Roundings(spec.parts[1].name, n / within);
}

struct Storage {
  DataType type;
  int mantissa;  // bits
};
constexpr Storage kFormats[] = {{DataType::kFloat16, 10},
                               {DataType::kBfloat16, 7},
                               {DataType::kFloat8E4M3, 3},
                               {DataType::kFloat8E5M2, 2}};

// The largest error of a sum of positive numbers over all elements of all ranks' results.
double WorstUlp(World& world, const std::shared_ptr<const Program>& program, const Storage& format,
                uint64_t count) {
  const ProgramInfo& info = program->info();
  const int n = info.ranks;
  const uint64_t total = info.space.Total(count);
  std::mt19937 random(7);
  std::vector<double> exact(total);
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
        exact[i] += ToDouble(value);
      }
      requests[r] = {info.collective, format.type,  ReduceOp::kSum, count,
                     info.root,       in[r].data(), out[r].data()};
    }
    world.Run(program, requests);
    for (int r = 0; r < n; ++r) {
      const BlockWindow window = OutputWindow(info, r);
      const uint64_t first = info.space.BlockOffset(window.first, count);
      const uint64_t end = info.space.BlockOffset(window.first + window.blocks, count);
      for (uint64_t i = first; i < end; ++i) {
        const double ulp = std::ldexp(1, std::ilogb(exact[i]) - format.mantissa);
        const double got = ToDouble(reinterpret_cast<const T*>(out[r].data())[i - first]);
        worst = std::max(worst, std::abs(got - exact[i]) / ulp);
      }
    }
  });
  return worst;
}

TEST(Accuracy, EveryAlgorithmKeepsItsBoundInUlp) {
  for (int n : {2, 3, 4, 7, 8, 16, 17}) {
    World world(Crossbar(n));
    std::vector<Grouping> groupings;
    if (n % 4 == 0 && n > 4) groupings.push_back(Grouping::Uniform(n, 4));
    for (Collective collective :
         {Collective::kAllReduce, Collective::kReduceScatter, Collective::kReduce}) {
      const Shape shape{collective, n, n - 1, 0, groupings};
      for (const AlgorithmSpec& spec : Candidates(shape)) {
        auto program = BuildProgram(spec, shape, true);
        ASSERT_TRUE(program.ok()) << program.status();
        const int roundings = Roundings(spec, n, groupings);
        for (const Storage& format : kFormats) {
          const double worst = WorstUlp(world, *program, format, 200);
          // The last rounding is off by half a unit at most, the sum in float32 by next to nothing.
          EXPECT_LE(worst, roundings - 0.5 + 0.001)
              << Name(collective) << " " << Format(spec) << " n=" << n << " " << Name(format.type);
          EXPECT_GT(worst, 0) << "the values are too tame";
        }
      }
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
