// Messages, volume and rounds of every algorithm against the closed forms of docs/algorithms.md.
#include <algorithm>
#include <bit>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "ccl/algorithms/algorithm.h"
#include "gtest/gtest.h"

namespace ccl {
namespace {

constexpr int kSizes[] = {1, 2, 3, 7, 8, 16, 48};
constexpr uint64_t kVector = 48 * 7 * 10;  // elements; all blocks of kSizes divide it

struct Volume {
  uint64_t messages = 0, elements = 0;           // of all ranks
  uint64_t most_messages = 0, most_elements = 0;  // sent by the rank that sends most
};

std::shared_ptr<const Program> Build(const std::string& text, const Shape& shape) {
  auto program = BuildProgram(*ParseAlgorithm(text), shape, true);
  EXPECT_TRUE(program.ok()) << text << ": " << program.status();
  return program.ok() ? *program : nullptr;
}

uint64_t CountOf(const Program& program) {
  const ChunkSpace& space = program.info().space;
  return space.per_block() ? kVector / space.blocks() : kVector;
}

Volume VolumeOf(const Program& program) {
  const ProgramInfo& info = program.info();
  Volume volume;
  StepList list;
  for (int rank = 0; rank < info.ranks; ++rank) {
    uint64_t messages = 0, elements = 0;
    for (uint32_t lane = 0; lane < info.lanes; ++lane) {
      for (uint32_t batch = 0; batch < program.batches(rank, lane); ++batch) {
        list.Clear();
        program.Fetch(rank, lane, batch, list);
        list.Flatten();
        for (const Step& step : list.steps) {
          if (step.kind != StepKind::kSend) continue;
          ++messages;
          for (const Ref& ref : list.src(step)) {
            elements += info.space.LengthOfRun(ref.first, ref.count, CountOf(program));
          }
        }
      }
    }
    volume.messages += messages;
    volume.elements += elements;
    volume.most_messages = std::max(volume.most_messages, messages);
    volume.most_elements = std::max(volume.most_elements, elements);
  }
  return volume;
}

// The time of the program when every message takes 1 from the moment at which both sides are
// posted, and nothing else takes any: by relaxation until nothing changes.
int RoundsOf(const Program& program) {
  const ProgramInfo& info = program.info();
  using Wire = std::tuple<int, int, int>;
  std::vector<std::vector<std::vector<int>>> end(info.ranks);
  for (int rank = 0; rank < info.ranks; ++rank) {
    for (uint32_t lane = 0; lane < info.lanes; ++lane) {
      end[rank].emplace_back(program.batches(rank, lane) + 1);
    }
  }
  StepList list;
  for (int pass = 0; pass < 10000; ++pass) {
    std::map<Wire, std::vector<int>> posted[2];
    const auto visit = [&](auto&& f) {
      for (int rank = 0; rank < info.ranks; ++rank) {
        for (uint32_t lane = 0; lane < info.lanes; ++lane) {
          for (uint32_t batch = 0; batch < program.batches(rank, lane); ++batch) {
            list.Clear();
            program.Fetch(rank, lane, batch, list);
            int issue = end[rank][lane][batch];
            for (const Dep& dep : list.deps) {
              issue = std::max(issue, end[rank][dep.lane][dep.batches]);
            }
            f(rank, issue, end[rank][lane][batch + 1]);
          }
        }
      }
    };
    const auto wire = [](int rank, const Step& step) {
      return step.kind == StepKind::kSend ? Wire{rank, step.peer, step.channel}
                                          : Wire{step.peer, rank, step.channel};
    };
    const auto message = [](const Step& step) {
      return step.kind == StepKind::kSend || step.kind == StepKind::kRecv ||
             step.kind == StepKind::kRecvReduce;
    };
    visit([&](int rank, int issue, int&) {
      for (const Step& step : list.steps) {
        if (message(step)) posted[step.kind == StepKind::kSend][wire(rank, step)].push_back(issue);
      }
    });
    std::map<Wire, size_t> next[2];
    bool changed = false;
    visit([&](int rank, int issue, int& ended) {
      int last = issue;
      for (const Step& step : list.steps) {
        if (!message(step)) continue;
        const Wire w = wire(rank, step);
        const size_t k = next[step.kind == StepKind::kSend][w]++;
        last = std::max(last, std::max(posted[0][w].at(k), posted[1][w].at(k)) + 1);
      }
      changed |= last != ended;
      ended = last;
    });
    if (changed) continue;
    int rounds = 0;
    for (const auto& lanes : end) {
      for (const auto& batches : lanes) rounds = std::max(rounds, batches.back());
    }
    return rounds;
  }
  ADD_FAILURE() << info.name << " does not end";
  return -1;
}

int CeilLog(int n) { return n <= 1 ? 0 : std::bit_width(static_cast<unsigned>(n - 1)); }
bool Power(int n) { return std::has_single_bit(static_cast<unsigned>(n)); }

// What the rank that sends most sends, and the rounds.
struct Form {
  Collective collective;
  const char* algorithm;
  uint64_t (*messages)(int n);
  uint64_t (*nth_vectors)(int n);  // elements, in units of m/n
  int (*rounds)(int n);
  bool powers_only = false;
};
using C = Collective;
uint64_t Others(int n) { return n - 1; }
uint64_t TwiceOthers(int n) { return 2 * (n - 1); }
uint64_t Log(int n) { return CeilLog(n); }
uint64_t TwiceLog(int n) { return 2 * CeilLog(n); }
uint64_t OthersWhole(int n) { return uint64_t(n) * (n - 1); }
uint64_t LogWhole(int n) { return uint64_t(n) * CeilLog(n); }

const Form kForms[] = {
    {C::kAllReduce, "ring", TwiceOthers, TwiceOthers, [](int n) { return 2 * (n - 1); }},
    // The last messages from either side meet in one block: the second waits for the first's fold.
    {C::kAllReduce, "biring", TwiceOthers, TwiceOthers,
     [](int n) { return n / 2 * 2 + (n > 2 ? 1 : 0); }},
    {C::kAllReduce, "nhr", TwiceLog, TwiceOthers, [](int n) { return 2 * CeilLog(n); }},
    {C::kAllReduce, "recursive_doubling", Log, LogWhole, CeilLog, true},
    {C::kAllReduce, "rabenseifner", TwiceLog, TwiceOthers, [](int n) { return 2 * CeilLog(n); },
     true},
    {C::kAllReduce, "one_shot", Others, OthersWhole, [](int n) { return n > 1 ? 1 : 0; }},
    {C::kAllReduce, "two_shot", TwiceOthers, TwiceOthers, [](int n) { return n > 1 ? 2 : 0; }},
    {C::kReduceScatter, "ring", Others, Others, [](int n) { return n - 1; }},
    {C::kReduceScatter, "biring", Others, Others,
     [](int n) { return n / 2 + (n > 2 ? 1 : 0); }},
    {C::kReduceScatter, "nhr", Log, Others, CeilLog},
    {C::kReduceScatter, "direct", Others, Others, [](int n) { return n > 1 ? 1 : 0; }},
    {C::kAllGather, "ring", Others, Others, [](int n) { return n - 1; }},
    {C::kAllGather, "biring", Others, Others, [](int n) { return n / 2; }},
    {C::kAllGather, "nhr", Log, Others, CeilLog},
    {C::kAllGather, "recursive_doubling", Log, Others, CeilLog, true},
    {C::kAllGather, "direct", Others, Others, [](int n) { return n > 1 ? 1 : 0; }},
    {C::kAllToAll, "direct", Others, Others, [](int n) { return n > 1 ? 1 : 0; }},
    {C::kAllToAll, "pairwise", Others, Others, [](int n) { return n - 1; }},
    {C::kBroadcast, "direct", Others, OthersWhole, [](int n) { return n > 1 ? 1 : 0; }},
    {C::kGather, "direct", [](int n) { return uint64_t(n > 1); },
     [](int n) { return uint64_t(n > 1); }, [](int n) { return n > 1 ? 1 : 0; }},
    {C::kScatter, "direct", Others, Others, [](int n) { return n > 1 ? 1 : 0; }},
};

TEST(Volume, EveryRankSendsWhatTheClosedFormSays) {
  for (const Form& form : kForms) {
    for (const int n : kSizes) {
      if (form.powers_only && !Power(n)) continue;
      const auto program = Build(form.algorithm, Shape{form.collective, n});
      ASSERT_NE(program, nullptr);
      const Volume volume = VolumeOf(*program);
      const std::string where =
          std::string(Name(form.collective)) + " " + form.algorithm + " " + std::to_string(n);
      EXPECT_EQ(volume.most_messages, form.messages(n)) << where;
      EXPECT_EQ(volume.most_elements, form.nth_vectors(n) * (kVector / n)) << where;
      EXPECT_EQ(RoundsOf(*program), form.rounds(n)) << where;
    }
  }
}

// Of trees the total is fixed, not what one rank sends.
TEST(Volume, TreesMoveTheVectorOnceAnEdge) {
  struct Tree {
    Collective collective;
    const char* algorithm;
    uint64_t messages, vectors;  // an edge
  };
  const Tree trees[] = {
      {C::kBroadcast, "knomial", 1, 1},  {C::kBroadcast, "knomial:3", 1, 1},
      {C::kBroadcast, "chain", 1, 1},    {C::kBroadcast, "double_binary_tree", 2, 1},
      {C::kReduce, "knomial", 1, 1},     {C::kReduce, "chain", 1, 1},
      {C::kReduce, "direct", 1, 1},      {C::kReduce, "double_binary_tree", 2, 1},
      {C::kAllReduce, "knomial", 2, 2},  {C::kAllReduce, "chain", 2, 2},
      {C::kAllReduce, "double_binary_tree", 4, 2},
  };
  for (const Tree& tree : trees) {
    for (const int n : kSizes) {
      for (const int root : {0, n - 1}) {
        const auto program = Build(tree.algorithm, Shape{tree.collective, n, root});
        ASSERT_NE(program, nullptr);
        const Volume volume = VolumeOf(*program);
        EXPECT_EQ(volume.messages, tree.messages * (n - 1)) << tree.algorithm << " " << n;
        EXPECT_EQ(volume.elements, tree.vectors * (n - 1) * kVector) << tree.algorithm << " " << n;
      }
    }
  }
}

TEST(Volume, LogarithmicExchangesAndChains) {
  for (const int n : kSizes) {
    const auto barrier = Build("dissemination", Shape{C::kBarrier, n});
    EXPECT_EQ(VolumeOf(*barrier).most_messages, Log(n)) << n;
    EXPECT_EQ(RoundsOf(*barrier), CeilLog(n)) << n;
    const auto bruck = Build("bruck", Shape{C::kAllToAll, n});
    EXPECT_EQ(VolumeOf(*bruck).most_messages, Log(n)) << n;
    EXPECT_EQ(RoundsOf(*bruck), CeilLog(n)) << n;
    EXPECT_EQ(RoundsOf(*Build("chain", Shape{C::kBroadcast, n})), n - 1) << n;
    EXPECT_LE(RoundsOf(*Build("knomial", Shape{C::kBroadcast, n})), CeilLog(n)) << n;
    uint64_t blocks = 0;  // of numbers whose bit is set, bit by bit
    for (int i = 0; i < n; ++i) blocks += std::popcount(static_cast<unsigned>(i));
    EXPECT_EQ(VolumeOf(*bruck).most_elements, blocks * (kVector / n)) << n;
  }
}

// 2(g-1)/g within the groups and 2(G-1)/G of a g-th between them: the optimum of 2(n-1)/n.
TEST(Volume, CompositionsOfOptimalStagesAreOptimal) {
  const std::vector<Grouping> groupings = {Grouping::Uniform(48, 4), Grouping::Uniform(48, 16)};
  for (const char* text : {"hier(two_shot+nhr)", "hier(ring+ring)", "hier(two_shot+ring+nhr)"}) {
    const Volume volume = VolumeOf(*Build(text, Shape{C::kAllReduce, 48, 0, 0, groupings}));
    EXPECT_EQ(volume.most_elements, 2 * 47 * kVector / 48) << text;
    EXPECT_EQ(volume.elements, 48 * volume.most_elements) << text;
  }
}

TEST(Volume, SlicesKeepTheVolume) {
  for (const char* text : {"ring", "two_shot", "chain", "double_binary_tree", "nhr"}) {
    const Shape shape{C::kAllReduce, 7};
    const Volume one = VolumeOf(*Build(text, shape));
    const Volume sliced = VolumeOf(*Build(std::string(text) + "*5", shape));
    EXPECT_EQ(sliced.messages, 5 * one.messages) << text;
    EXPECT_EQ(sliced.elements, one.elements) << text;
  }
}

// What the fabric would do becomes the messages of the algorithm that is its like.
TEST(Volume, LoweredGroupOperationsMoveWhatTheirLikesMove) {
  const std::tuple<C, const char*, const char*> likes[] = {
      {C::kAllReduce, "group_two_shot", "two_shot"},
      {C::kAllReduce, "group_one_shot", "one_shot"},
      {C::kReduceScatter, "group_direct", "direct"},
      {C::kAllGather, "group_direct", "direct"},
      {C::kBroadcast, "group_one_shot", "direct"}};
  for (const auto& [collective, group, like] : likes) {
    for (const int n : kSizes) {
      const Volume lowered = VolumeOf(*Build(group, Shape{collective, n}));
      const Volume flat = VolumeOf(*Build(like, Shape{collective, n}));
      EXPECT_EQ(lowered.messages, flat.messages) << group << " " << n;
      EXPECT_EQ(lowered.elements, flat.elements) << group << " " << n;
      const auto native = BuildProgram(*ParseAlgorithm(group), Shape{collective, n}, false);
      ASSERT_TRUE(native.ok());
      EXPECT_EQ(VolumeOf(**native).messages, 0u) << group << " " << n;
    }
  }
}

}  // namespace
}  // namespace ccl
