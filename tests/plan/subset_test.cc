// The machine as the ranks of a part of it see it.
#include <numeric>
#include <vector>

#include "ccl/topology/topology.h"
#include "gtest/gtest.h"

namespace ccl {
namespace {

// 12 ranks: nodes of 3 with an uplink, in racks of 2 nodes.
Topology Machine() {
  Topology t = Topology::Flat(12, 300, 10e9);
  Level node = t.levels[0], rack = t.levels[0];
  node.name = "node", node.grouping = Grouping::Uniform(12, 3), node.latency = 100;
  node.bandwidth = 100e9, node.group_uplink = 5e9;
  rack.name = "rack", rack.grouping = Grouping::Uniform(12, 6), rack.latency = 200;
  t.levels = {node, rack, t.levels[0]};
  return t;
}

std::vector<std::vector<int>> StartsOf(const Topology& t) {
  std::vector<std::vector<int>> starts;
  for (const Level& level : t.levels) starts.push_back(level.grouping.starts);
  return starts;
}

TEST(Subset, AllRanksAreTheMachineItself) {
  std::vector<int> all(12);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(Subset(Machine(), all).ToString(), Machine().ToString());
}

TEST(Subset, WithinANodeThereIsOneLevel) {
  const Topology t = Subset(Machine(), {4, 5});
  EXPECT_TRUE(Validate(t).ok()) << Validate(t);
  ASSERT_EQ(StartsOf(t), (std::vector<std::vector<int>>{{0, 2}}));
  EXPECT_EQ(t.levels[0].name, "node");
  EXPECT_EQ(t.levels[0].group_uplink, 0);
}

TEST(Subset, GroupsMayBecomeUneven) {
  const Topology t = Subset(Machine(), {0, 1, 4, 9, 10, 11});
  EXPECT_TRUE(Validate(t).ok()) << Validate(t);
  EXPECT_EQ(StartsOf(t),
            (std::vector<std::vector<int>>{{0, 2, 3, 6}, {0, 3, 6}, {0, 6}}));
  EXPECT_EQ(t.LevelOf(0, 2).name, "rack");
}

TEST(Subset, ALevelThatJoinsNobodyIsLeftOutAndItsUplinkIsARanksPort) {
  const Topology t = Subset(Machine(), {0, 3, 6, 9});
  EXPECT_TRUE(Validate(t).ok()) << Validate(t);
  EXPECT_EQ(StartsOf(t), (std::vector<std::vector<int>>{{0, 2, 4}, {0, 4}}));
  EXPECT_EQ(t.levels[0].name, "rack");
  EXPECT_EQ(t.levels[0].bandwidth, 5e9);
}

TEST(Subset, AnOrderThatTearsGroupsApartKeepsWhatIsLeftOfThem) {
  const Topology t = Subset(Machine(), {0, 1, 6, 2, 7, 8});
  EXPECT_TRUE(Validate(t).ok()) << Validate(t);
  EXPECT_EQ(StartsOf(t), (std::vector<std::vector<int>>{{0, 2, 3, 4, 6}, {0, 6}}));
}

}  // namespace
}  // namespace ccl
