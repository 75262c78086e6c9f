// Ranks that stand for others: the same picoseconds as all ranks together, and only where that holds.
#include <cinttypes>
#include <cstdio>

#include "tests/exec/world.h"

namespace ccl {
namespace {

std::shared_ptr<const Program> Build(const std::string& algorithm, Collective collective, int n) {
  auto program = BuildProgram(*ParseAlgorithm(algorithm), Shape{collective, n}, true);
  EXPECT_TRUE(program.ok()) << program.status();
  return *program;
}

Request Phantom(Collective collective, uint64_t count) {
  Request request;
  request.collective = collective;
  request.count = count;
  request.phantom = true;
  return request;
}

std::string Url(const std::string& fabric, int n, const std::string& more) {
  return absl::StrCat("emulated:", fabric, "?ranks=", n, more);
}

struct Case {
  const char* algorithm;
  Collective collective;
};
constexpr Case kCases[] = {
    {"ring", Collective::kAllReduce},      {"ring*3", Collective::kAllReduce},
    {"biring", Collective::kAllReduce},    {"ring", Collective::kAllGather},
    {"ring", Collective::kReduceScatter},  {"direct", Collective::kAllGather},
    {"direct", Collective::kAllToAll},     {"pairwise", Collective::kAllToAll},
    {"bruck", Collective::kAllToAll},      {"dissemination", Collective::kBarrier},
};

// One operation after the other in both worlds, so that each begins where the last one left off.
void Compare(const std::string& fabric, int n, int period, const std::string& sets = "") {
  World folded(Url(fabric, n, sets)), whole(Url(fabric, n, absl::StrCat(sets, "&fold=no")));
  for (const Case& c : kCases) {
    if (n % period != 0) continue;
    for (uint64_t count : {uint64_t{1}, uint64_t{97}, uint64_t{30000}}) {
      if (c.collective == Collective::kBarrier) count = 0;
      const uint64_t elements = CountIsPerRank(c.collective) ? count : count * 3 * n;
      const auto program = Build(c.algorithm, c.collective, n);
      const std::vector<Request> requests(n, Phantom(c.collective, elements));
      const Time expected = whole.Run(program, requests);
      EXPECT_EQ(whole.engine->actors().ranks, n);
      EXPECT_EQ(folded.Run(program, requests), expected)
          << fabric << ", " << n << " ranks, " << c.algorithm << ", count " << elements;
      EXPECT_EQ(folded.engine->actors().ranks, period) << Describe(folded.engine->actors().whole);
    }
  }
  std::printf("  %-18s %4d ranks, %2d ran: %14" PRId64 " ps, all of them: %14" PRId64 " ps\n",
              fabric.c_str(), n, period, folded.engine->Now(), whole.engine->Now());
}

TEST(Fold, EqualsTheWholeRunToThePicosecond) {
  for (int n : {2, 3, 7, 16, 48, 100}) Compare("crossbar", n, 1);
  for (int n : {5, 16}) Compare("fully-connected", n, 1);
  for (int n : {16, 24, 72, 128}) Compare("fat-tree", n, 8);
  for (int n : {16, 40, 96}) Compare("cloudmatrix384", n, 8);
  Compare("gb200-nvl72", 72, 1);
  Compare("fat-tree-3", 192, 64);
}

// Overheads, gaps and engines are of endpoints: they too are those of whoever stands for them.
TEST(Fold, WithCostsOfEndpoints) {
  const std::string costs =
      "&set=send_overhead=130 ns&set=recv_overhead=70 ns&set=message_gap=40 ns"
      "&set=reduce_bandwidth=700 GB/s&set=copy_bandwidth=900 GB/s";
  Compare("crossbar", 24, 1, costs);
  Compare("fat-tree", 32, 8, costs);
}

// An operation that cannot fold, between two that can: clocks, counters and ports are everybody's.
TEST(Fold, MixesWithOperationsThatDoNot) {
  const int n = 32;
  World folded(Url("fat-tree", n, "&set=copy_bandwidth=3 GB/s")),
      whole(Url("fat-tree", n, "&set=copy_bandwidth=3 GB/s&fold=no"));
  for (const Case& c : {Case{"pairwise", Collective::kAllToAll}, Case{"rabenseifner", Collective::kAllReduce},
                        Case{"direct", Collective::kAllToAll},
                        Case{"knomial", Collective::kBroadcast}, Case{"ring", Collective::kAllReduce},
                        Case{"two_shot", Collective::kAllReduce}}) {
    const auto program = Build(c.algorithm, c.collective, n);
    const std::vector<Request> requests(n, Phantom(c.collective, n * 1000));
    EXPECT_EQ(folded.Run(program, requests), whole.Run(program, requests)) << c.algorithm;
  }
}

Actors Ran(World& world, const std::string& algorithm, Request request) {
  const int n = world.engine->ranks();
  world.Run(Build(algorithm, request.collective, n), std::vector<Request>(n, request));
  return world.engine->actors();
}

TEST(Fold, NotWithoutSymmetry) {
  const auto why = [](const std::string& url, const std::string& algorithm, const Request& request) {
    World world(url);
    const Actors actors = Ran(world, algorithm, request);
    EXPECT_EQ(actors.ranks, world.engine->ranks());
    return actors.whole;
  };
  const Request even = Phantom(Collective::kAllReduce, 48 * 10);
  EXPECT_EQ(why(Url("crossbar", 48, ""), "ring", Phantom(Collective::kAllReduce, 48 * 10 + 1)),
            Whole::kChunks);
  EXPECT_EQ(why(Url("crossbar", 48, ""), "double_binary_tree", even), Whole::kProgram);
  EXPECT_EQ(why(Url("crossbar", 48, "&fold=no"), "ring", even), Whole::kMachine);
  EXPECT_EQ(why(Url("crossbar", 48, "&engine=fluid"), "ring", even), Whole::kMachine);
  EXPECT_EQ(why(Url("fat-tree", 48, "&set=leaf.routing=hash"), "ring", even), Whole::kMachine);
  EXPECT_EQ(why(Url("fat-tree", 44, ""), "ring", Phantom(Collective::kAllReduce, 44)),
            Whole::kMachine);
  EXPECT_EQ(why(Url("ring", 8, ""), "ring", even), Whole::kMachine);
  Request real = Phantom(Collective::kAllReduce, 4);
  float in[4] = {}, out[4];
  real.phantom = false;
  real.in = in;
  real.out = out;
  EXPECT_EQ(why(Url("crossbar", 4, ""), "ring", real), Whole::kBytes);
}

TEST(Fold, NotWhenFlowsAreRecorded) {
  World world(Crossbar(4));
  world.engine->RecordFlows();
  EXPECT_EQ(Ran(world, "ring", Phantom(Collective::kAllReduce, 8)).whole, Whole::kMachine);
  EXPECT_EQ(world.engine->flows().size(), 4u * 6u);
}

// Two operations behind each other on every stream: a rank begins the second when it has ended the
// first, which others have not.
TEST(Fold, NotWhenMoreIsQueued) {
  const int n = 24;
  Time ends[2];
  for (int fold : {0, 1}) {
    World world(Url("fat-tree", n, fold == 0 ? "&fold=no" : ""));
    const auto program = Build("pairwise", Collective::kAllToAll, n);
    for (int round = 0; round < 2; ++round) {
      std::vector<std::unique_ptr<Work>> work;
      for (int r = 0; r < n; ++r) {
        work.push_back(std::make_unique<Execution>(program, r, 1 + round,
                                                   Phantom(Collective::kAllToAll, 5000)));
      }
      world.engine->Enqueue(world.pointers, std::move(work));
    }
    EXPECT_TRUE(world.engine->Wait(world.pointers).ok());
    EXPECT_EQ(world.engine->actors().whole, fold == 0 ? Whole::kMachine : Whole::kArrivals);
    ends[fold] = world.engine->Now();
  }
  EXPECT_EQ(ends[0], ends[1]);
}

// Somebody waits for one rank alone, and may act when it is done.
TEST(Fold, NotWhenOneRankIsWaitedFor) {
  World world(Crossbar(4));
  const auto program = Build("ring", Collective::kAllReduce, 4);
  std::vector<std::unique_ptr<Work>> work;
  for (int r = 0; r < 4; ++r) {
    work.push_back(std::make_unique<Execution>(program, r, 1, Phantom(Collective::kAllReduce, 8)));
  }
  world.engine->Enqueue(world.pointers, std::move(work));
  EXPECT_TRUE(world.engine->Wait({&world.pointers[2], 1}).ok());
  EXPECT_EQ(world.engine->actors().whole, Whole::kArrivals);
  EXPECT_TRUE(world.engine->Wait(world.pointers).ok());
}

}  // namespace
}  // namespace ccl
