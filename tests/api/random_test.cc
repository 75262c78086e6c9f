// Random programs of collectives on communicators of communicators, over several streams, against what
// they should give.
#include <algorithm>
#include <memory>
#include <random>

#include "tests/api/ranks.h"

namespace {

using ccl_test::Said;

constexpr int kRanks = 16;

// Ranks of the world that form a communicator, in its order, with a handle and two streams each.
struct Part {
  std::vector<int> ranks;
  std::vector<cclComm_t> comms;
  std::vector<std::vector<cclStream_t>> streams;  // by rank, the first null
};

// One call of all ranks of a part, its buffers, and what they should hold in the end.
struct Call {
  std::vector<std::vector<int>> in, out, wanted;
};

class Program {
 public:
  explicit Program(unsigned seed) : random_(seed) {
    static const char* const kFabrics[] = {"emulated:crossbar", "emulated:fat-tree?ranks=16",
                                           "emulated:cloudmatrix384?ranks=16"};
    cclConfig_t config = CCL_CONFIG_INITIALIZER;
    config.backend = kFabrics[Below(3)];
    Part whole;
    whole.comms.resize(kRanks);
    EXPECT_EQ(cclCommInitAllConfig(whole.comms.data(), kRanks, nullptr, &config), cclSuccess) << Said();
    for (int r = 0; r < kRanks; ++r) whole.ranks.push_back(r);
    parts_.push_back(whole);
    AddStreams(parts_.back());
    for (int i = 0; i < 3; ++i) Split(parts_[static_cast<size_t>(Below(static_cast<int>(parts_.size())))]);
  }

  ~Program() {
    std::shuffle(parts_.begin(), parts_.end(), random_);
    for (Part& part : parts_) {
      for (auto& streams : part.streams) {
        for (cclStream_t stream : streams) cclStreamDestroy(stream);
      }
      for (cclComm_t comm : part.comms) EXPECT_EQ(cclCommDestroy(comm), cclSuccess);
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void Run() {
    EXPECT_EQ(cclGroupStart(), cclSuccess);
    for (int i = 0; i < 12; ++i) {
      const Part& part = parts_[static_cast<size_t>(Below(static_cast<int>(parts_.size())))];
      if (Below(4) == 0) {
        const size_t who = static_cast<size_t>(Below(static_cast<int>(part.ranks.size())));
        cclCommCompute(part.comms[who], Below(20'000'000));
      }
      AddCall(part);
    }
    ASSERT_EQ(cclGroupEnd(), cclSuccess) << Said();
    for (const Part& part : parts_) {
      for (size_t m = 0; m < part.ranks.size(); ++m) {
        ASSERT_EQ(cclCommFinalize(part.comms[m]), cclSuccess) << Said();
      }
    }
    for (const auto& call : calls_) EXPECT_EQ(call->out, call->wanted);
  }

 private:
  int Below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  void AddStreams(Part& part) {
    for (cclComm_t comm : part.comms) {
      cclStream_t stream = nullptr;
      EXPECT_EQ(cclStreamCreate(comm, &stream), cclSuccess);
      part.streams.push_back({nullptr, stream});
    }
  }

  void Split(const Part& parent) {
    const size_t n = parent.ranks.size();
    std::vector<int> colors(n), keys(n);
    std::vector<cclComm_t> made(n);
    EXPECT_EQ(cclGroupStart(), cclSuccess);
    for (size_t m = 0; m < n; ++m) {
      colors[m] = Below(4) - 1, keys[m] = Below(5);
      EXPECT_EQ(cclCommSplit(parent.comms[m], colors[m], keys[m], &made[m], nullptr), cclSuccess);
    }
    ASSERT_EQ(cclGroupEnd(), cclSuccess) << Said();
    std::vector<Part> parts(3);
    std::vector<size_t> order(n);
    for (size_t m = 0; m < n; ++m) order[m] = m;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return keys[a] < keys[b]; });
    for (size_t m : order) {
      EXPECT_EQ(made[m] == nullptr, colors[m] < 0);
      if (colors[m] < 0) continue;
      Part& part = parts[static_cast<size_t>(colors[m])];
      part.ranks.push_back(parent.ranks[m]);
      part.comms.push_back(made[m]);
    }
    for (Part& part : parts) {
      if (part.ranks.empty()) continue;
      AddStreams(part);
      parts_.push_back(part);
    }
  }

  void AddCall(const Part& part) {
    const size_t n = part.ranks.size();
    const size_t count = static_cast<size_t>(Below(300));
    const int root = Below(static_cast<int>(n)), kind = Below(7);
    const size_t stream = static_cast<size_t>(Below(2));
    calls_.push_back(std::make_unique<Call>());
    Call& call = *calls_.back();
    call.in.resize(n), call.out.resize(n);
    const bool many_in = kind == 3 || kind == 4 || kind == 6, many_out = kind == 2 || kind == 4 || kind == 5;
    for (size_t m = 0; m < n; ++m) {
      call.in[m].resize(count * (many_in ? n : 1));
      for (int& x : call.in[m]) x = Below(1000) - 500;
      call.out[m].assign(count * (many_out ? n : 1), -7);
    }
    call.wanted = call.out;
    std::vector<int> sum(many_in ? count * n : count, 0);
    for (const auto& in : call.in) {
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += in[i];
    }
    for (size_t m = 0; m < n; ++m) {
      const int* in = call.in[m].data();
      int* out = call.out[m].data();
      cclComm_t comm = part.comms[m];
      cclStream_t queue = part.streams[m][stream];
      std::vector<int>& wanted = call.wanted[m];
      const auto block = [&](const std::vector<int>& of, size_t i) {
        return std::vector<int>(of.begin() + static_cast<long>(i * count),
                                of.begin() + static_cast<long>((i + 1) * count));
      };
      cclResult_t result = cclSuccess;
      switch (kind) {
        case 0:
          result = cclAllReduce(in, out, count, cclInt, cclSum, comm, queue);
          wanted = sum;
          break;
        case 1:
          result = cclBroadcast(in, out, count, cclInt, root, comm, queue);
          wanted = call.in[static_cast<size_t>(root)];
          break;
        case 2:
        case 5:
          result = kind == 2 ? cclAllGather(in, out, count, cclInt, comm, queue)
                             : cclGather(in, out, count, cclInt, root, comm, queue);
          if (kind == 5 && static_cast<int>(m) != root) break;
          wanted.clear();
          for (const auto& one : call.in) wanted.insert(wanted.end(), one.begin(), one.end());
          break;
        case 3:
          result = cclReduceScatter(in, out, count, cclInt, cclSum, comm, queue);
          wanted = block(sum, m);
          break;
        case 4:
          result = cclAlltoAll(in, out, count, cclInt, comm, queue);
          wanted.clear();
          for (const auto& one : call.in) {
            const std::vector<int> part_of = block(one, m);
            wanted.insert(wanted.end(), part_of.begin(), part_of.end());
          }
          break;
        default:
          result = cclScatter(in, out, count, cclInt, root, comm, queue);
          wanted = block(call.in[static_cast<size_t>(root)], m);
      }
      EXPECT_EQ(result, cclSuccess) << Said();
    }
  }

  std::mt19937 random_;
  std::vector<Part> parts_;
  std::vector<std::unique_ptr<Call>> calls_;
};

TEST(RandomPrograms, OnCommunicatorsOfCommunicatorsAndStreams) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    Program program(seed);
    program.Run();
    if (HasFailure()) break;
  }
}

}  // namespace
