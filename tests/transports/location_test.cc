#include "transports/location.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace {

std::atomic<int> moves{0};

}  // namespace

// The libraries' calls come here too.
extern "C" int sched_setaffinity(pid_t thread, size_t bytes, const cpu_set_t* set) noexcept {
  ++moves;
  return static_cast<int>(syscall(SYS_sched_setaffinity, thread, bytes, set)) < 0 ? -1 : 0;
}

namespace ccl {
namespace {

// That of a thread bound to the first and the last processor that it may have, or to the first alone.
Location Bound(bool both) {
  Location location;
  std::thread([&] {
    cpu_set_t allowed, some;
    ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    CPU_ZERO(&some);
    for (int i = 0, seen = 0; i < CPU_SETSIZE; ++i) {
      if (!CPU_ISSET(i, &allowed)) continue;
      if (++seen == 1 || (both && seen == CPU_COUNT(&allowed))) CPU_SET(i, &some);
    }
    ASSERT_EQ(sched_setaffinity(0, sizeof some, &some), 0);
    location = Location::OfThread();
  }).join();
  return location;
}

class Synthetic : public testing::Test {
 protected:
  // A machine as hwloc's own words describe it.
  void Is(const char* machine) { setenv("HWLOC_SYNTHETIC", machine, 1); }
  void TearDown() override { unsetenv("HWLOC_SYNTHETIC"); }
};

TEST_F(Synthetic, OneSocketAndCacheHoldAllProcessors) {
  Is("package:1 l3:1 pu:1024");
  const Location location = Bound(true);
  EXPECT_EQ(location.socket, 0);
  EXPECT_EQ(location.cache, 0);
  EXPECT_GE(location.processors.count(), 1);
}

TEST_F(Synthetic, OnlyWhatHoldsAllProcessorsOfTheRank) {
  Is("package:1 l3:1024 pu:1");
  const Location one = Bound(false), two = Bound(true);
  EXPECT_EQ(one.socket, 0);
  EXPECT_GE(one.cache, 0);
  EXPECT_EQ(two.socket, 0);
  if (two.processors.count() == 2) {
    EXPECT_EQ(two.cache, Location::kNone);
  }
  Is("package:512 pu:2");
  const Location without = Bound(false);
  EXPECT_GE(without.socket, 0);
  EXPECT_EQ(without.socket % 2, 0) << "known by its first processor";
  EXPECT_EQ(without.cache, Location::kNone) << "there is none";
}

TEST(Location, OfThisHostIsWithinIt) {
  const Location location = Bound(false), again = Bound(false), wide = Bound(true);
  ASSERT_EQ(location.processors.count(), 1);
  int bound = 0;
  while (!(location.processors.words[static_cast<size_t>(bound) / 64] >> (bound % 64) & 1)) ++bound;
  EXPECT_LE(location.socket, bound);
  EXPECT_LE(location.cache, bound);
  EXPECT_EQ(again.socket, location.socket);
  EXPECT_EQ(again.cache, location.cache);
  EXPECT_TRUE(wide.socket == location.socket || wide.socket == Location::kNone);
}

TEST(Location, IsFoundWithoutMovingTheThread) {
  const int before = moves;
  Location::OfThread();
  EXPECT_EQ(moves, before);
  Bound(false);
  EXPECT_EQ(moves, before + 1) << "the test counts";
}

Location On(int32_t host, std::vector<int> processors) {
  Location location;
  location.host = host;
  for (int p : processors) location.processors.words[static_cast<size_t>(p) / 64] |= uint64_t{1} << (p % 64);
  return location;
}

TEST(Crowding, IsOfTheHostWhereItIsWorst) {
  // Three ranks on two processors, one on four, two that are bound to one.
  const std::vector<Location> locations = {On(0, {0, 1}), On(0, {0, 1}), On(0, {0, 1}), On(3, {0, 1, 2, 3}),
                                           On(4, {70}),   On(4, {70})};
  EXPECT_DOUBLE_EQ(CrowdingOf(0, locations), 1.5);
  EXPECT_DOUBLE_EQ(CrowdingOf(3, locations), 1);
  EXPECT_DOUBLE_EQ(CrowdingOf(4, locations), 2);
  EXPECT_DOUBLE_EQ(CrowdingOf(locations), 2);
  EXPECT_DOUBLE_EQ(CrowdingOf({On(0, {})}), 1) << "nobody knows";
}

}  // namespace
}  // namespace ccl
