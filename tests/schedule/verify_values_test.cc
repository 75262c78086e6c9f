#include "ccl/schedule/verify_values.h"

#include <random>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace ccl {
namespace {

TEST(RankSets, EqualSetsHaveEqualNames) {
  RankSets sets(10);
  const auto join = [&sets](RankSet a, RankSet b) { return sets.DisjointUnion(a, b); };
  const RankSet odd = join(join(sets.Only(1), sets.Only(3)), sets.Only(5));
  EXPECT_EQ(odd, join(sets.Only(5), join(sets.Only(3), sets.Only(1))));
  const RankSet even = join(join(sets.Only(2), sets.Only(4)), sets.Only(6));
  const RankSet middle = join(odd, even);
  EXPECT_EQ(sets.ToString(middle), "{1..6}");
  const RankSet wrapped = join(join(sets.Only(9), sets.Only(0)), join(sets.Only(7), sets.Only(8)));
  EXPECT_EQ(sets.ToString(wrapped), "{0,7..9}");
  EXPECT_EQ(join(middle, wrapped), sets.All());
  EXPECT_EQ(join(wrapped, middle), sets.All());
  EXPECT_EQ(join(middle, odd), RankSets::kOverlap);
  EXPECT_EQ(join(sets.Only(3), sets.Only(3)), RankSets::kOverlap);
  EXPECT_EQ(join(sets.All(), sets.Only(0)), RankSets::kOverlap);
}

TEST(RankSets, OneRank) {
  RankSets sets(1);
  EXPECT_EQ(sets.Only(0), sets.All());
  EXPECT_EQ(sets.DisjointUnion(sets.All(), sets.All()), RankSets::kOverlap);
}

// Against std::set, over word boundaries.
TEST(RankSets, RandomUnions) {
  std::mt19937 random(1);
  for (const int n : {2, 3, 63, 64, 65, 130}) {
    RankSets sets(n);
    std::vector<std::pair<RankSet, std::set<int>>> known;
    for (int rank = 0; rank < n; ++rank) known.push_back({sets.Only(rank), {rank}});
    for (int i = 0; i < 5000; ++i) {
      const auto a = known[random() % known.size()], b = known[random() % known.size()];
      std::set<int> both = a.second;
      both.insert(b.second.begin(), b.second.end());
      const bool overlap = both.size() < a.second.size() + b.second.size();
      const RankSet disjoint = sets.DisjointUnion(a.first, b.first);
      EXPECT_EQ(disjoint == RankSets::kOverlap, overlap);
      const RankSet joined = sets.Union(a.first, b.first);
      EXPECT_TRUE(overlap || joined == disjoint);
      EXPECT_EQ(joined == sets.All(), both.size() == static_cast<size_t>(n));
      for (const auto& [set, members] : known) EXPECT_EQ(set == joined, members == both);
      if (known.size() < 200) known.push_back({joined, both});
    }
  }
}

TEST(FoldTrees, OrderAndSidesMatter) {
  const uint64_t a = OrderOfRank(0), b = OrderOfRank(1), c = OrderOfRank(2);
  EXPECT_NE(OrderOfFold(a, b), OrderOfFold(b, a));
  EXPECT_NE(OrderOfFold(OrderOfFold(a, b), c), OrderOfFold(a, OrderOfFold(b, c)));
}

}  // namespace
}  // namespace ccl
