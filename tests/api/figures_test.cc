// What rank 0 has on file of a job's machine is everybody's.
#include "ccl/figures.h"

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "ccl/topology/measured.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace ccl {
namespace {

// Four ranks on two hosts that share memory within; this process is one of them. Rank 0 says what it shares.
class TwoHosts final : public Backend {
 public:
  TwoHosts(int rank, std::vector<std::string>& said) : rank_(rank), said_(said), topology_(Topology::Flat(4, 1, 1)) {
    topology_.levels[0].name = "network";
    Level host = topology_.levels[0];
    host.name = "host";
    host.grouping = Grouping::Uniform(4, 2);
    host.group_by_members = true;
    topology_.levels.insert(topology_.levels.begin(), host);
  }
  absl::string_view name() const override { return "tcp"; }
  int ranks() const override { return 4; }
  absl::Span<const int> local_ranks() const override { return {&rank_, 1}; }
  const Topology& topology() const override { return topology_; }
  Abilities abilities() const override { return {}; }
  Time Now() const override { return 0; }
  void Post(int, absl::Span<const Operation>) override {}
  absl::Status Poll(Waiting, std::vector<Completion>&) override { return absl::OkStatus(); }
  absl::Status Agree(const absl::Status& own) override { return own; }
  absl::Status ShareFromRankZero(std::string& bytes) override {
    if (rank_ == 0) {
      said_.push_back(bytes);
    } else {
      bytes = said_.at(shared_++);
    }
    return absl::OkStatus();
  }

 private:
  const int rank_;
  std::vector<std::string>& said_;
  Topology topology_;
  size_t shared_ = 0;
};

class Figures : public testing::Test {
 protected:
  void SetUp() override {
    setenv("XDG_CACHE_HOME", folder_.path().c_str(), 1);
    all_.key = KeyOf("tcp", backend_.topology());
    within_.key = *HostKeyOf("tcp", backend_.topology());
    for (Machine* const machine : {&all_, &within_}) {
      machine->latency = machine == &all_ ? 9'000 : 2'000;
      machine->bandwidth = machine->reduce_bandwidth = machine->copy_bandwidth = 1e9;
    }
    ASSERT_TRUE(all_.times.Add(Collective::kAllReduce, "ring", {8, 77}).ok());
  }
  void TearDown() override {
    unsetenv("XDG_CACHE_HOME");
  }
  // Of rank 0, which reads, and of another, which has no files.
  std::vector<Topology> OfBoth() {
    std::vector<Topology> both;
    std::vector<std::string> said;
    for (const int rank : {0, 3}) {
      if (rank != 0) setenv("XDG_CACHE_HOME", (folder_ / "of_nobody").c_str(), 1);
      TwoHosts backend(rank, said);
      both.push_back(*MeasuredTopology(backend));
    }
    EXPECT_EQ(both[0].ToString(), both[1].ToString());
    return both;
  }

  const TemporaryFolder folder_;
  std::vector<std::string> none_;
  TwoHosts backend_{0, none_};
  Machine all_, within_;
};

TEST_F(Figures, AreTypicalWithoutFiles) {
  EXPECT_EQ(OfBoth()[0].ToString(), backend_.topology().ToString());
}

TEST_F(Figures, WithinHostsAndOfAllRanksHaveAFileEach) {
  ASSERT_TRUE(WriteMachine(all_).ok());
  ASSERT_TRUE(WriteMachine(within_).ok());
  for (const Topology& topology : OfBoth()) {
    EXPECT_EQ(topology.levels[0].latency, 2'000);
    EXPECT_EQ(topology.levels[1].latency, 9'000);
    ASSERT_NE(topology.measured, nullptr);
    EXPECT_NE(topology.measured->Find(Collective::kAllReduce, "ring"), nullptr);
  }
}

// The other one still counts.
TEST_F(Figures, OfADamagedFileAreLeft) {
  ASSERT_TRUE(WriteMachine(all_).ok());
  ASSERT_TRUE(WriteMachine(within_).ok());
  std::ofstream(MachinePath(within_.key)) << "rubbish";
  for (const Topology& topology : OfBoth()) {
    EXPECT_EQ(topology.levels[0].latency, 1);
    EXPECT_EQ(topology.levels[1].latency, 9'000);
  }
}

}  // namespace
}  // namespace ccl
