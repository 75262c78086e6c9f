#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ccl/algorithms/algorithm.h"
#include "ccl/schedule/verify.h"
#include "ccl/schedule/verify_shift.h"
#include "gtest/gtest.h"

namespace ccl {
namespace {

using C = Collective;

std::string WhyNotParsed(const char* text) {
  return std::string(ParseAlgorithm(text).status().message());
}
std::string WhyNotBuilt(const char* text, const Shape& shape) {
  return std::string(BuildProgram(*ParseAlgorithm(text), shape, false).status().message());
}
bool Has(const std::vector<AlgorithmSpec>& specs, const char* text) {
  return std::any_of(specs.begin(), specs.end(),
                     [text](const AlgorithmSpec& spec) { return Format(spec) == text; });
}

TEST(Spec, ReadsWhatItWrites) {
  for (const char* text : {"ring", "knomial:4*2", "hier(two_shot+nhr)*4", "hier(ring+ring+nhr)",
                           "hier(knomial:3+hier(ring+nhr))"}) {
    const auto spec = ParseAlgorithm(text);
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(Format(*spec), text);
    EXPECT_EQ(*ParseAlgorithm(Format(*spec)), *spec);
  }
  EXPECT_EQ(Format(*ParseAlgorithm("ring*1")), "ring");
}

TEST(Spec, SaysWhereItStoppedReading) {
  EXPECT_EQ(WhyNotParsed(""), "algorithm '', position 0: an algorithm's name is missing");
  EXPECT_EQ(WhyNotParsed("ring)"), "algorithm 'ring)', position 4: unexpected text");
  EXPECT_EQ(WhyNotParsed("hier(ring"), "algorithm 'hier(ring', position 9: ')' is missing");
  EXPECT_EQ(WhyNotParsed("ring*0"),
            "algorithm 'ring*0', position 6: the number of slices must be in 1..4096");
  EXPECT_EQ(WhyNotParsed("knomial:1"),
            "algorithm 'knomial:1', position 9: the radix must be in 2..1024");
}

TEST(BuildProgram, SaysWhyNot) {
  const Shape shape{C::kAllGather, 6};
  EXPECT_EQ(WhyNotBuilt("two_shot", shape), "algorithm 'two_shot' does not do allgather");
  EXPECT_EQ(WhyNotBuilt("ring:3", shape), "algorithm 'ring' takes no radix");
  EXPECT_EQ(WhyNotBuilt("ring(nhr)", shape),
            "algorithm 'ring' takes no parts; compositions are hier(..+..)");
  EXPECT_EQ(WhyNotBuilt("recursive_doubling", shape),
            "algorithm 'recursive_doubling': its allgather needs a power of two ranks, not 6; nhr "
            "is its like at any number");
  EXPECT_EQ(WhyNotBuilt("hier(direct+nhr)", shape), "hier has 2 levels, but the topology has 1");
}

TEST(BuildProgram, NamesTheProgramAsItsUserWouldWriteIt) {
  const Shape shape{C::kAllReduce, 12, 0, 0, {Grouping::Uniform(12, 4)}};
  for (const char* text : {"ring", "ring*2", "hier(group_direct+nhr)*4", "group_two_shot"}) {
    for (const bool lower : {false, true}) {
      EXPECT_EQ((*BuildProgram(*ParseAlgorithm(text), shape, lower))->info().name, text);
    }
  }
  EXPECT_EQ((*BuildProgram(*ParseAlgorithm("nhr*3"), Shape{C::kAllReduce, 1}, true))->info().name,
            "nhr*3");
}

TEST(Candidates, AreWhatCanBeBuilt) {
  for (const int n : {1, 2, 3, 7, 8, 16, 48}) {
    for (int c = 0; c < kCollectives; ++c) {
      Shape shape{static_cast<C>(c), n, n - 1, 0, {Grouping::Uniform(n, 2), Grouping::Uniform(n, 4)}};
      const std::vector<AlgorithmSpec> candidates = Candidates(shape);
      for (const AlgorithmSpec& spec : candidates) {
        EXPECT_TRUE(BuildProgram(spec, shape, false).ok()) << Format(spec) << " " << n;
      }
      for (const Algorithm& row : Catalogue()) {
        AlgorithmSpec spec;
        spec.name = std::string(row.name);
        EXPECT_EQ(BuildProgram(spec, shape, false).ok(), Has(candidates, spec.name.c_str()))
            << spec.name << " " << n;
      }
    }
  }
}

TEST(Candidates, HaveALevelForEveryGroupingThatStructuresTheRanks) {
  Shape shape{C::kAllReduce, 48, 0, 0, {}};
  EXPECT_FALSE(Has(Candidates(shape), "hier(two_shot+nhr)"));
  shape.groupings = {Grouping::Uniform(48, 4)};
  EXPECT_TRUE(Has(Candidates(shape), "hier(two_shot+nhr)"));
  EXPECT_FALSE(Has(Candidates(shape), "hier(two_shot+ring+nhr)"));
  shape.groupings.push_back(Grouping::Uniform(48, 48));
  EXPECT_FALSE(Has(Candidates(shape), "hier(two_shot+ring+nhr)"));
  shape.groupings[1] = Grouping::Uniform(48, 16);
  EXPECT_TRUE(Has(Candidates(shape), "hier(two_shot+ring+nhr)"));
  shape.groupings = {Grouping::Uniform(48, 48)};
  EXPECT_FALSE(Has(Candidates(shape), "hier(two_shot+nhr)"));
  EXPECT_TRUE(Has(Compositions(shape), "hier(two_shot+nhr)"));
}

// Blocks of the stage between uneven groups stand for groups of several sizes.
TEST(Compositions, EvenGroupsOfUnevenGroups) {
  const Shape shape{
      C::kReduceScatter, 15, 0, 0, {Grouping::Uniform(15, 2), Grouping::Uniform(15, 4)}};
  for (const char* text : {"hier(direct+direct+nhr)", "hier(ring+hier(ring+nhr))"}) {
    const auto program = BuildProgram(*ParseAlgorithm(text), shape, true);
    ASSERT_TRUE(program.ok()) << program.status();
    const auto report = Verify(**program);
    EXPECT_TRUE(report.ok()) << report.status();
  }
}

// A program that promises another shift.
class Promises : public Program {
 public:
  Promises(std::shared_ptr<const Program> inner, int shift) : Program(inner->info()), inner_(std::move(inner)) {
    info_.shift = shift;
  }
  uint32_t batches(int rank, uint32_t lane) const override { return inner_->batches(rank, lane); }
  void Fetch(int rank, uint32_t lane, uint32_t batch, StepList& out) const override {
    inner_->Fetch(rank, lane, batch, out);
  }
  absl::Span<const int> RankGroup(uint32_t group) const override { return inner_->RankGroup(group); }

