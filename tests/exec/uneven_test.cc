// Every v-form by every algorithm on real bytes: blocks of uneven lengths, some empty, apart and out
// of order, in place and not. Nothing outside the blocks of the output changes.
#include <cstring>

#include "ccl/base/elements.h"
#include "tests/exec/uneven.h"
#include "tests/exec/world.h"

namespace ccl {
namespace {

constexpr Collective kForms[] = {Collective::kAllGatherV, Collective::kReduceScatterV,
                                 Collective::kAllToAllV, Collective::kGatherV,
                                 Collective::kScatterV};
constexpr uint64_t kGap = 3;
constexpr int16_t kUntouched = 0x5a5a;

// Element k of the block that `from` sends to (or as) `block`.
int16_t Element(int from, int block, uint64_t k) {
  return static_cast<int16_t>(from * 131 + block * 17 + static_cast<int>(k % 97) + 1);
}

struct Case {
  Collective collective;
  int ranks;
  int root;
  uint64_t count;
  bool in_place;
};

class Uneven {
 public:
  Uneven(World& world, const Case& c) : world_(world), c_(c) {}

  void Run(const std::shared_ptr<const Program>& program) {
    const size_t n = static_cast<size_t>(c_.ranks);
    std::vector<std::vector<int16_t>> in(n), out(n);
    std::vector<Request> requests(n);
    for (int r = 0; r < c_.ranks; ++r) {
      const size_t i = static_cast<size_t>(r);
      Request& request = requests[i];
      request = {c_.collective, DataType::kInt16, ReduceOp::kSum, 0, c_.root};
      request.blocks = UnevenBlocks(c_.collective, c_.ranks, c_.root, r, c_.count, kGap);
      in[i].assign(request.blocks->in.End() + kGap, kUntouched);
      out[i].assign(request.blocks->out.End() + kGap, kUntouched);
      ForEach(request.blocks->in, r, [&](int block, uint64_t k, uint64_t at) {
        in[i][at] = Element(r, block, k);
      });
      request.in = in[i].data();
      request.out = out[i].data();
      if (c_.in_place) Alias(request, i, in[i], out[i]);
      const absl::Status status = CheckBlocks(request, r, 1 << 20);
      ASSERT_TRUE(status.ok()) << status;
    }
    const std::vector<std::vector<int16_t>> before = in;
    world_.Run(program, requests);
    ASSERT_TRUE(world_.status.ok());
    for (int r = 0; r < c_.ranks; ++r) Check(*program, requests[static_cast<size_t>(r)], r, before);
  }

 private:
  // f(number of the block, element in it, place in the buffer) for all elements of a list.
  template <typename F>
  void ForEach(const BlockList& list, int rank, F f) const {
    for (size_t i = 0; i < list.counts.size(); ++i) {
      const int block = list.counts.size() > 1 || c_.ranks == 1 ? static_cast<int>(i) : rank;
      for (uint64_t k = 0; k < list.counts[i]; ++k) f(block, k, list.displacements[i] + k);
    }
  }

  // The smaller buffer becomes the rank's block of the larger one.
  static void Alias(Request& request, size_t rank, std::vector<int16_t>& in,
                    std::vector<int16_t>& out) {
    const BlockList &from = request.blocks->in, &to = request.blocks->out;
    if (from.counts.empty() || to.counts.empty()) return;
    if (to.counts.size() > from.counts.size()) {
      std::copy_n(in.begin(), from.counts[0], out.begin() + static_cast<ptrdiff_t>(to.displacements[rank]));
      request.in = out.data() + to.displacements[rank];
    } else if (from.counts.size() > to.counts.size()) {
      request.out = in.data() + from.displacements[rank];
    }
  }

  int16_t Expected(int rank, int block, uint64_t k) const {
    switch (c_.collective) {
      case Collective::kReduceScatterV: {
        int sum = 0;
        for (int r = 0; r < c_.ranks; ++r) sum += Element(r, rank, k);
        return static_cast<int16_t>(sum);
      }
      case Collective::kScatterV:
        return Element(c_.root, rank, k);
      case Collective::kAllToAllV:
        return Element(block, rank, k);
      default:
        return Element(block, block, k);
    }
  }

