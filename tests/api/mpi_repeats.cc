// Calls that come again and again: results are right whatever buffers come, in whatever turn, and what
// has been seen before takes no memory. Run by mpirun, or with CCL_BACKEND by cclbench launch.
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "tests/api/check.h"
#include "tests/count_allocations.h"

namespace {

using ccl_test::Rank;
using ccl_test::Ranks;

constexpr int kRoot = 0;

int32_t In(int rank, size_t i, int round) {
  return static_cast<int32_t>(rank * 100003 + static_cast<int>(i % 9973) * 7 + round);
}
int32_t Total(size_t i, int round, int ranks) {
  int32_t sum = 0;
  for (int r = 0; r < ranks; ++r) sum += In(r, i, round);
  return sum;
}

struct Kind {
  const char* name;
  size_t in_blocks, out_blocks;  // of `count` elements
  std::function<cclResult_t(const void* in, void* out, size_t count, cclComm_t comm)> call;
  std::function<int32_t(size_t i, size_t count, int round)> expected;  // of this rank
};

std::vector<Kind> Kinds() {
  const size_t n = static_cast<size_t>(Ranks());
  const int ranks = Ranks(), rank = Rank();
  const size_t own = static_cast<size_t>(rank);
  return {
      {"allreduce", 1, 1,
       [](auto in, auto out, auto count, auto comm) {
         return cclAllReduce(in, out, count, cclInt32, cclSum, comm, nullptr);
       },
       [=](size_t i, size_t, int round) { return Total(i, round, ranks); }},
      {"broadcast", 1, 1,
       [](auto in, auto out, auto count, auto comm) {
         return cclBroadcast(in, out, count, cclInt32, kRoot, comm, nullptr);
       },
       [](size_t i, size_t, int round) { return In(kRoot, i, round); }},
      {"allgather", 1, n,
       [](auto in, auto out, auto count, auto comm) {
         return cclAllGather(in, out, count, cclInt32, comm, nullptr);
       },
       [](size_t i, size_t count, int round) { return In(static_cast<int>(i / count), i % count, round); }},
      {"reduce_scatter", n, 1,
       [](auto in, auto out, auto count, auto comm) {
         return cclReduceScatter(in, out, count, cclInt32, cclSum, comm, nullptr);
       },
       [=](size_t i, size_t count, int round) { return Total(own * count + i, round, ranks); }},
      {"alltoall", n, n,
       [](auto in, auto out, auto count, auto comm) {
         return cclAlltoAll(in, out, count, cclInt32, comm, nullptr);
       },
       [=](size_t i, size_t count, int round) {
         return In(static_cast<int>(i / count), own * count + i % count, round);
       }},
      {"allreduce by a ring of two slices", 1, 1,
       [](auto in, auto out, auto count, auto comm) {
         cclCallConfig_t config = CCL_CALL_CONFIG_INITIALIZER;
         config.algorithm = "ring*2";
         config.forceAlgorithm = 1;
         return cclAllReduceConfig(in, out, count, cclInt32, cclSum, comm, nullptr, &config);
       },
       [=](size_t i, size_t, int round) { return Total(i, round, ranks); }},
      {"scan", 1, 1,
       [](auto in, auto out, auto count, auto comm) {
         return cclScan(in, out, count, cclInt32, cclSum, comm, nullptr);
       },
       [=](size_t i, size_t, int round) { return Total(i, round, rank + 1); }},
  };
}

void Run(const Kind& kind, cclComm_t comm, size_t count, const std::vector<int32_t>& in,
         std::vector<int32_t>& out) {
  CHECK_CCL(kind.call(in.data(), out.data(), count, comm));
  CHECK_CCL(cclCommSynchronize(comm));
}

void OtherBuffersInTurn(const Kind& kind, cclComm_t comm, size_t count) {
  std::vector<int32_t> in[2], out[2];
  for (int k = 0; k < 2; ++k) in[k].resize(kind.in_blocks * count), out[k].resize(kind.out_blocks * count);
  constexpr int kTurns[] = {0, 0, 0, 1, 0, 1, 1, 0};
  int round = 0;
  for (const int turn : kTurns) {
    ++round;
    for (size_t i = 0; i < in[turn].size(); ++i) in[turn][i] = In(Rank(), i, round);
    std::fill(out[turn].begin(), out[turn].end(), -1);
    Run(kind, comm, count, in[turn], out[turn]);
    for (size_t i = 0; i < out[turn].size(); ++i) {
      if (out[turn][i] == kind.expected(i, count, round)) continue;
      std::fprintf(stderr, "rank %d: %s of %zu, round %d, element %zu: %d, not %d\n", Rank(), kind.name, count,
                   round, i, out[turn][i], kind.expected(i, count, round));
      CHECK_THAT(false);
    }
  }
}

// Other calls than the first take none; but a rank that others have left far behind may keep more of what has come than
// ever before, so that one of twelve spans without is enough.
void TakesNoMemory(const Kind& kind, cclComm_t comm, size_t count) {
  constexpr int kFirst = 100, kSpan = 20, kSpans = 12;
  std::vector<int32_t> in(kind.in_blocks * count, 1), out(kind.out_blocks * count);
  long before = 0, least = -1;
  for (int round = 0; round <= kFirst + kSpans * kSpan; ++round) {
    if (round >= kFirst && (round - kFirst) % kSpan == 0) {
      const long more = allocations - before;
      if (round > kFirst && (least < 0 || more < least)) least = more;
      before = allocations;
    }
    Run(kind, comm, count, in, out);
    CHECK_CCL(cclBarrier(comm, nullptr));  // a root may be far ahead, and what has come is kept
    CHECK_CCL(cclCommSynchronize(comm));
  }
  if (least == 0) return;
  std::fprintf(stderr, "rank %d: %s of %zu: %ld allocations in %d calls\n", Rank(), kind.name, count, least, kSpan);
  CHECK_THAT(false);
}

std::string Flight(cclComm_t comm) {
  const std::string path = "repeats_flight." + std::to_string(Rank()) + ".json";
  CHECK_CCL(cclCommDumpFlight(comm, path.c_str()));
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::remove(path.c_str());
  return text;
}

// What one call forces is not what the next one does.
void ForcedOnce(cclComm_t comm) {
  std::vector<int32_t> in(640, 1), out(640);
  cclCallConfig_t config = CCL_CALL_CONFIG_INITIALIZER;
  config.algorithm = "ring";
  config.forceAlgorithm = 1;
  config.profilerTag = 77;
  for (int i = 0; i < 3; ++i) {
    CHECK_CCL(cclAllReduceConfig(in.data(), out.data(), 640, cclInt32, cclSum, comm, nullptr, &config));
    CHECK_CCL(cclCommSynchronize(comm));
    CHECK_CCL(cclAllReduce(in.data(), out.data(), 640, cclInt32, cclSum, comm, nullptr));
    CHECK_CCL(cclCommSynchronize(comm));
    CHECK_THAT(out[5] == Ranks());
  }
  const std::string text = Flight(comm);
  const auto count = [&](const std::string& what) {
    int found = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
  };
  CHECK_THAT(count("\"algorithm\": \"ring\"") == (Ranks() == 1 ? count("\"algorithm\": \"ring\"") : 3));
  CHECK_THAT(count("\"tag\": 77") == 3);
  CHECK_THAT(count("\"operation\": \"allreduce\"") == 6);
}

// In place, on a part of the ranks, on two streams at once, averaged; and communicators end with calls
// kept and calls under way.
void OtherWays(cclComm_t comm) {
  cclComm_t part = nullptr;
  CHECK_CCL(cclCommSplit(comm, Rank() % 2, -Rank(), &part, nullptr));
  int ranks = 0;
  CHECK_CCL(cclCommCount(part, &ranks));
  cclStream_t streams[2];
  for (cclStream_t& stream : streams) CHECK_CCL(cclStreamCreate(part, &stream));
  constexpr size_t kCount = 5000;
  std::vector<int32_t> one(kCount), other(kCount);
  std::vector<float> real(kCount);
  for (int round = 0; round < 6; ++round) {
    std::fill(one.begin(), one.end(), 3 + round);
    std::fill(other.begin(), other.end(), 5);
    CHECK_CCL(cclAllReduce(one.data(), one.data(), kCount, cclInt32, cclSum, part, streams[0]));
    CHECK_CCL(cclAllReduce(other.data(), other.data(), kCount, cclInt32, cclSum, part, streams[1]));
    for (cclStream_t stream : streams) CHECK_CCL(cclStreamSynchronize(stream));
    CHECK_THAT(one == std::vector<int32_t>(kCount, (3 + round) * ranks));
    CHECK_THAT(other == std::vector<int32_t>(kCount, 5 * ranks));
    std::fill(real.begin(), real.end(), 1.5f);
    CHECK_CCL(cclAllReduce(real.data(), real.data(), kCount, cclFloat, cclAvg, part, nullptr));
    CHECK_CCL(cclCommSynchronize(part));
    CHECK_THAT(real == std::vector<float>(kCount, 1.5f));
  }
  for (cclStream_t stream : streams) CHECK_CCL(cclStreamDestroy(stream));
  CHECK_CCL(cclAllReduce(one.data(), other.data(), kCount, cclInt32, cclSum, part, nullptr));
  CHECK_CCL(cclCommDestroy(part));
  CHECK_THAT(ccl_test::Sum(comm) == Ranks());
}

}  // namespace

int main() {
  cclComm_t comm = nullptr;
  cclUniqueId id{};
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  if (std::getenv("CCL_BACKEND") == nullptr) config.backend = "mpi:";
  CHECK_CCL(cclCommInitRankConfig(&comm, Ranks(), id, Rank(), &config));
  ForcedOnce(comm);
  for (int i = 0; i < 3; ++i) OtherWays(comm);
  for (const Kind& kind : Kinds()) {
    for (const size_t count : {1, 2, 100, 3000, 100000}) OtherBuffersInTurn(kind, comm, count);
  }
  for (const Kind& kind : Kinds()) {
    for (const size_t count : {1, 3000, 50000}) TakesNoMemory(kind, comm, count);
  }
  CHECK_CCL(cclCommDestroy(comm));
  return 0;
}
