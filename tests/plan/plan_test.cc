#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ccl/plan/cost.h"
#include "ccl/plan/planner.h"

namespace ccl {
namespace {

using testing::HasSubstr;

Topology CrossbarLike(int ranks) { return Topology::Flat(ranks, 1'000'000, 400e9); }

TEST(Planner, TakesLatencyForSmallAndVolumeForLarge) {
  Planner planner(CrossbarLike(16), {}, false);
  const auto small = planner.Choose(Collective::kAllReduce, 8, 0, "");
  const auto large = planner.Choose(Collective::kAllReduce, 1 << 30, 0, "");
  ASSERT_TRUE(small.ok() && large.ok());
  EXPECT_EQ((*small)->spec.name, "one_shot");
  EXPECT_NE((*large)->spec.name, "one_shot");
  EXPECT_GT((*small)->candidates.size(), 5u);
  EXPECT_THAT((*small)->Explain(), HasSubstr("ring"));
  EXPECT_GE((*large)->predicted, LowerBound(Collective::kAllReduce, 1 << 30, CrossbarLike(16)).time);
}

TEST(Planner, APlanIsMadeOnce) {
  Planner planner(CrossbarLike(4), {}, false);
  EXPECT_EQ(*planner.Choose(Collective::kAllGather, 4096, 0, ""),
            *planner.Choose(Collective::kAllGather, 4096, 0, ""));
}

TEST(Planner, SizesWithOneChoiceShareAProgram) {
  Planner planner(CrossbarLike(4), {}, false);
  const auto a = *planner.Choose(Collective::kAllReduce, 8, 0, "");
  const auto b = *planner.Choose(Collective::kAllReduce, 16, 0, "");
  ASSERT_EQ(a->spec, b->spec);
  EXPECT_EQ(a->program, b->program);
  EXPECT_EQ(planner.kept().plans, 2u);
  EXPECT_EQ(planner.kept().programs, 1u);
}

TEST(Planner, WhatCannotRunIsNotKept) {
  Planner planner(CrossbarLike(6), {}, false);
  for (const char* forced : {"recursive_doubling", "rign", "ring*0"}) {
    EXPECT_FALSE(planner.Choose(Collective::kAllGather, 64, 0, forced).ok());
  }
  EXPECT_EQ(planner.kept().plans, 0u);
  EXPECT_EQ(planner.kept().programs, 0u);
}

TEST(Planner, KeepsABoundedNumberOfPlansAndPrograms) {
  Planner planner(CrossbarLike(4), {}, false);
  const auto first = *planner.Choose(Collective::kAllReduce, 1, 0, "ring");
  for (uint64_t bytes = 2; bytes < 2 * Planner::kMostPlans; ++bytes) {
    ASSERT_TRUE(planner.Choose(Collective::kAllReduce, bytes, 0, "ring").ok());
    ASSERT_LE(planner.kept().plans, Planner::kMostPlans);
  }
  for (size_t slices = 1; slices < 2 * Planner::kMostPrograms; ++slices) {
    ASSERT_TRUE(
        planner.Choose(Collective::kAllReduce, 64, 0, absl::StrCat("ring*", slices)).ok());
    ASSERT_LE(planner.kept().programs, Planner::kMostPrograms);
  }
  // What is in use stays, and the same choice is made again.
  EXPECT_EQ(first->program->info().name, "ring");
  EXPECT_EQ((*planner.Choose(Collective::kAllReduce, 1, 0, "ring"))->spec, first->spec);
}

TEST(Planner, OverridesApplyBySizeAndSayWhereTheyComeFrom) {
  auto rules = ParseOverrides("allreduce:0-64K:@tree,allreduce:64K-inf:@ring", "CCL_ALGO");
  ASSERT_TRUE(rules.ok()) << rules.status();
  Planner planner(CrossbarLike(4), *rules, false);
  EXPECT_EQ((*planner.Choose(Collective::kAllReduce, 65535, 0, ""))->spec.name,
            "double_binary_tree");
  const auto large = *planner.Choose(Collective::kAllReduce, 65536, 0, "");
  EXPECT_EQ(large->spec.name, "ring");
  EXPECT_THAT(large->reason, HasSubstr("CCL_ALGO"));
}

TEST(Planner, AForcedChoiceThatCannotRunIsAnErrorThatSaysWhy) {
  Planner planner(CrossbarLike(6), {}, false);
  const auto wrong = planner.Choose(Collective::kAllGather, 64, 0, "recursive_doubling");
  ASSERT_FALSE(wrong.ok());
  EXPECT_THAT(std::string(wrong.status().message()), HasSubstr("power of two"));
  EXPECT_THAT(std::string(planner.Choose(Collective::kAllToAll, 64, 0, "ring").status().message()),
              HasSubstr("does not do alltoall"));
  EXPECT_THAT(std::string(planner.Choose(Collective::kAllReduce, 64, 0, "rign").status().message()),
              HasSubstr("unknown algorithm 'rign'"));
}

TEST(Cost, EveryRowOfTheCatalogueHasAFormula) {
  for (const Algorithm& row : Catalogue()) {
    for (Collective collective : row.collectives) {
      AlgorithmSpec spec;
      spec.name = std::string(row.name);
      const double time = PredictTime(spec, {collective, 8}, 1 << 20, CrossbarLike(8));
      EXPECT_GT(time, 0) << row.name;
      EXPECT_LT(time, 1e18) << row.name;
    }
  }
}

TEST(Cost, ACompositionPaysForItsStagesWithinTheGroups) {
  Topology topology = CrossbarLike(16);
  Level node = topology.levels[0];
  node.name = "node";
  node.grouping = Grouping::Uniform(16, 4);
  topology.levels.insert(topology.levels.begin(), node);
  const uint64_t m = 1 << 20;
  const Shape shape{Collective::kAllReduce, 16, 0, 0, GroupingsOf(topology)};
  const double beta = 1e12 / 400e9, a = 1e6, within = a + 0.75 * m * beta;
  // Reduce-scatter and allgather of the whole vector in groups of 4, ring on a quarter between.
  EXPECT_DOUBLE_EQ(PredictTime(*ParseAlgorithm("hier(two_shot+ring)"), shape, m, topology),
                   2 * within + 2 * 3 * (a + m / 16.0 * beta));
}

TEST(Cost, SlicesOverlapOnlyWhereARankDoesNotDoAllTheWorkItself) {
  Topology topology = CrossbarLike(16);
  Level node = topology.levels[0];
  node.name = "node";
  node.grouping = Grouping::Uniform(16, 4);
  node.group_bandwidth = 400e9;
  node.group_by_members = true;
  topology.levels.insert(topology.levels.begin(), node);
  const uint64_t m = 64 << 20;
  const Shape shape{Collective::kAllReduce, 16, 0, 0, GroupingsOf(topology)};
  const auto whole = ParseAlgorithm("hier(group_direct+ring)"), sliced = ParseAlgorithm("hier(group_direct+ring)*8");
  EXPECT_LT(PredictTime(*sliced, shape, m, topology), PredictTime(*whole, shape, m, topology));
  // As within a host: nothing goes on beside a rank that folds and copies.
  topology.levels[1].group_bandwidth = 400e9;
  topology.levels[1].group_by_members = true;
  EXPECT_GT(PredictTime(*sliced, shape, m, topology), PredictTime(*whole, shape, m, topology));
}

TEST(Overrides, ErrorsNameTheRule) {
  for (const char* text : {"allreduce:0-64K", "allreduce:64K-1K:@ring", "alreduce:@ring",
                           "allreduce:0-1X:@ring", "@nosuch"}) {
    const auto rules = ParseOverrides(text, "CCL_ALGO");
    ASSERT_FALSE(rules.ok()) << text;
    EXPECT_THAT(std::string(rules.status().message()), HasSubstr(text));
  }
  EXPECT_EQ(ParseOverrides("@ring", "CCL_ALGO")->size(), 5u);
}

TEST(Sizes, DecimalAndBinary) {
  EXPECT_EQ(*ParseSize("64K"), 65536u);
  EXPECT_EQ(*ParseSize("1KB"), 1000u);
  EXPECT_EQ(*ParseSize("1.5MiB"), 1572864u);
  EXPECT_FALSE(ParseSize("64Q").ok());
}

TEST(Spec, TextFormRoundTrips) {
  for (const char* text : {"ring", "knomial:4", "ring*8", "hier(two_shot+nhr)*4",
                           "hier(ring+hier(ring+nhr))"}) {
    const auto spec = ParseAlgorithm(text);
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(Format(*spec), text);
  }
  for (const char* text : {"", "ring*0", "hier(ring", "ring)", "knomial:1"}) {
    EXPECT_FALSE(ParseAlgorithm(text).ok()) << text;
  }
}

}  // namespace
}  // namespace ccl
