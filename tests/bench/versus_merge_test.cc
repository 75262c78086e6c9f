// Launches of versus become one table, and what is aimed at hangs on who is compared with.
#include "bench/versus.h"
#include "gmock/gmock.h"

namespace ccl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t KiB = 1024, MiB = 1024 * KiB;

VersusCell Cell(double ratio, double ping_pong_ns) {
  VersusCell cell;
  cell.bytes = 8;
  cell.ranks = 2;
  cell.buffers = "ordinary";
  cell.peer = "Open MPI v4.1.4";
  cell.peer_us = ratio;
  cell.ccl_us = 1;
  cell.ratio = ratio;
  cell.low = ratio - 0.1;
  cell.high = ratio + 0.1;
  cell.ping_pong_ns = ping_pong_ns;
  return cell;
}

TEST(Versus, LaunchesAreMergedCellByCell) {
  auto merged = MergeLaunches({{Cell(3, 50)}, {Cell(1, 130)}, {Cell(2.5, 60)}});
  ASSERT_TRUE(merged.ok()) << merged.status();
  ASSERT_EQ(merged->size(), 1u);
  const VersusCell& cell = merged->front();
  EXPECT_EQ(cell.ratio, 2.5);
  EXPECT_EQ(cell.peer_us, 2.5);
  EXPECT_EQ(cell.low, 1);
  EXPECT_EQ(cell.high, 3);
  EXPECT_EQ(cell.ping_pong_ns, 60);
  EXPECT_THAT(cell.ratios, ElementsAre(3, 1, 2.5));
  EXPECT_THAT(cell.ping_pongs, ElementsAre(50, 130, 60));
  // One of three is below 2: that is no miss; with another it is.
  EXPECT_THAT(VersusLine(cell, Against::kOpenMpi), Not(HasSubstr("MISSED")));
  EXPECT_THAT(VersusLine(cell, Against::kOpenMpi), HasSubstr("50 130 60 ns"));
  merged = MergeLaunches({{Cell(3, 50)}, {Cell(1, 130)}, {Cell(1.9, 60)}});
  ASSERT_TRUE(merged.ok());
  EXPECT_THAT(VersusLine(merged->front(), Against::kOpenMpi), HasSubstr("MISSED by 2 of 3"));
}

TEST(Versus, LaunchesOfDifferentCellsAreNotMerged) {
  VersusCell other = Cell(2, 50);
  other.bytes = 16;
  EXPECT_FALSE(MergeLaunches({{Cell(3, 50)}, {other}}).ok());
  EXPECT_FALSE(MergeLaunches({{Cell(3, 50)}, {}}).ok());
  EXPECT_FALSE(MergeLaunches({}).ok());
}

TEST(Versus, JsonSaysWhatWasMeasured) {
  VersusCell cell = Cell(2.25, 50);
  cell.wrong = 3;
  cell.touched = false;
  const std::string text = VersusJson({cell});
  for (const char* key : {"collective", "bytes", "ranks", "buffers", "touched", "peer", "peer_us", "ccl_us", "ratio",
                          "ratio_low", "ratio_high", "pingpong_ns"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\"") + key + "\":")) << text;
  }
  auto back = ParseVersusJson(text);
  ASSERT_TRUE(back.ok()) << back.status();
  ASSERT_EQ(back->size(), 1u);
  EXPECT_EQ(back->front().ratio, 2.25);
  EXPECT_EQ(back->front().wrong, 3);
  EXPECT_FALSE(back->front().touched);
  EXPECT_EQ(back->front().peer, cell.peer);
  for (const char* bad : {"", "{}", "[]", "{\"results\":[{}]}", "{\"results\":[{\"collective\":7}]}"}) {
    EXPECT_FALSE(ParseVersusJson(bad).ok()) << bad;
  }
}

TEST(Versus, ALaunchIsTheSameCommandUnderMpirun) {
  VersusOptions o;
  o.collectives = {"allreduce"};
  o.sizes = "8";
  o.np = 2;
  o.launches = 5;
  o.untouched = o.tuned = true;
  EXPECT_THAT(LaunchWords(o, "/bin/cclbench", false, "x.json"),
              ElementsAre("mpirun", "--allow-run-as-root", "--mca", "pml", "ucx", "--mca", "pml_ucx_tls", "any", "--mca",
                          "pml_ucx_devices", "any", "-np", "2", "/bin/cclbench", "versus", "allreduce", "--sizes", "8",
                          "--repetitions", "15", "--root", "0", "--buffers", "ordinary", "--peer", "mpi", "--json",
                          "x.json", "--untouched", "--tuned"));
  o.np = 8;
  EXPECT_THAT(LaunchWords(o, "/bin/cclbench", false, ""), ::testing::Contains("coll_tuned_allreduce_algorithm"));
  EXPECT_THAT(LaunchWords(o, "/bin/cclbench", true, ""), ::testing::Contains("mpirun.mpich"));
  EXPECT_THAT(LaunchWords(o, "/bin/cclbench", true, ""), Not(::testing::Contains("--mca")));
}

TEST(Versus, TargetsHangOnThePeerAndTheBuffers) {
  const auto target = [](uint64_t bytes, Against against, bool allocated = false, int ranks = 2) {
    return VersusTarget(Collective::kAllReduce, ranks, bytes, Regime::kOneCache, against, allocated);
  };
  EXPECT_EQ(target(MiB, Against::kOpenMpi), 2.5);
  EXPECT_EQ(target(16 * MiB, Against::kOpenMpi), 1.5);
  EXPECT_EQ(target(16 * MiB, Against::kOpenMpi, true), 2.3);
  EXPECT_EQ(target(64 * KiB, Against::kTuned), 1.5);
  EXPECT_EQ(target(KiB, Against::kMpich), 5);
  EXPECT_EQ(target(8 * KiB, Against::kMpich), 3);
  EXPECT_EQ(target(8 * KiB, Against::kMpich, false, 4), 0);
  EXPECT_EQ(target(8, Against::kGloo), 100);
  EXPECT_EQ(target(8 * KiB, Against::kGloo), 100);
  EXPECT_EQ(target(64 * KiB, Against::kGloo), 30);
  EXPECT_EQ(target(16 * MiB, Against::kGloo, false, 4), 3);
}

}  // namespace
}  // namespace ccl
