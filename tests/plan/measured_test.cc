// What is remembered of a machine, and what the planner makes of it.
#include "ccl/topology/measured.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "ccl/plan/planner.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace ccl {
namespace {

using testing::HasSubstr;
using testing::Not;

Topology Host(const char* name) {
  Topology topology = Topology::Flat(4, 1'000'000, 1e9);
  topology.levels[0].name = name;
  topology.levels[0].group_bandwidth = 1e9;
  topology.levels[0].group_by_members = true;
  topology.reduce_bandwidth = 1e9;
  return topology;
}

// Of two hosts with two ranks each.
Topology Hosts() {
  Topology topology = Host("host");
  topology.levels[0].grouping = Grouping::Uniform(4, 2);
  topology.levels.push_back(Host("network").levels[0]);
  topology.levels[1].group_bandwidth = 0;
  return topology;
}

Machine Example() {
  Machine machine;
  machine.key = KeyOf("mpi", Host("host"));
  machine.latency = 250'000;
  machine.bandwidth = 7.5e9;
  machine.group_overhead = 1000;
  machine.group_bandwidth = 1e10;
  machine.reduce_bandwidth = 3e10;
  machine.copy_bandwidth = 4e10;
  EXPECT_TRUE(machine.times.Add(Collective::kAllReduce, "ring*4", {1024, 2'000'000}).ok());
  EXPECT_TRUE(machine.times.Add(Collective::kAllReduce, "ring*4", {4096, 3'000'000}).ok());
  EXPECT_TRUE(machine.times.Add(Collective::kAllReduce, "ring*4", {8192, 7'000'000}).ok());
  EXPECT_TRUE(machine.times.Add(Collective::kBarrier, "dissemination", {0, 1'000'000}).ok());
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
      {"ccl machine 1\nend\n", "does not begin"},
      {"ccl machine 2\nend\n", "lacks"},
      {"ccl machine 2\nlatency = -4\nend\n", "line 2: 'latency' is no time"},
      {"ccl machine 2\nbandwidth = nan\nend\n", "'bandwidth' is no rate"},
      {"ccl machine 2\ncolour = 1\nend\n", "'colour' is not known"},
      {"ccl machine 2\ncores = many\nend\n", "'cores' is no number"},
      {"ccl machine 2\nallreduce ring = 8:1 64\nend\n", "'allreduce ring' has '64', which is no BYTES:TIME"},
      {"ccl machine 2\nallreduce ring = 8:0\nend\n", "has '8:0'"},
      {"ccl machine 2\nallreduce ring = 8:-1\nend\n", "has '8:-1'"},
      {"ccl machine 2\nallreduce ring = 64:1 8:1\nend\n", "8 bytes comes after 64"},
      {"ccl machine 2\nallreduce ring = 8:1\nallreduce ring = 8:1\nend\n", "line 3: 'allreduce ring' is there twice"},
      {"ccl machine 2\nallreduce ring =\nend\n", "'allreduce ring' has no times"},
      {"ccl machine 2\nallreduce  = 8:1\nend\n", "'allreduce' is not known"},
      {"ccl machine 2\nallplus ring = 8:1\nend\n", "allplus"},
  };
  for (const auto& c : cases) {
    const auto read = ParseMachine(c.text);
    ASSERT_FALSE(read.ok()) << c.text;
    EXPECT_THAT(std::string(read.status().message()), HasSubstr(c.says));
  }
}

