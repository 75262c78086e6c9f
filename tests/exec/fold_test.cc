// Ranks that stand for others: the same picoseconds as all ranks together, and only where that holds.
#include <cinttypes>
#include <cstdio>

#include "tests/exec/world.h"
#include "tests/schedule/stored_program.h"

namespace ccl {
namespace {

// `sizes`: of the groups of a hierarchy's levels, in ranks.
std::shared_ptr<const Program> Build(const std::string& algorithm, Collective collective, int n,
                                     const std::vector<int>& sizes = {}) {
  Shape shape{collective, n};
  for (int size : sizes) shape.groupings.push_back(Grouping::Uniform(n, size));
  auto program = BuildProgram(*ParseAlgorithm(algorithm), shape, true);
  EXPECT_TRUE(program.ok()) << algorithm << ": " << program.status();
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
    {"one_shot", Collective::kAllReduce},  {"two_shot", Collective::kAllReduce},
    {"direct", Collective::kReduceScatter},
};

constexpr Case kTwoLevels[] = {
    {"hier(ring+ring)", Collective::kAllReduce},
    {"hier(two_shot+nhr)", Collective::kAllReduce},
    {"hier(ring+two_shot)*3", Collective::kAllReduce},
    {"hier(knomial+ring)", Collective::kAllReduce},  // by leaders
    {"hier(ring+direct)", Collective::kAllGather},
    {"hier(direct+ring)", Collective::kReduceScatter},
    {"hier(pairwise+pairwise)", Collective::kAllToAll},
    {"hier(direct+bruck)", Collective::kAllToAll},
    {"hier(direct+direct)", Collective::kAllToAll},
};
constexpr Case kThreeLevels[] = {
    {"hier(ring+ring+ring)", Collective::kAllReduce},
    {"hier(two_shot+ring+nhr)", Collective::kAllReduce},
    {"hier(direct+ring+direct)", Collective::kAllGather},
    {"hier(ring+direct+nhr)", Collective::kReduceScatter},
    {"hier(pairwise+pairwise+pairwise)", Collective::kAllToAll},
    {"hier(direct+direct+direct)", Collective::kAllToAll},
};

// One operation after the other in both worlds, so that each begins where the last one left off.
// `actors`: that run for all.
void Compare(const std::string& fabric, int n, int actors, absl::Span<const Case> cases,
             const std::vector<int>& sizes, const std::string& sets = "") {
  World folded(Url(fabric, n, sets)), whole(Url(fabric, n, absl::StrCat(sets, "&fold=no")));
  for (const Case& c : cases) {
    for (uint64_t count : {uint64_t{1}, uint64_t{97}, uint64_t{30000}}) {
      if (c.collective == Collective::kBarrier) count = 0;
      const uint64_t elements = CountIsPerRank(c.collective) ? count : count * 3 * n;
      const auto program = Build(c.algorithm, c.collective, n, sizes);
      const std::vector<Request> requests(n, Phantom(c.collective, elements));
      const Time expected = whole.Run(program, requests);
      EXPECT_EQ(whole.engine->actors().ranks, n);
      EXPECT_EQ(folded.Run(program, requests), expected)
          << fabric << ", " << n << " ranks, " << c.algorithm << ", count " << elements;
      EXPECT_EQ(folded.engine->actors().ranks, actors)
          << c.algorithm << ": " << Describe(folded.engine->actors().whole);
    }
  }
  std::printf("  %-18s %4d ranks, %2d ran: %14" PRId64 " ps, all of them: %14" PRId64 " ps\n",
              fabric.c_str(), n, actors, folded.engine->Now(), whole.engine->Now());
}

void Compare(const std::string& fabric, int n, int period, const std::string& sets = "") {
  Compare(fabric, n, period, kCases, {}, sets);
}

TEST(Fold, EqualsTheWholeRunToThePicosecond) {
  for (int n : {2, 3, 7, 16, 48, 100}) Compare("crossbar", n, 1);
  for (int n : {5, 16}) Compare("fully-connected", n, 1);
  for (int n : {16, 24, 72, 128}) Compare("fat-tree", n, 8);
  for (int n : {16, 40, 96}) Compare("cloudmatrix384", n, 8);
  Compare("gb200-nvl72", 72, 1);
  Compare("fat-tree-3", 192, 64);
}

// As many run as a shift needs that neither the machine nor the hierarchy sees.
TEST(Fold, HierarchiesOfTwoLevels) {
  Compare("crossbar", 16, 4, kTwoLevels, {4});
  Compare("crossbar", 30, 5, kTwoLevels, {5});
  Compare("fully-connected", 24, 3, kTwoLevels, {3});
  Compare("fat-tree", 64, 8, kTwoLevels, {8});
  Compare("fat-tree", 64, 8, kTwoLevels, {4});
  Compare("fat-tree", 96, 24, kTwoLevels, {6});
  Compare("fat-tree", 128, 32, kTwoLevels, {32});
  Compare("fat-tree-3", 192, 64, kTwoLevels, {8});
  Compare("cloudmatrix384", 96, 8, kTwoLevels, {8});
  Compare("cloudmatrix384", 96, 16, kTwoLevels, {16});
  Compare("gb200-nvl72", 72, 4, kTwoLevels, {4});
}

TEST(Fold, HierarchiesOfThreeLevels) {
  Compare("crossbar", 24, 6, kThreeLevels, {2, 6});
  Compare("crossbar", 64, 16, kThreeLevels, {4, 16});
  Compare("fat-tree", 96, 24, kThreeLevels, {8, 24});
  Compare("fat-tree-3", 256, 64, kThreeLevels, {8, 64});
  Compare("cloudmatrix384", 96, 32, kThreeLevels, {8, 32});
}

// Overheads, gaps and engines are of endpoints: they too are those of whoever stands for them.
TEST(Fold, WithCostsOfEndpoints) {
  const std::string costs =
      "&set=send_overhead=130 ns&set=recv_overhead=70 ns&set=message_gap=40 ns"
      "&set=reduce_bandwidth=700 GB/s&set=copy_bandwidth=900 GB/s";
  Compare("crossbar", 24, 1, costs);
  Compare("fat-tree", 32, 8, costs);
  Compare("crossbar", 24, 4, kTwoLevels, {4}, costs);
  Compare("fat-tree", 64, 16, kTwoLevels, {16}, costs);
  Compare("fat-tree-3", 192, 64, kThreeLevels, {4, 16}, costs);
  Compare("cloudmatrix384", 96, 24, kThreeLevels, {4, 12}, costs);
}

// Operations that cannot fold, and that fold otherwise, after and before one that does: clocks, counters
// and ports are everybody's.
TEST(Fold, MixesWithOtherOperations) {
  const int n = 64;
  World folded(Url("fat-tree", n, "&set=copy_bandwidth=3 GB/s")),
      whole(Url("fat-tree", n, "&set=copy_bandwidth=3 GB/s&fold=no"));
  struct Mixed {
    Case what;
    std::vector<int> sizes;
    int actors;
  };
  const Mixed mixed[] = {
      {{"pairwise", Collective::kAllToAll}, {}, 8},
      {{"rabenseifner", Collective::kAllReduce}, {}, n},
      {{"hier(direct+direct)", Collective::kAllToAll}, {16}, 16},
      {{"knomial", Collective::kBroadcast}, {}, n},
      {{"hier(direct+ring+direct)", Collective::kAllGather}, {2, 32}, 32},
      {{"direct", Collective::kAllToAll}, {}, 8},
      {{"hier(ring+rabenseifner)", Collective::kAllReduce}, {4}, n},
      {{"hier(ring+ring)", Collective::kAllReduce}, {32}, 32},
      {{"hier(direct+pairwise+direct)", Collective::kAllToAll}, {4, 16}, 16},
      {{"ring", Collective::kAllReduce}, {}, 8},
      {{"two_shot", Collective::kAllReduce}, {}, 8},
  };
  for (int round = 0; round < 2; ++round) {
    for (const auto& [what, sizes, actors] : mixed) {
      const auto program = Build(what.algorithm, what.collective, n, sizes);
      const std::vector<Request> requests(n, Phantom(what.collective, n * 1000));
      EXPECT_EQ(folded.Run(program, requests), whole.Run(program, requests)) << what.algorithm;
      EXPECT_EQ(folded.engine->actors().ranks, actors) << what.algorithm;
    }
  }
}

// Every fourth rank hears from both neighbours at one instant, each of which has sent nothing else, and
// passes on what the one above it sent. Who comes first must not depend on where rank 0 is.
TEST(Fold, TiesOfNeighboursAreTheSameEverywhere) {
  const int n = 16;
  auto program = std::make_shared<StoredProgram>(
      Info(Collective::kAllReduce, n, ChunkSpace::Split(4), 2));
  program->info().shift = 4;
  for (int rank = 0; rank < n; rank += 4) {
    const int below = (rank + n - 1) % n;
    program->Add(below).Send(rank, 0, {{In(0, 2)}});
    program->Add(rank + 1).Send(rank, 0, {{In(0, 1)}});
    program->Add(rank, 0).Recv(below, 0, {{Out(2, 2)}});
    program->Add(rank, 1).Recv(rank + 1, 0, {{Out(0, 1)}});
    program->Add(rank, 1).Send(rank + 2, 0, {{Out(0, 1)}});
    program->Add(rank + 2).Recv(rank, 0, {{Out(0, 1)}});
  }
  World folded(Crossbar(n)), whole(Crossbar(n, "&fold=no"));
  const std::vector<Request> requests(n, Phantom(Collective::kAllReduce, 1 << 20));
  EXPECT_EQ(folded.Run(program, requests), whole.Run(program, requests));
  EXPECT_EQ(folded.engine->actors().ranks, 4);
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
  Time ends[2] = {};
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