 private:
  const std::shared_ptr<const Program> inner_;
};

std::shared_ptr<const Program> Hierarchy(const char* text, C collective, int n, const std::vector<int>& sizes,
                                         bool lower = true) {
  Shape shape{collective, n};
  for (int size : sizes) shape.groupings.push_back(Grouping::Uniform(n, size));
  auto program = BuildProgram(*ParseAlgorithm(text), shape, lower);
  EXPECT_TRUE(program.ok()) << program.status();
  return *program;
}

// All that compositions promise is true.
TEST(Shifts, OfCompositionsHold) {
  int promised = 0;
  for (const int n : {2, 4, 6, 7, 12, 16, 24, 48, 60, 72, 128, 192}) {
    for (const auto& [inner, outer] : std::vector<std::pair<int, int>>{{2, 4}, {2, 6}, {4, 24}, {5, 15}, {8, 64}}) {
      for (int c = 0; c < kCollectives; ++c) {
        const Shape shape{static_cast<C>(c), n, 0, 0, {Grouping::Uniform(n, inner), Grouping::Uniform(n, outer)}};
        for (const AlgorithmSpec& spec : Compositions(shape)) {
          for (const bool lower : {false, true}) {
            const auto program = *BuildProgram(spec, shape, lower);
            EXPECT_EQ(VerifyShift(*program), absl::OkStatus()) << n << " ranks of " << inner << ", " << outer;
            promised += program->info().shift < n ? 1 : 0;
          }
        }
      }
    }
  }
  EXPECT_GT(promised, 500);
}

// And no less than there is to promise: every other shift is a lie or a multiple.
TEST(Shifts, OfCompositionsAreTheLeast) {
  struct Case {
    const char* text;
    C collective;
    int ranks;
    std::vector<int> sizes;
    int shift;
  };
  const Case cases[] = {
      {"hier(ring+ring)", C::kAllReduce, 48, {8}, 8},
      {"hier(ring+ring)", C::kAllReduce, 48, {1}, 1},
      {"hier(ring+ring)", C::kAllReduce, 16, {16}, 1},
      {"hier(two_shot+nhr)*4", C::kAllReduce, 60, {5}, 5},
      {"hier(knomial+ring)", C::kAllReduce, 24, {4}, 4},
      {"hier(ring+rabenseifner)", C::kAllReduce, 32, {8}, 32},
      {"hier(ring+knomial)", C::kAllReduce, 32, {8}, 32},
      {"hier(direct+ring)", C::kAllGather, 24, {4}, 4},
      {"hier(ring+direct)", C::kReduceScatter, 24, {4}, 4},
      {"hier(ring+ring)", C::kAllGather, 26, {4}, 26},  // uneven
      {"hier(knomial+knomial)", C::kBroadcast, 24, {4}, 24},
      {"hier(ring+ring+ring)", C::kAllReduce, 64, {4, 16}, 16},
      {"hier(direct+ring+nhr)", C::kAllGather, 60, {3, 12}, 12},
      {"hier(pairwise+pairwise+pairwise)", C::kAllToAll, 96, {8, 24}, 24},
  };
  for (const auto& [text, collective, ranks, sizes, shift] : cases) {
    const auto program = Hierarchy(text, collective, ranks, sizes);
    EXPECT_EQ(program->info().shift, shift) << text;
    for (int other = 1; other <= ranks; ++other) {
      const bool holds = VerifyShift(Promises(program, other)).ok();
      EXPECT_EQ(holds, ranks % other == 0 && other % shift == 0) << text << " by " << other;
    }
  }
}

}  // namespace
}  // namespace ccl
