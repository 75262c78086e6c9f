#include "transports/processors.h"

#include <sched.h>

#include <thread>

#include "gtest/gtest.h"

namespace ccl {
namespace {

TEST(Processors, AreThoseOnWhichTheThreadMayRun) {
  std::thread([] {
    const ProcessorSet all = ProcessorSet::OfThread();
    ASSERT_GE(all.count(), 1);
    cpu_set_t allowed;
    ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    EXPECT_EQ(all.count(), CPU_COUNT(&allowed));
    int last = 0;
    for (int i = 0; i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(i, &allowed)) last = i;
    }
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    const ProcessorSet bound = ProcessorSet::OfThread();
    EXPECT_EQ(bound.count(), 1);
    EXPECT_EQ(bound.words[static_cast<size_t>(last) / 64], uint64_t{1} << (last % 64));
  }).join();
}

TEST(Processors, OfSeveralAreCountedOnce) {
  ProcessorSet a, b;
  a.words[0] = 0b1011;
  b.words[0] = 0b0110;
  b.words[15] = uint64_t{1} << 63;
  a.Add(b);
  EXPECT_EQ(a.count(), 5);
}

}  // namespace
}  // namespace ccl
