#include <algorithm>
#include <string>

#include "ccl/algorithms/algorithm.h"
#include "ccl/schedule/verify.h"
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

}  // namespace
}  // namespace ccl
