#include "transports/host_topology.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ccl {
namespace {

using testing::ElementsAre;

struct Where {
  int host = 0, socket = Location::kNone, cache = Location::kNone;
};

Topology Of(const std::vector<Where>& ranks, double crowding) {
  std::vector<Location> locations;
  for (const Where& where : ranks) {
    Location location;
    location.host = where.host;
    location.socket = where.socket;
    location.cache = where.cache;
    locations.push_back(location);
  }
  const Topology topology = HostTopology(locations, crowding);
  EXPECT_TRUE(Validate(topology).ok()) << Validate(topology);
  return topology;
}

std::vector<std::string> Names(const Topology& topology) {
  std::vector<std::string> names;
  for (const Level& level : topology.levels) names.push_back(level.name);
  return names;
}

TEST(HostTopology, OneHostIsOneLevel) {
  EXPECT_THAT(Names(Of({{}, {}, {}}, 0)), ElementsAre("host"));
  EXPECT_THAT(Names(Of({{}}, 1)), ElementsAre("host"));
}

TEST(HostTopology, ConsecutiveHostsAreGroups) {
  const Topology t = Of({{0}, {0}, {2}, {2}, {2}}, 1);
  ASSERT_THAT(Names(t), ElementsAre("host", "network"));
  EXPECT_THAT(t.levels[0].grouping.starts, ElementsAre(0, 2, 5));
  const int host[] = {2, 3, 4}, across[] = {1, 2};
  EXPECT_TRUE(t.DoesGroupOperations(host, true));
  EXPECT_FALSE(t.DoesGroupOperations(across, true));
  EXPECT_GT(t.levels[1].latency, t.levels[0].latency);
  EXPECT_EQ(t.Host(), &t.levels[0]);
}

TEST(HostTopology, ScatteredOrSingleRanksAreNot) {
  for (const std::vector<Where>& hosts : {std::vector<Where>{{0}, {1}, {0}, {1}}, std::vector<Where>{{0}, {1}, {2}}}) {
    const Topology t = Of(hosts, 0);
    EXPECT_THAT(Names(t), ElementsAre("network"));
    EXPECT_EQ(t.Host(), nullptr);
  }
}

TEST(HostTopology, SocketsAndCachesAreLevelsOfAHost) {
  // Two sockets of two caches each, two ranks on every cache.
  const Topology t = Of({{0, 0, 0}, {0, 0, 0}, {0, 0, 4}, {0, 0, 4}, {0, 8, 8}, {0, 8, 8}, {0, 8, 12}, {0, 8, 12}}, 1);
  ASSERT_THAT(Names(t), ElementsAre("cache", "socket", "host"));
  EXPECT_THAT(t.levels[0].grouping.starts, ElementsAre(0, 2, 4, 6, 8));
  EXPECT_THAT(t.levels[1].grouping.starts, ElementsAre(0, 4, 8));
  EXPECT_EQ(t.LevelOf(0, 1).name, "cache");
  EXPECT_EQ(t.LevelOf(1, 2).name, "socket");
  EXPECT_EQ(t.LevelOf(3, 4).name, "host");
  EXPECT_EQ(t.Host(), &t.levels[2]);
  for (size_t i = 1; i < t.levels.size(); ++i) {
    EXPECT_GT(t.levels[i].latency, t.levels[i - 1].latency);
    EXPECT_LT(t.levels[i].bandwidth, t.levels[i - 1].bandwidth);
    EXPECT_LT(t.levels[i].group_bandwidth, t.levels[i - 1].group_bandwidth);
    EXPECT_TRUE(t.levels[i].group_by_members);
  }
}

TEST(HostTopology, EqualNumbersOnDifferentHostsAreDifferentSockets) {
  const Topology t = Of({{0, 0}, {0, 0}, {0, 8}, {0, 8}, {4, 0}, {4, 0}, {4, 8}, {4, 8}}, 1);
  ASSERT_THAT(Names(t), ElementsAre("socket", "host", "network"));
  EXPECT_THAT(t.levels[0].grouping.starts, ElementsAre(0, 2, 4, 6, 8));
  EXPECT_THAT(t.levels[1].grouping.starts, ElementsAre(0, 4, 8));
  // A host's last socket and the next one's first meet over the network.
  const Topology next = Of({{0, 0}, {0, 0}, {1, 0}, {1, 0}}, 1);
  EXPECT_THAT(Names(next), ElementsAre("host", "network"));
}

TEST(HostTopology, NoLevelsBelowHostsThatAreNone) {
  // Two hosts in turns; neighbours share a cache of the one or the other.
  const Topology t = Of({{0, 0, 0}, {0, 0, 0}, {2, 0, 0}, {2, 0, 0}, {0, 8, 8}, {0, 8, 8}, {2, 8, 8}, {2, 8, 8}}, 1);
  EXPECT_THAT(Names(t), ElementsAre("network"));
  EXPECT_EQ(t.Host(), nullptr);
}

TEST(HostTopology, LevelsNest) {
  // Two sockets share a cache, as hwloc has them on some machines: what lies between is left out.
  const Topology t = Of({{0, 0, 0}, {0, 0, 0}, {0, 2, 0}, {0, 2, 0}, {0, 4, 4}, {0, 4, 4}, {0, 6, 4}, {0, 6, 4}}, 1);
  ASSERT_THAT(Names(t), ElementsAre("socket", "host"));
  EXPECT_THAT(t.levels[0].grouping.starts, ElementsAre(0, 2, 4, 6, 8));
}

TEST(HostTopology, LevelsThatSayNothingAreLeftOut) {
  EXPECT_THAT(Names(Of({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}, 1)), ElementsAre("host")) << "one socket, one cache";
  EXPECT_THAT(Names(Of({{0, 0, 0}, {0, 0, 0}, {0, 8, 8}}, 1)), ElementsAre("socket", "host")) << "a cache a socket";
  EXPECT_THAT(Names(Of({{0, 0, 0}, {0, 8, 8}}, 1)), ElementsAre("host")) << "a rank a socket";
  EXPECT_THAT(Names(Of({{0, 0}, {0, 8}, {0, 0}, {0, 8}}, 1)), ElementsAre("host")) << "in turns";
  EXPECT_THAT(Names(Of({{0, 0}, {0, 0}, {0, 8}, {0}}, 1)), ElementsAre("host")) << "one is not bound";
  EXPECT_THAT(Names(Of({{0, 0}, {0, 0}, {0, 8}, {0, 8}}, 0)), ElementsAre("host")) << "no memory is shared";
}

}  // namespace
}  // namespace ccl