  void Check(const Program& program, const Request& request, int rank,
             const std::vector<std::vector<int16_t>>& before) const {
    const auto what = [&] {
      return absl::StrCat(program.info().name, " ", Name(c_.collective), " n=", c_.ranks, " root=",
                          c_.root, " count=", c_.count, c_.in_place ? " in place" : "", " rank ", rank);
    };
    const int16_t* const out = static_cast<const int16_t*>(request.out);
    const BlockList& list = request.blocks->out;
    std::vector<bool> written(list.End() + kGap);
    ForEach(list, rank, [&](int block, uint64_t k, uint64_t at) {
      ASSERT_EQ(out[at], Expected(rank, block, k)) << what() << " block " << block << " element " << k;
      written[at] = true;
    });
    const std::vector<int16_t>& input = before[static_cast<size_t>(rank)];
    const bool inside = out >= static_cast<const int16_t*>(request.in) &&
                        request.blocks->in.counts.size() > list.counts.size();
    for (uint64_t at = 0; at < written.size() && !(c_.in_place && inside); ++at) {
      if (written[at]) continue;
      ASSERT_EQ(out[at], kUntouched) << what() << " beside the blocks, at " << at;
    }
    if (c_.in_place) return;
    ASSERT_EQ(std::memcmp(request.in, input.data(), input.size() * sizeof input[0]), 0)
        << what() << ": input changed";
  }

  World& world_;
  const Case c_;
};

TEST(Uneven, EveryAlgorithmOfEveryForm) {
  for (int n : {1, 2, 3, 4, 5, 7, 8}) {
    World world(Crossbar(n));
    for (Collective collective : kForms) {
      for (int root : {0, n - 1}) {
        if (root > 0 && !HasRoot(collective)) continue;
        const Shape shape{collective, n, root, 0, {}};
        for (AlgorithmSpec spec : Candidates(shape)) {
          for (uint32_t slices : {1u, 3u}) {
            spec.slices = slices;
            auto program = BuildProgram(spec, shape, true);
            ASSERT_TRUE(program.ok()) << program.status();
            for (uint64_t count : {0, 1, 2, 7, 50}) {
              for (bool in_place : {false, true}) {
                if (in_place && collective == Collective::kAllToAllV) continue;
                Uneven(world, {collective, n, root, count, in_place}).Run(*program);
                if (HasFatalFailure()) return;
              }
            }
          }
        }
      }
    }
  }
}

// Contributions that are scaled first lie apart too.
TEST(Uneven, AveragesAndScaledSums) {
  const int n = 3;
  World world(Crossbar(n));
  const Shape shape{Collective::kReduceScatterV, n};
  const auto program = *BuildProgram(*ParseAlgorithm("ring"), shape, true);
  auto scaled = std::make_shared<CustomOp>();
  scaled->type = DataType::kFloat16;
  const Float16 factor(2.0f);
  scaled->scalar = &factor;
  for (const bool average : {false, true}) {
    std::vector<std::vector<Float16>> in(n), out(n);
    std::vector<Request> requests(n);
    for (int r = 0; r < n; ++r) {
      Request& request = requests[r];
      request = {Collective::kReduceScatterV, DataType::kFloat16,
                 average ? ReduceOp::kAvg : ReduceOp::kSum};
      if (!average) request.custom = scaled;
      request.blocks = UnevenBlocks(Collective::kReduceScatterV, n, 0, r, 10, kGap);
      in[r].assign(request.blocks->in.End(), Float16(3.0f));
      out[r].assign(request.blocks->out.End(), Float16());
      request.in = in[r].data();
      request.out = out[r].data();
    }
    world.Run(program, requests);
    for (int r = 0; r < n; ++r) {
      EXPECT_EQ(out[r].size(), UnevenLength(Collective::kReduceScatterV, r, r, 10));
      for (Float16 value : out[r]) EXPECT_EQ(static_cast<float>(value), average ? 3.0f : 18.0f);
      for (Float16 value : in[r]) EXPECT_EQ(static_cast<float>(value), 3.0f);
    }
  }
}

TEST(Uneven, DisagreeingCountsAreAnErrorThatNamesBoth) {
  World world(Crossbar(2));
  const Shape shape{Collective::kAllToAllV, 2};
  std::vector<int16_t> in(8), out(8);
  std::vector<Request> requests(2, {Collective::kAllToAllV, DataType::kInt16});
  for (int r = 0; r < 2; ++r) {
    auto blocks = std::make_shared<Blocks>();
    blocks->in = BlockList::Dense({1, 2});
    blocks->out = r == 0 ? BlockList::Dense({1, 2}) : BlockList::Dense({3, 2});
    requests[r].blocks = blocks;
    requests[r].in = in.data();
    requests[r].out = out.data();
  }
  const auto program = *BuildProgram(*ParseAlgorithm("direct"), shape, true);
  std::vector<std::unique_ptr<Work>> work;
  for (int r = 0; r < 2; ++r) work.push_back(std::make_unique<Execution>(program, r, 1, requests[r]));
  world.engine->Enqueue(world.pointers, std::move(work));
  const absl::Status status = world.engine->Wait(world.pointers);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("rank 1 sends 2 bytes to rank 0, which expects 4"),
            absl::string_view::npos)
      << status;
}

}  // namespace
}  // namespace ccl