TEST(Machine, FileIsOfOneLayout) {
  const TemporaryFolder folder;
  setenv("XDG_CACHE_HOME", folder.path().c_str(), 1);
  const Machine machine = Example();
  EXPECT_TRUE(absl::IsNotFound(ReadMachine(machine.key).status()));
  ASSERT_TRUE(WriteMachine(machine).ok());
  EXPECT_EQ(*ReadMachine(machine.key), Format(machine));
  MachineKey other = machine.key;
  other.layout = "2";
  EXPECT_TRUE(absl::IsNotFound(ReadMachine(other).status()));
  // A file that somebody has copied to where another one belongs.
  std::filesystem::copy_file(MachinePath(machine.key), MachinePath(other));
  const absl::Status foreign = ReadMachine(other).status();
  EXPECT_EQ(foreign.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(foreign.message()), HasSubstr("is of layout 4 at"));
  std::ofstream(MachinePath(machine.key)) << "rubbish";
  EXPECT_EQ(ReadMachine(machine.key).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Machine, KeySaysHowRanksAreSpread) {
  EXPECT_EQ(LayoutOf(Host("host")), "4");
  EXPECT_EQ(LayoutOf(Host("network")), "1x4");
  EXPECT_EQ(LayoutOf(Hosts()), "2x2");
  Topology uneven = Hosts();
  uneven.levels[0].grouping.starts = {0, 3, 4};
  EXPECT_EQ(LayoutOf(uneven), "3+1");
  EXPECT_EQ(KeyOf("mpi", Host("host")).transport, "shm");
  EXPECT_EQ(KeyOf("tcp", Host("host")), KeyOf("mpi", Host("host")));
  EXPECT_EQ(KeyOf("tcp", Host("network")).transport, "tcp");
  EXPECT_EQ(KeyOf("tcp", Hosts()).transport, "tcp+shm");
  Topology apart = Hosts();
  apart.levels[0].group_by_members = false;
  EXPECT_EQ(KeyOf("mpi", apart).transport, "mpi");
  // The ranks of a host among several are as those of a job of its own.
  ASSERT_TRUE(HostKeyOf("tcp", Hosts()).has_value());
  EXPECT_EQ(HostKeyOf("tcp", Hosts())->layout, "2");
  EXPECT_EQ(HostKeyOf("tcp", Hosts())->transport, "shm");
  EXPECT_FALSE(HostKeyOf("tcp", Host("host")).has_value());
  EXPECT_FALSE(HostKeyOf("tcp", Host("network")).has_value());
}

// Of one host with two sockets, or of two such hosts.
Topology Sockets(int hosts) {
  Topology topology = Host("socket");
  topology.ranks = 4 * hosts;
  topology.levels[0].grouping = Grouping::Uniform(topology.ranks, 2);
  topology.levels[0].latency = 500'000;
  topology.levels[0].bandwidth = 2e9;
  topology.levels[0].group_bandwidth = 3e9;
  topology.levels.push_back(Host("host").levels[0]);
  topology.levels[1].grouping = Grouping::Uniform(topology.ranks, 4);
  if (hosts == 1) return topology;
  topology.levels.push_back(Host("network").levels[0]);
  topology.levels[2].grouping = Grouping::Uniform(topology.ranks, topology.ranks);
  topology.levels[2].group_bandwidth = 0;
  return topology;
}

TEST(Machine, LayoutNamesLevelsWithinHosts) {
  EXPECT_EQ(LayoutOf(Sockets(1)), "4-socket2x2");
  EXPECT_EQ(LayoutOf(Sockets(2)), "4x2-socket2x4");
  EXPECT_EQ(LayoutOf(FirstHost(Sockets(2))), "4-socket2x2");
  EXPECT_EQ(HostKeyOf("tcp", Sockets(2)), KeyOf("tcp", Sockets(1)));
  Topology uneven = Sockets(1);
  uneven.levels[0].grouping.starts = {0, 3, 4};
  EXPECT_EQ(LayoutOf(uneven), "4-socket3+1");
  // All ranks of the first host on one of its sockets: as a host with one socket.
  uneven = Sockets(2);
  uneven.levels[0].grouping.starts = {0, 4, 6, 8};
  EXPECT_EQ(LayoutOf(uneven), "4x2-socket4+2x2");
  EXPECT_EQ(LayoutOf(FirstHost(uneven)), "4");
}

TEST(Machine, LevelsWithinAHostStayAsManyTimesAsFast) {
  Machine machine = Example();
  machine.key.layout = "4-socket2x2";
  for (int hosts : {1, 2}) {
    Topology topology = Sockets(hosts);
    ASSERT_TRUE(TakeMeasured(machine, topology));
    EXPECT_EQ(topology.measured != nullptr, hosts == 1);
    EXPECT_EQ(topology.levels[1].latency, 250'000);
    EXPECT_EQ(topology.levels[0].latency, 125'000);
    EXPECT_DOUBLE_EQ(topology.levels[1].bandwidth, 7.5e9);
    EXPECT_DOUBLE_EQ(topology.levels[0].bandwidth, 15e9);
    EXPECT_DOUBLE_EQ(topology.levels[0].group_bandwidth, 3e10);
    EXPECT_EQ(topology.levels[0].group_overhead, 1000);
    if (hosts == 2) {
      EXPECT_EQ(topology.levels[2].latency, 1'000'000) << "of the network nothing was measured";
    }
  }
  // That of a host whose ranks are not bound is of another layout.
  machine.key.layout = "4";
  Topology topology = Sockets(1);
  EXPECT_FALSE(TakeMeasured(machine, topology));
}

TEST(MeasuredTimes, AreStraightBetween) {
  const MeasuredTimes times = Example().times;
  const MeasuredTimes::Curve* const curve = times.Find(Collective::kAllReduce, "ring*4");
  ASSERT_NE(curve, nullptr);
  EXPECT_DOUBLE_EQ(TimeAt(*curve, 0), 2e6);
  EXPECT_DOUBLE_EQ(TimeAt(*curve, 1024), 2e6);
  EXPECT_DOUBLE_EQ(TimeAt(*curve, 2560), 2.5e6);
  EXPECT_DOUBLE_EQ(TimeAt(*curve, 4096), 3e6);
  EXPECT_DOUBLE_EQ(TimeAt(*curve, 8192), 7e6);
  EXPECT_DOUBLE_EQ(TimeAt(*curve, 12288), 7e6);
  EXPECT_DOUBLE_EQ(TimeAt(*times.Find(Collective::kBarrier, "dissemination"), 0), 1e6);
  EXPECT_EQ(times.Find(Collective::kAllReduce, "ring"), nullptr);
  EXPECT_EQ(times.Find(Collective::kReduce, "ring*4"), nullptr);
}

// Above the largest size that was measured times grow as by formula, whatever the last two points look like.
TEST(Planner, GrowsByFormulaAboveWhatWasMeasured) {
  Topology topology = Host("host");
  Machine machine = Example();
  ASSERT_TRUE(machine.times.Add(Collective::kAllReduce, "ring", {1 << 10, 9'000'000}).ok());
  ASSERT_TRUE(machine.times.Add(Collective::kAllReduce, "ring", {1 << 20, 8'000'000}).ok());
  ASSERT_TRUE(TakeMeasured(machine, topology));
  const Planner planner(topology, {}, true);
  const AlgorithmSpec ring = *ParseAlgorithm("ring");
  const auto at = [&](uint64_t bytes) { return planner.Predict(ring, Collective::kAllReduce, bytes, 0); };
  EXPECT_DOUBLE_EQ(at(1 << 20), 8e6);
  topology.measured = nullptr;
  const Planner formulas(topology, {}, true);
  const auto by_formula = [&](uint64_t bytes) { return formulas.Predict(ring, Collective::kAllReduce, bytes, 0); };
  EXPECT_DOUBLE_EQ(at(1 << 26), 8e6 * by_formula(1 << 26) / by_formula(1 << 20));
  EXPECT_GT(at(1 << 26), 50 * at(1 << 20));
}

// A hand-made file may have an algorithm that no formula is of: no time is not a number.
TEST(Planner, GrowsAsTheBytesDoWithoutAFormula) {
  Topology topology = Host("host");
  const AlgorithmSpec chain = *ParseAlgorithm("chain");
  MeasuredTimes times;
  ASSERT_TRUE(times.Add(Collective::kAllToAll, "unheard_of", {1 << 10, 5'000}).ok());
  topology.measured = std::make_shared<const MeasuredTimes>(times);
  AlgorithmSpec unheard_of = chain;
  unheard_of.name = "unheard_of";
  const Planner planner(topology, {}, true);
  EXPECT_DOUBLE_EQ(planner.Predict(unheard_of, Collective::kAllToAll, 1 << 10, 0), 5'000);
  EXPECT_DOUBLE_EQ(planner.Predict(unheard_of, Collective::kAllToAll, 1 << 12, 0), 20'000);
}

// Formulas that promise too much make nothing that was not measured the choice.
TEST(Planner, CorrectsFormulasByWhatWasMeasured) {
  Topology topology = Host("host");
  Planner formulas(topology, {}, true);
  const auto plan = *formulas.Choose(Collective::kAllReduce, 1 << 20, 0, "");
  ASSERT_GT(plan->candidates.size(), 4u);
  Machine machine = Example();
  // All but the third take ten times as long as the formulas say.
  for (size_t i = 0; i < plan->candidates.size(); ++i) {
    const Plan::Candidate& c = plan->candidates[i];
    if (i == 2 || !std::isfinite(c.time)) continue;
    const MeasuredTimes::Point point{1 << 20, static_cast<Time>(10 * c.time)};
    ASSERT_TRUE(machine.times.Add(Collective::kAllReduce, Format(c.spec), point).ok());
  }
  topology.measured = std::make_shared<const MeasuredTimes>(machine.times);
  Planner planner(topology, {}, true);
  const auto measured = *planner.Choose(Collective::kAllReduce, 1 << 20, 0, "");
  EXPECT_EQ(measured->text, plan->text);
  EXPECT_NEAR(measured->predicted, 10 * plan->predicted, 1);
}

// Every algorithm that may be chosen for an allreduce of 4 KiB takes a millisecond, but for one.
Topology AllAlikeBut(const std::string& other, Time time) {
  Topology topology = Host("host");
  Planner formulas(topology, {}, true);
  MeasuredTimes times;
  for (const Plan::Candidate& c : (*formulas.Choose(Collective::kAllReduce, 4096, 0, ""))->candidates) {
    const std::string text = Format(c.spec);
    EXPECT_TRUE(times.Add(Collective::kAllReduce, text, {4096, text == other ? time : 1'000'000'000}).ok());
  }
  topology.measured = std::make_shared<const MeasuredTimes>(times);
  return topology;
}

// What was measured is what is predicted and chosen, whatever formulas say.
TEST(Planner, GoesByMeasuredTimes) {
  Planner formulas(Host("host"), {}, true);
  ASSERT_NE((*formulas.Choose(Collective::kAllReduce, 4096, 0, ""))->text, "nhr");
  Planner planner(AllAlikeBut("nhr", 1'000'000), {}, true);
  const auto plan = *planner.Choose(Collective::kAllReduce, 4096, 0, "");
  EXPECT_EQ(plan->text, "nhr");
  EXPECT_DOUBLE_EQ(plan->predicted, 1e6);
  EXPECT_DOUBLE_EQ((*planner.Choose(Collective::kAllReduce, 4096, 0, "ring"))->predicted, 1e9);
  const std::string text = AllAlikeBut("nhr", 1).ToString();
  EXPECT_THAT(text, HasSubstr("\nallreduce nhr = 4096:1\n"));
}

// What took about as long as another is taken where the formulas prefer it.
TEST(Planner, TiesOfMeasuredTimesGoByFormula) {
  Planner formulas(Host("host"), {}, true);
  const std::string preferred = (*formulas.Choose(Collective::kAllReduce, 4096, 0, ""))->text;
  const auto text = [&](Time knomial) {
    Planner planner(AllAlikeBut("knomial", knomial), {}, true);
    return (*planner.Choose(Collective::kAllReduce, 4096, 0, ""))->text;
  };
  ASSERT_NE(preferred, "knomial");
  EXPECT_EQ(text(1'000'000'000), preferred);
  EXPECT_EQ(text(920'000'000), preferred);
  EXPECT_EQ(text(900'000'000), "knomial");
}

TEST(Planner, TimesAreOfAllRanksAlone) {
  Topology topology = Host("host");
  ASSERT_TRUE(TakeMeasured(Example(), topology));
  EXPECT_NE(Subset(topology, {0, 1, 2, 3}).measured, nullptr);
  EXPECT_EQ(Subset(topology, {0, 1, 3, 2}).measured, nullptr);
  EXPECT_EQ(Subset(topology, {0, 1, 2}).measured, nullptr);
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

// Of as many ranks of one host: figures within hosts.
TEST(Planner, TakesFiguresOfAHostAmongSeveral) {
  Topology topology = Hosts();
  EXPECT_FALSE(TakeMeasured(Example(), topology));
  Machine machine = Example();
  machine.key.layout = "2";
  ASSERT_TRUE(TakeMeasured(machine, topology));
  EXPECT_EQ(topology.levels[0].latency, 250'000);
  EXPECT_EQ(topology.levels[1].latency, 1'000'000);
  EXPECT_EQ(topology.measured, nullptr);
  machine.key.layout = "2x2";
  machine.latency = 9'000'000;
  ASSERT_TRUE(TakeMeasured(machine, topology));
  EXPECT_EQ(topology.levels[0].latency, 250'000);
  EXPECT_EQ(topology.levels[1].latency, 9'000'000);
  EXPECT_NE(topology.measured, nullptr);
}

}  // namespace
}  // namespace ccl
