// Seeded random programs of collectives on communicators of communicators, over several streams, as every
// rank runs them: floats whose sums depend on the order. Writes a line a call, with a hash of what the
// rank has got, into FOLDER/rank.R. random_bits_test.py compares transports.
//
// Usage: random_bits emulated RANKS SEEDS FOLDER, a thread a rank; mpirun ... random_bits mpi RANKS SEEDS
// FOLDER, a process a rank.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "ccl/base/elements.h"
#include "ccl/ccl.h"
#include "tests/api/check.h"
#include "tests/api/parts.h"

namespace {

struct Call {
  std::string name;
  std::vector<char> in, out;
};

class Program {
 public:
  // `plan` is the same on all ranks and says what is called; what a rank passes is its own.
  Program(cclComm_t world, int rank, unsigned seed, std::FILE* file)
      : plan_(seed), file_(file), seed_(seed), world_rank_(rank), parts_(world, seed) {}

  void Run() {
    for (int bundle = 0; bundle < 4; ++bundle) {
      const bool group = Below(2) == 0;
      if (group) CHECK_CCL(cclGroupStart());
      for (int i = 0; i < 3; ++i) AddCall();
      if (group) CHECK_CCL(cclGroupEnd());
    }
    for (const ccl_test::Part& part : parts_.all()) CHECK_CCL(cclCommFinalize(part.comm));
    for (const Call& call : calls_) {
      uint64_t hash = 14695981039346656037u;
      for (const char byte : call.out) {
        hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211u;
      }
      std::fprintf(file_, "%s %016llx\n", call.name.c_str(), static_cast<unsigned long long>(hash));
    }
  }

 private:
  int Below(int n) { return static_cast<int>(plan_() % static_cast<unsigned>(n)); }

  // The same on all ranks of the part: a rank has as many parts as any other, one of each depth.
  void AddCall() {
    const ccl_test::Part& part = parts_.all()[static_cast<size_t>(Below(static_cast<int>(parts_.all().size())))];
    const int kind = Below(11), stream = Below(2), turn = Below(3);
    const cclDataType_t types[] = {cclFloat, cclHalf, cclBfloat16};
    const cclDataType_t type = types[turn];
    const cclRedOp_t op = Below(3) == 0 ? cclAvg : cclSum;
    const size_t count = static_cast<size_t>(Below(3) == 0 ? Below(4000) : Below(300));
    const size_t n = static_cast<size_t>(part.ranks), size = type == cclFloat ? 4 : 2;
    const int root = Below(1000) % part.ranks;
    const bool many_in = kind == 3 || kind == 4 || kind == 6 || kind == 9;
    const bool many_out = kind == 2 || kind == 4 || kind == 5 || kind == 10;
    calls_.push_back({"seed " + std::to_string(seed_) + " call " + std::to_string(calls_.size()) + " kind " +
                      std::to_string(kind) + " of " + std::to_string(count) + " on " + std::to_string(n)});
    Call& call = calls_.back();
    call.in.resize(count * size * (many_in ? n : 1));
    call.out.resize(count * size * (many_out ? n : 1));
    Fill(type, call.in);
    const void* in = call.in.data();
    void* out = call.out.data();
    cclComm_t comm = part.comm;
    cclStream_t queue = part.streams[stream];
    std::vector<size_t> counts(n, count);  // uneven where there is something to give
    for (size_t i = 0; i + 1 < n && count > 1; i += 2) --counts[i], ++counts[i + 1];
    const size_t own = counts[static_cast<size_t>(part.rank)];
    if (kind == 9 || kind == 10) (kind == 9 ? call.out : call.in).resize(own * size);
    if (kind == 10) Fill(type, call.in);
    in = call.in.data(), out = call.out.data();
    switch (kind) {
      case 0: CHECK_CCL(cclAllReduce(in, out, count, type, op, comm, queue)); break;
      case 1: CHECK_CCL(cclBroadcast(in, out, count, type, root, comm, queue)); break;
      case 2: CHECK_CCL(cclAllGather(in, out, count, type, comm, queue)); break;
      case 3: CHECK_CCL(cclReduceScatter(in, out, count, type, op, comm, queue)); break;
      case 4: CHECK_CCL(cclAlltoAll(in, out, count, type, comm, queue)); break;
      case 5: CHECK_CCL(cclGather(in, out, count, type, root, comm, queue)); break;
      case 6: CHECK_CCL(cclScatter(in, out, count, type, root, comm, queue)); break;
      case 7: CHECK_CCL(cclScan(in, out, count, type, op, comm, queue)); break;
      case 8: CHECK_CCL(cclReduce(in, out, count, type, op, root, comm, queue)); break;
      case 9:
        CHECK_CCL(cclReduceScatterV(in, counts.data(), nullptr, out, own, type, op, comm, queue));
        break;
      default: CHECK_CCL(cclAllGatherV(in, own, out, counts.data(), nullptr, type, comm, queue));
    }
  }

  // Around 1, with all bits of a mantissa: almost every addition rounds.
  void Fill(cclDataType_t type, std::vector<char>& bytes) {
    std::seed_seq seed{seed_, static_cast<unsigned>(calls_.size()), static_cast<unsigned>(world_rank_)};
    std::mt19937 random(seed);
    ccl::WithType(static_cast<ccl::DataType>(type), [&](auto element) {
      for (size_t at = 0; at + sizeof element <= bytes.size(); at += sizeof element) {
        const double magnitude = 0.5 + static_cast<double>(random() >> 1) * 0x1p-31;
        element = ccl::FromDouble<decltype(element)>(random() % 4 == 0 ? -magnitude : magnitude);
        std::memcpy(bytes.data() + at, &element, sizeof element);
      }
    });
  }

  std::mt19937 plan_;
  std::FILE* const file_;
  const unsigned seed_;
  const int world_rank_;
  const ccl_test::Parts parts_;
  std::vector<Call> calls_;
};

void OneRank(const cclUniqueId& id, int ranks, int rank, unsigned seeds, const std::string& folder) {
  cclComm_t world = nullptr;
  std::FILE* file = std::fopen((folder + "/rank." + std::to_string(rank)).c_str(), "w");
  if (file == nullptr) std::_Exit(1);
  CHECK_CCL(cclCommInitRank(&world, ranks, id, rank));
  for (unsigned seed = 1; seed <= seeds; ++seed) Program(world, rank, seed, file).Run();
  CHECK_CCL(cclCommDestroy(world));
  std::fclose(file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const int ranks = std::atoi(argv[2]);
  const auto seeds = static_cast<unsigned>(std::atoi(argv[3]));
  cclUniqueId id = {};
  if (std::string(argv[1]) == "mpi") {
    OneRank(id, ranks, ccl_test::Rank(), seeds, argv[4]);
    return 0;
  }
  CHECK_CCL(cclGetUniqueId(&id));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) threads.emplace_back(OneRank, id, ranks, rank, seeds, argv[4]);
  for (std::thread& thread : threads) thread.join();
  return 0;
}
