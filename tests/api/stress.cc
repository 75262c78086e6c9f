// Seeded random operations: all collectives, types and reductions, in place too, and point-to-point
// messages in groups, of sizes from nothing to hundreds of KiB by turns, on communicators of communicators
// and two streams of each. Everything that a rank gets is compared with what it should.
//
// Usage, with FIRST the first seed and PROGRAMS of kOperations each: stress threads RANKS FIRST PROGRAMS;
// under a launcher: stress processes FIRST PROGRAMS, each a rank.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/api/conformance_run.h"
#include "tests/api/parts.h"

namespace ccl_test {
namespace {

constexpr int kOperations = 100;
constexpr int kTimeoutMs = 60'000;  // of one operation: what hangs is an error

// Messages of every rank to some that follow it, and from those that it follows, in one group.
class Exchange {
 public:
  Exchange(const Part& part, cclStream_t stream, std::vector<int> shifts, unsigned seed, size_t most)
      : part_(part), stream_(stream), shifts_(std::move(shifts)), seed_(seed), most_(most) {}

  void Call() {
    CHECK_CCL(cclGroupStart());
    for (size_t i = 0; i < shifts_.size(); ++i) {
      const int shift = shifts_[i];
      const int to = (part_.rank + shift) % part_.ranks, from = (part_.rank + part_.ranks - shift) % part_.ranks;
      out_.push_back(Message(part_.rank, to, i));
      in_.emplace_back(Message(from, part_.rank, i).size(), 0x5a);
      CHECK_CCL(cclSend(out_.back().data(), out_.back().size(), cclChar, to, part_.comm, stream_));
      CHECK_CCL(cclRecv(in_.back().data(), in_.back().size(), cclChar, from, part_.comm, stream_));
    }
    CHECK_CCL(cclGroupEnd());
  }

  int Wrong() const {
    int wrong = 0;
    for (size_t i = 0; i < shifts_.size(); ++i) {
      const int from = (part_.rank + part_.ranks - shifts_[i]) % part_.ranks;
      if (in_[i] == Message(from, part_.rank, i)) continue;
      if (wrong++ > 0) continue;
      std::fprintf(stderr, "rank %d of %d: message of %zu bytes from rank %d is another one\n", part_.rank,
                   part_.ranks, in_[i].size(), from);
    }
    return wrong;
  }

 private:
  std::vector<char> Message(int from, int to, size_t turn) const {
    std::minstd_rand random(seed_ * 31 + static_cast<unsigned>(from * 64 + to * 8) + static_cast<unsigned>(turn) + 1);
    std::vector<char> bytes(random() % (most_ + 1));
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  }

  const Part part_;
  const cclStream_t stream_;
  const std::vector<int> shifts_;
  const unsigned seed_;
  const size_t most_;
  std::vector<std::vector<char>> out_, in_;
};

// What all ranks of a part do is drawn alike on all ranks, from the seed.
class Program {
 public:
  Program(cclComm_t world, unsigned seed) : random_(seed), seed_(seed), parts_(world, seed) {}

  // Wrong results of this rank.
  int Run() {
    int wrong = 0;
    for (int left = kOperations; left > 0 && wrong == 0;) {
      const int bundle = std::min(left, 1 + Below(12));
      left -= bundle;
      const bool group = Below(3) == 0;
      if (group) CHECK_CCL(cclGroupStart());
      for (int i = 0; i < bundle; ++i) AddOperation();
      if (group) CHECK_CCL(cclGroupEnd());
      for (const Part& part : parts_.all()) {
        for (cclStream_t stream : part.streams) {
          CHECK_CCL(stream == nullptr ? cclCommSynchronize(part.comm) : cclStreamSynchronize(stream));
        }
      }
      for (const auto& run : collectives_) wrong += run->Wrong();
      for (const auto& exchange : exchanges_) wrong += exchange->Wrong();
      collectives_.clear();
      exchanges_.clear();
    }
    if (wrong > 0) std::fprintf(stderr, "seed %u: %d wrong results\n", seed_, wrong);
    return wrong;
  }

 private:
  int Below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  // Mostly little, now and then much.
  size_t DrawCount() {
    switch (Below(8)) {
      case 0: return static_cast<size_t>(Below(100'000));
      case 1: case 2: return static_cast<size_t>(Below(10'000));
      case 3: case 4: case 5: return static_cast<size_t>(Below(600));
      default: return static_cast<size_t>(Below(9));
    }
  }

  // A rank has as many parts as any other, one of each depth, whose ranks go on alike.
  void AddOperation() {
    const Part& part = parts_.all()[static_cast<size_t>(Below(static_cast<int>(parts_.all().size())))];
    const cclStream_t stream = part.streams[Below(2)];
    const int kind = Below(cclNumColls + 3);
    const size_t count = DrawCount();
    if (kind >= cclNumColls) {
      std::vector<int> shifts;
      for (int i = 1 + Below(4); i > 0; --i) shifts.push_back(Below(60) % part.ranks);
      exchanges_.push_back(
          std::make_unique<Exchange>(part, stream, std::move(shifts), static_cast<unsigned>(random_()), 2 * count));
      exchanges_.back()->Call();
      return;
    }
    static const std::vector<Case> cases = AllCases();
    std::vector<size_t> of_kind;
    for (size_t i = 0; i < cases.size(); ++i) {
      if (cases[i].collective == kind) of_kind.push_back(i);
    }
    Case c = cases[of_kind[static_cast<size_t>(Below(static_cast<int>(of_kind.size())))]];
    c.count = IsV(c.collective) || c.collective == cclCollAlltoAll ? count / 4 : count;
    c.root = Below(60) % part.ranks;
    collectives_.push_back(std::make_unique<ccl_test::Run>(c, part.ranks, part.rank, part.comm, stream));
    collectives_.back()->Call();
  }

  std::mt19937 random_;
  const unsigned seed_;
  const Parts parts_;
  std::vector<std::unique_ptr<ccl_test::Run>> collectives_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
};

// Ends the process where something is wrong: other ranks would wait for it.
void OneRank(const cclUniqueId& id, int ranks, int rank, unsigned first, int programs) {
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.timeoutMs = kTimeoutMs;
  cclComm_t world = nullptr;
  CHECK_CCL(cclCommInitRankConfig(&world, ranks, id, rank, &config));
  for (int i = 0; i < programs; ++i) {
    if (Program(world, first + static_cast<unsigned>(i)).Run() > 0) std::_Exit(1);
  }
  CHECK_CCL(cclCommDestroy(world));
  if (rank == 0) std::printf("%d operations on %d ranks, all right\n", programs * kOperations, ranks);
}

}  // namespace
}  // namespace ccl_test

int main(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "";
  cclUniqueId id = {};
  if (how == "processes" && argc == 4) {
    ccl_test::OneRank(id, ccl_test::Ranks(), ccl_test::Rank(), static_cast<unsigned>(std::atoi(argv[2])),
                      std::atoi(argv[3]));
    return 0;
  }
  if (how != "threads" || argc != 5) {
    std::fprintf(stderr, "usage: stress threads RANKS FIRST PROGRAMS | stress processes FIRST PROGRAMS\n");
    return 2;
  }
  const int ranks = std::atoi(argv[2]);
  CHECK_CCL(cclGetUniqueId(&id));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back(ccl_test::OneRank, id, ranks, rank, static_cast<unsigned>(std::atoi(argv[3])),
                         std::atoi(argv[4]));
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}
