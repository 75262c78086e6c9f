// What is remembered of a machine, and what the planner makes of it.
#include "ccl/topology/measured.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "ccl/plan/planner.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ccl {
namespace {

using testing::HasSubstr;
using testing::Not;

Machine Example() {
  Machine machine;
  machine.key = ThisMachine("shm", 4);
  machine.latency = 250'000;
  machine.bandwidth = 7.5e9;
  machine.group_overhead = 1000;
  machine.group_bandwidth = 1e10;
  machine.reduce_bandwidth = 3e10;
  machine.copy_bandwidth = 4e10;
  return machine;
}

TEST(Machine, TextComesBack) {
  const Machine machine = Example();
  const auto read = ParseMachine(Format(machine));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->key, machine.key);
  EXPECT_EQ(read->latency, machine.latency);
  EXPECT_EQ(read->group_bandwidth, machine.group_bandwidth);
  EXPECT_EQ(Format(*read), Format(machine));
}

TEST(Machine, DamagedTextSaysWhatIsWrong) {
  const std::string good = Format(Example());
  const struct {
    std::string text;
    const char* says;
  } cases[] = {
      {"", "does not begin"},
      {"\x7f" "ELF", "does not begin"},
      {good.substr(0, good.size() - 5), "cut off"},
      {good + "more = 1\n", "behind the end"},
      {"ccl machine 1\nend\n", "lacks"},
      {"ccl machine 1\nlatency = -4\nend\n", "line 2: 'latency' is no time"},
      {"ccl machine 1\nbandwidth = nan\nend\n", "'bandwidth' is no rate"},
      {"ccl machine 1\ncolour = 1\nend\n", "'colour' is not known"},
      {"ccl machine 1\nranks = many\nend\n", "'ranks' is no number"},
  };
  for (const auto& c : cases) {
    const auto read = ParseMachine(c.text);
    ASSERT_FALSE(read.ok()) << c.text;
    EXPECT_THAT(std::string(read.status().message()), HasSubstr(c.says));
  }
}

TEST(Machine, FileIsOfOneLayout) {
  const std::string folder = testing::TempDir() + "/ccl_machine_test";
  std::filesystem::remove_all(folder);
  setenv("XDG_CACHE_HOME", folder.c_str(), 1);
  const Machine machine = Example();
  EXPECT_TRUE(absl::IsNotFound(ReadMachine(machine.key).status()));
  ASSERT_TRUE(WriteMachine(machine).ok());
  EXPECT_EQ(*ReadMachine(machine.key), Format(machine));
  MachineKey other = machine.key;
  other.ranks = 2;
  EXPECT_TRUE(absl::IsNotFound(ReadMachine(other).status()));
  // A file that somebody has copied to where another one belongs.
  std::filesystem::copy_file(MachinePath(machine.key), MachinePath(other));
  const absl::Status foreign = ReadMachine(other).status();
  EXPECT_EQ(foreign.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(foreign.message()), HasSubstr("is of 4 ranks"));
  std::ofstream(MachinePath(machine.key)) << "rubbish";
  EXPECT_EQ(ReadMachine(machine.key).status().code(), absl::StatusCode::kInvalidArgument);
  std::filesystem::remove_all(folder);
}

Topology Host(const char* name) {
  Topology topology = Topology::Flat(4, 1'000'000, 1e9);
  topology.levels[0].name = name;
  topology.levels[0].group_bandwidth = 1e9;
  topology.levels[0].group_by_members = true;
  topology.reduce_bandwidth = 1e9;
  return topology;
}

TEST(Planner, TakesWhatWasMeasured) {
  Machine machine = Example();
  Topology topology = Host("host");
  ASSERT_TRUE(TakeMeasured(machine, topology));
  EXPECT_EQ(topology.levels[0].latency, 250'000);
  EXPECT_EQ(topology.levels[0].bandwidth, 7.5e9);
  EXPECT_EQ(topology.levels[0].group_overhead, 1000);
  EXPECT_EQ(topology.levels[0].group_bandwidth, 1e10);
  EXPECT_EQ(topology.reduce_bandwidth, 3e10);
  EXPECT_TRUE(Validate(topology).ok());
  // The choice follows: group operations that are slow are not taken, those that are fast are.
  const auto chosen = [&] {
    Topology changed = Host("host");
    TakeMeasured(machine, changed);
    Planner planner(changed, {}, true);
    return (*planner.Choose(Collective::kAllGather, 1 << 20, 0, ""))->text;
  };
  EXPECT_THAT(chosen(), HasSubstr("group"));
  machine.group_bandwidth = 1e7;
  machine.group_overhead = 1'000'000'000;
  EXPECT_THAT(chosen(), Not(HasSubstr("group")));
}

TEST(Planner, TakesNothingOfAHostWhereNoHostIs) {
  Topology topology = Host("network");
  const std::string before = topology.ToString();
  EXPECT_FALSE(TakeMeasured(Example(), topology));
  EXPECT_EQ(topology.ToString(), before);
}

// Two levels: the host's figures are those within hosts.
TEST(Planner, TakesFiguresOfAHostAmongSeveral) {
  Topology topology = Host("host");
  topology.levels[0].grouping = Grouping::Uniform(4, 2);
  topology.levels.push_back(Host("network").levels[0]);
  ASSERT_TRUE(TakeMeasured(Example(), topology));
  EXPECT_EQ(topology.levels[0].latency, 250'000);
  EXPECT_EQ(topology.levels[1].latency, 1'000'000);
}

}  // namespace
}  // namespace ccl
