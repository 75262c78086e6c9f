// Emulated times against the closed alpha-beta formulas, to the picosecond.
#include <cinttypes>
#include <cstdio>
#include <thread>

#include "gmock/gmock.h"
#include "tests/exec/world.h"

namespace ccl {
namespace {

constexpr Time kLatency = 1'000'000;  // crossbar: 1 us
// 1 byte a picosecond: serialisation in ps is bytes.
const char kRate[] = "&set=port_bandwidth=1000 GB/s";

Time Measure(const std::string& algorithm, Collective collective, int n, uint64_t count,
             const std::string& options = kRate, bool lower = true) {
  World world(Crossbar(n, options));
  auto program = BuildProgram(*ParseAlgorithm(algorithm), Shape{collective, n}, lower);
  EXPECT_TRUE(program.ok()) << program.status();
  Request request;
  request.collective = collective;
  request.count = count;
  request.phantom = true;
  return world.Run(*program, std::vector<Request>(n, request));
}

void Check(const std::string& what, Time expected, Time measured) {
  std::printf("  %-58s expected %12" PRId64 " ps  measured %12" PRId64 " ps\n", what.c_str(),
              expected, measured);
  EXPECT_EQ(expected, measured) << what;
}

int Log2(int n) { return n <= 1 ? 0 : 32 - __builtin_clz(n - 1); }

TEST(Formula, StepwiseAlgorithms) {
  for (int n : {2, 3, 4, 7, 8, 13, 16, 48}) {
    const uint64_t count = static_cast<uint64_t>(n) * 960;  // divisible by n x slices
    const Time m = static_cast<Time>(count * 4), block = m / n;
    const std::string tail = absl::StrCat(", n = ", n);
    Check("ring allreduce 2(n-1)(L + m/nB)" + tail, 2 * (n - 1) * (kLatency + block),
          Measure("ring", Collective::kAllReduce, n, count));
    Check("nhr allreduce 2 ceil(log n) L + 2(n-1) m/nB" + tail,
          2 * Log2(n) * kLatency + 2 * (n - 1) * block,
          Measure("nhr", Collective::kAllReduce, n, count));
    Check("pairwise alltoall (n-1)(L + m/nB)" + tail, (n - 1) * (kLatency + block),
          Measure("pairwise", Collective::kAllToAll, n, count / n));
    if ((n & (n - 1)) == 0) {
      Check("recursive doubling log n (L + m/B)" + tail, Log2(n) * (kLatency + m),
            Measure("recursive_doubling", Collective::kAllReduce, n, count));
    }
    for (int s : {2, 4}) {
      const Time x = block / s;
      const Time rounds = 2 * (n - 1);
      Check(absl::StrCat("ring*", s, " max(R(L+x)+(S-1)x, RSx+L)", tail),
            std::max(rounds * (kLatency + x) + (s - 1) * x, rounds * s * x + kLatency),
            Measure(absl::StrCat("ring*", s), Collective::kAllReduce, n, count));
    }
  }
}

// In switches that reduce and replicate, m bytes climb and descend once, cut-through.
TEST(Formula, GroupOperations) {
  for (int n : {2, 3, 8, 48}) {
    const uint64_t count = static_cast<uint64_t>(n) * 960;
    const Time m = static_cast<Time>(count * 4), block = m / n;
    const std::string tail = absl::StrCat(", n = ", n);
    const auto measure = [&](const char* algorithm, Collective collective, uint64_t elements) {
      return Measure(algorithm, collective, n, elements,
                     absl::StrCat(kRate, "&set=switch.group_efficiency=1"), false);
    };
    Check("group_one_shot allreduce L + m/C" + tail, kLatency + m,
          measure("group_one_shot", Collective::kAllReduce, count));
    Check("group_one_shot broadcast L + m/C" + tail, kLatency + m,
          measure("group_one_shot", Collective::kBroadcast, count));
    Check("group_direct reduce-scatter L + m/C" + tail, kLatency + m,
          measure("group_direct", Collective::kReduceScatter, count / n));
    Check("group_direct allgather L + (n-1)m/nC" + tail, kLatency + (n - 1) * block,
          measure("group_direct", Collective::kAllGather, count / n));
  }
}

TEST(Formula, RaggedCountsLieBetweenFloorAndCeiling) {
  for (int n : {3, 7, 16}) {
    for (uint64_t count : {100, 1009, 12345}) {
      const Time low = static_cast<Time>(count / n * 4), high = low + 4;
      const Time measured = Measure("ring", Collective::kAllReduce, n, count);
      EXPECT_GE(measured, 2 * (n - 1) * (kLatency + low));
      EXPECT_LE(measured, 2 * (n - 1) * (kLatency + high));
    }
  }
}

// One thread for all ranks, or one for each: the same events and the same instant.
TEST(Determinism, ThreadsAndGroupAgree) {
  const int n = 8;
  for (const char* text : {"ring", "nhr", "one_shot", "double_binary_tree*4", "knomial"}) {
    const Shape shape{Collective::kAllReduce, n};
    auto program = BuildProgram(*ParseAlgorithm(text), shape, true);
    ASSERT_TRUE(program.ok());
    const uint64_t count = 10007;
    std::vector<std::vector<float>> in(n, std::vector<float>(count));
    for (int r = 0; r < n; ++r) {
      for (size_t i = 0; i < count; ++i) in[r][i] = 0.1f * static_cast<float>(r + 1) * (i % 97);
    }
    const auto request = [&](int r, std::vector<float>& out) {
      return Request{Collective::kAllReduce, DataType::kFloat32, ReduceOp::kSum, count, 0,
                     in[r].data(), out.data()};
    };
    std::vector<std::vector<float>> grouped(n, std::vector<float>(count)), threaded = grouped;
    World one(Crossbar(n));
    std::vector<Request> requests;
    for (int r = 0; r < n; ++r) requests.push_back(request(r, grouped[r]));
    one.Run(*program, requests);

    World many(Crossbar(n));
    std::vector<std::thread> threads;
    for (int r = 0; r < n; ++r) {
      threads.emplace_back([&, r] {
        many.engine->Adopt(r);
        std::vector<std::unique_ptr<Work>> work;
        work.push_back(std::make_unique<Execution>(*program, r, 1, request(r, threaded[r])));
        many.engine->Enqueue({&many.pointers[r], 1}, std::move(work));
        EXPECT_TRUE(many.engine->Wait({&many.pointers[r], 1}).ok());
        many.engine->Leave(r);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(one.engine->Digest(), many.engine->Digest()) << text;
    EXPECT_EQ(one.engine->Now(), many.engine->Now()) << text;
    EXPECT_EQ(grouped, threaded) << text;
  }
}

TEST(Engine, ADeadlockIsReportedAtOnceAndNamesTheRanks) {
  World world(Crossbar(3));
  std::vector<std::unique_ptr<Work>> work;
  work.push_back(std::make_unique<Exchange>(
      0, 1, std::vector<Exchange::Message>{{true, 1, nullptr, 64}}));
  world.engine->Enqueue({&world.pointers[0], 1}, std::move(work));
  const absl::Status status = world.engine->Wait({&world.pointers[0], 1});
  EXPECT_THAT(std::string(status.message()),
              testing::AllOf(testing::HasSubstr("deadlock"), testing::HasSubstr("rank 0"),
                             testing::HasSubstr("send to 1"), testing::HasSubstr("1 2")));
}

// What an operation costs before its first message, and the protocols of messages.
TEST(Formula, LaunchBlockAndProtocols) {
  for (int n : {2, 3, 8}) {
    const uint64_t count = static_cast<uint64_t>(n) * 960;
    const Time m = static_cast<Time>(count * 4), block = m / n;
    const std::string tail = absl::StrCat(", n = ", n);
    const std::string passes = absl::StrCat(
        kRate, "&set=launch_overhead=3 us&set=block_bandwidth=500 GB/s",
        "&set=exchange_bandwidth=250 GB/s");
    Check("launch + block/D + 2(n-1)(L + m/nB) ring allreduce" + tail,
          3'000'000 + 2 * block + 2 * (n - 1) * (kLatency + block),
          Measure("ring", Collective::kAllReduce, n, count, passes));
    Check("launch + m/E + (n-1)(L + m/nB) pairwise alltoall" + tail,
          3'000'000 + 4 * m + (n - 1) * (kLatency + block),
          Measure("pairwise", Collective::kAllToAll, n, count / n, passes));
    Check("launch + ceil(log n) L barrier" + tail, 3'000'000 + Log2(n) * kLatency,
          Measure("dissemination", Collective::kBarrier, n, 0, passes));
  }
}

// Switches whose reductions give their result to one member. Of one slice the copies follow the
// reductions; slices overlap, where ports carry x + x/n for the reductions of one and the copies of the
// one before it.
TEST(Formula, GroupTwoShotInSlices) {
  for (int n : {2, 3, 8, 48}) {
    for (int s : {1, 4, 16}) {
      const uint64_t count = static_cast<uint64_t>(n) * 960 * (s == 1 ? 1 : 100'000);
      const Time m = static_cast<Time>(count * 4), a = kLatency + 5'000'000, x = m / s;
      const Time expected = 2 * (a + x) - x / n + (s - 1) * (a + x + x / n);
      const Time measured =
          Measure(absl::StrCat("group_two_shot*", s), Collective::kAllReduce, n, count,
                  absl::StrCat(kRate, "&set=switch.group_efficiency=1",
                               "&set=switch.group_overhead=5 us&set=switch.group_results=one"),
                  false);
      const std::string what = absl::StrCat("2(a+x) - x/n + (S-1)(a+x+x/n), *", s, ", n = ", n);
      if (s == 1) {
        Check(what, expected, measured);
      } else {
        std::printf("  %-58s expected %12" PRId64 " ps  measured %12" PRId64 " ps\n", what.c_str(),
                    expected, measured);
        EXPECT_NEAR(measured, expected, 0.03 * expected) << what;
      }
    }
  }
}

}  // namespace
}  // namespace ccl
