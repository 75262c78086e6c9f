// How long ranks that share memory keep a processor while they wait.
#include <sched.h>

#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "transports/shm/endpoint.h"
#include "transports/shm/segment.h"

namespace ccl::shm {
namespace {

// Of two ranks, whose endpoints this thread has.
class Pair {
 public:
  Pair() : segment_(*Segment::Create(Layout::Bytes(2))) {
    std::thread other([&] { second = Make(1); });
    first = Make(0);
    other.join();
  }
  std::unique_ptr<Endpoint> first, second;

 private:
  std::unique_ptr<Endpoint> Make(int rank) {
    return std::make_unique<Endpoint>(segment_, std::vector<int>{0, 1}, rank, 2, false, nullptr);
  }
  std::shared_ptr<Segment> segment_;
};

// Nobody has said that more ranks run than processors; but two have been put on one.
TEST(Waiting, SoonGivesUpAProcessorThatAnotherRankWaitsOn) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<size_t>(sched_getcpu()), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  Pair pair;
  const int alone = pair.first->looks();
  EXPECT_GT(alone, 1000);
  EXPECT_LT(pair.second->looks(), 100);
  EXPECT_LT(pair.first->looks(), 100);
}

}  // namespace
}  // namespace ccl::shm
