// Predictions through the C API.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "ccl/ccl.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/api/ranks.h"

namespace {

using ccl_test::Ranks;
using ccl_test::Said;
using ccl_test::Sums;
using testing::HasSubstr;

TEST(Explain, TheChoiceItsCandidatesAndTheReason) {
  Ranks ranks(8);
  cclExplanation_t e = CCL_EXPLANATION_INITIALIZER;
  const auto explain = [&](const cclCallConfig_t* config) {
    return cclExplain(ranks.comms[3], cclCollAllReduce, 1 << 20, cclFloat, cclSum, 0, config, &e);
  };
  ASSERT_EQ(explain(nullptr), cclSuccess) << Said();
  EXPECT_EQ(e.forced, 0);
  ASSERT_GT(e.candidateCount, 5u);
  EXPECT_STREQ(e.choice.algorithm, e.candidates[0].algorithm);
  EXPECT_EQ(e.choice.microseconds, e.candidates[0].microseconds);
  for (size_t i = 1; i < e.candidateCount; ++i) {
    EXPECT_LE(e.candidates[i - 1].microseconds, e.candidates[i].microseconds);
  }
  EXPECT_THAT(e.reason, HasSubstr("the fastest predicted of"));
  EXPECT_THAT(e.text, HasSubstr(e.candidates[e.candidateCount - 1].algorithm));
  // Shape-invariant: all candidates are.
  cclCallConfig_t config = CCL_CALL_CONFIG_INITIALIZER;
  config.deterministic = cclDeterminismShapeInvariant;
  ASSERT_EQ(explain(&config), cclSuccess) << Said();
  ASSERT_GT(e.candidateCount, 1u);
  for (size_t i = 0; i < e.candidateCount; ++i) {
    EXPECT_EQ(e.candidates[i].determinism, cclDeterminismShapeInvariant) << e.candidates[i].algorithm;
  }
  // Forced: no candidates, and a time all the same.
  config.deterministic = cclDeterminismOff;
  config.algorithm = "ring";
  ASSERT_EQ(explain(&config), cclSuccess);
  EXPECT_EQ(e.forced, 1);
  EXPECT_EQ(e.candidateCount, 0u);
  EXPECT_STREQ(e.choice.algorithm, "ring");
  EXPECT_GT(e.choice.microseconds, 0);
  EXPECT_EQ(e.choice.determinism, cclDeterminismRunToRun);
  EXPECT_THAT(e.reason, HasSubstr("forced by the call"));
  // Integers have one result.
  ASSERT_EQ(cclExplain(ranks.comms[3], cclCollAllReduce, 1, cclInt, cclSum, 0, &config, &e), cclSuccess);
  EXPECT_EQ(e.choice.determinism, cclDeterminismShapeInvariant);
  // What was said is what runs.
  std::vector<int64_t> times;
  for (size_t i = 0; i < 2; ++i) {
    ASSERT_EQ(cclExplain(ranks.comms[0], cclCollAllReduce, 1 << 20, cclInt, cclSum, 0, nullptr, &e), cclSuccess);
    config.algorithm = i == 0 ? nullptr : e.choice.algorithm;
    Ranks fresh(8);
    std::vector<int> in(1 << 20, 1), out(1 << 20);
    std::vector<std::vector<int>> outs(8, out);
    cclGroupStart();
    for (size_t r = 0; r < 8; ++r) {
      cclAllReduceConfig(in.data(), outs[r].data(), 1 << 20, cclInt, cclSum, fresh.comms[r], nullptr, &config);
    }
    ASSERT_EQ(cclGroupEnd(), cclSuccess) << Said();
    for (cclComm_t comm : fresh.comms) ASSERT_EQ(cclCommSynchronize(comm), cclSuccess) << Said();
    times.emplace_back();
    cclCommGetTime(fresh.comms[0], &times.back());
    EXPECT_NEAR(static_cast<double>(times.back()) / 1e6, e.choice.microseconds, 0.1 * e.choice.microseconds);
  }
  EXPECT_EQ(times[0], times[1]);
}

TEST(Explain, EveryCollective) {
  Ranks ranks(4);
  for (int c = 0; c < cclNumColls; ++c) {
    cclExplanation_t e = CCL_EXPLANATION_INITIALIZER;
    EXPECT_EQ(cclExplain(ranks.comms[0], static_cast<cclCollective_t>(c), 100, cclInt, cclSum, 1,
                         nullptr, &e), cclSuccess) << c << ": " << Said();
    EXPECT_TRUE(std::isfinite(e.choice.microseconds)) << c;
    EXPECT_GT(e.choice.microseconds, 0) << c;
  }
}

// minChannels and maxChannels bound what the planner chooses, not what somebody says.
TEST(Explain, PiecesLieBetweenTheConfiguredOnes) {
  const auto pieces = [](const char* algorithm) {
    const char* star = std::strrchr(algorithm, '*');
    return star == nullptr ? 1 : std::atoi(star + 1);
  };
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.minChannels = 2;
  config.maxChannels = 5;
  Ranks ranks(8, "emulated:crossbar", config);
  cclExplanation_t e = CCL_EXPLANATION_INITIALIZER;
  const auto explain = [&](const cclCallConfig_t* call) {
    EXPECT_EQ(cclExplain(ranks.comms[0], cclCollAllReduce, 1 << 24, cclFloat, cclSum, 0, call, &e), cclSuccess)
        << Said();
    return pieces(e.choice.algorithm);
  };
  explain(nullptr);
  ASSERT_GT(e.candidateCount, 5u);
  std::set<std::string> names;
  for (size_t i = 0; i < e.candidateCount; ++i) {
    EXPECT_GE(pieces(e.candidates[i].algorithm), 2) << e.candidates[i].algorithm;
    EXPECT_LE(pieces(e.candidates[i].algorithm), 5) << e.candidates[i].algorithm;
    EXPECT_TRUE(names.insert(e.candidates[i].algorithm).second) << e.candidates[i].algorithm;
  }
  cclCallConfig_t call = CCL_CALL_CONFIG_INITIALIZER;
  call.channels = 7;
  EXPECT_EQ(explain(&call), 7);
  call.channels = 0;
  call.algorithm = "ring";
  EXPECT_EQ(explain(&call), 1);
  EXPECT_EQ(Sums(ranks.comms, {1, 2, 3, 4, 5, 6, 7, 8}), std::vector<int>(8, 36));
}

TEST(Explain, Misuses) {
  Ranks ranks(2);
  cclExplanation_t e = CCL_EXPLANATION_INITIALIZER;
  const auto expect = [](cclResult_t result, const char* text) {
    EXPECT_EQ(result, cclInvalidArgument);
    EXPECT_THAT(Said(), HasSubstr(text));
  };
  cclComm_t comm = ranks.comms[0];
  expect(cclExplain(comm, cclCollAllReduce, 1, cclInt, cclSum, 0, nullptr, nullptr), "is null");
  expect(cclExplain(comm, static_cast<cclCollective_t>(99), 1, cclInt, cclSum, 0, nullptr, &e),
         "unknown collective 99");
  expect(cclExplain(comm, cclCollReduce, 1, cclInt, cclSum, 2, nullptr, &e), "root 2");
  expect(cclExplain(comm, cclCollAllReduce, SIZE_MAX, cclInt, cclSum, 0, nullptr, &e), "too large");
  expect(cclExplain(comm, cclCollAllReduce, 1, cclFloat, cclBxor, 0, nullptr, &e), "combines bits");
  cclCallConfig_t config = CCL_CALL_CONFIG_INITIALIZER;
  config.algorithm = "pairwise";
  expect(cclExplain(comm, cclCollAllReduce, 1, cclInt, cclSum, 0, &config, &e), "cannot run");
  e.magic = 0;
  expect(cclExplain(comm, cclCollAllReduce, 1, cclInt, cclSum, 0, nullptr, &e),
         "CCL_EXPLANATION_INITIALIZER");
}

// Predictions of one rank's operations add up, messages and exchanges included, and nothing runs.
TEST(SimulateEnd, TheWholeGroup) {
  const int n = 4;
  Ranks ranks(n);
  std::vector<std::vector<float>> in(n, std::vector<float>(4096, 1)), out(n, std::vector<float>(4096));
  enum : unsigned { kReduce = 1, kExchange = 2, kMessages = 4, kCompute = 8, kRows = 16 };
  const auto simulate = [&](unsigned what) {
    EXPECT_EQ(cclGroupStart(), cclSuccess);
    for (int r = 0; r < n; ++r) {
      cclComm_t comm = ranks.comms[r];
      float *a = in[r].data(), *b = out[r].data();
      if (what & kReduce) cclAllReduce(a, b, 1024, cclFloat, cclSum, comm, nullptr);
      if (what & kExchange) cclAlltoAll(a, b, 1024, cclFloat, comm, nullptr);
      if (what & kRows) {
        const std::vector<size_t> counts(n, 1024);
        cclAlltoAllV(a, counts.data(), nullptr, b, counts.data(), nullptr, cclFloat, comm, nullptr);
      }
      if (what & kMessages) {
        cclSend(a, 4096, cclFloat, (r + 1) % n, comm, nullptr);
        cclRecv(b, 4096, cclFloat, (r + n - 1) % n, comm, nullptr);
      }
      if (what & kCompute) cclCommCompute(comm, 5'000'000);
    }
    cclSimInfo_t info = CCL_SIM_INFO_INITIALIZER;
    EXPECT_EQ(cclGroupSimulateEnd(&info), cclSuccess) << Said();
    return info.estimatedTime;
  };
  EXPECT_EQ(simulate(0), 0);
  const float reduce = simulate(kReduce), exchange = simulate(kExchange), messages = simulate(kMessages);
  EXPECT_GT(reduce, 0);
  EXPECT_GT(exchange, 0);
  EXPECT_GT(messages, 0);
  // A v-form is predicted by what it moves, not by what it was chosen by.
  EXPECT_NEAR(simulate(kRows), exchange, 0.2f * exchange);
  EXPECT_NEAR(simulate(kReduce | kExchange | kMessages | kCompute), reduce + exchange + messages + 5,
              1e-3);
  int64_t time = -1;
  ASSERT_EQ(cclCommGetTime(ranks.comms[0], &time), cclSuccess);
  EXPECT_EQ(time, 0);
  EXPECT_EQ(out[0], std::vector<float>(4096));
  // What is then done is as if nothing had been asked for; and takes as long as was said.
  ASSERT_EQ(cclGroupStart(), cclSuccess);
  for (int r = 0; r < n; ++r) {
    cclSend(in[r].data(), 4096, cclFloat, (r + 1) % n, ranks.comms[r], nullptr);
    cclRecv(out[r].data(), 4096, cclFloat, (r + n - 1) % n, ranks.comms[r], nullptr);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess);
  for (cclComm_t comm : ranks.comms) ASSERT_EQ(cclCommSynchronize(comm), cclSuccess) << Said();
  ASSERT_EQ(cclCommGetTime(ranks.comms[0], &time), cclSuccess);
  EXPECT_NEAR(static_cast<float>(time) / 1e6f, messages, 0.05f * messages);
  EXPECT_EQ(out[0], in[0]);
}

TEST(SimulateEnd, Misuses) {
  cclSimInfo_t info = CCL_SIM_INFO_INITIALIZER;
  EXPECT_EQ(cclGroupSimulateEnd(&info), cclInvalidUsage);
  EXPECT_THAT(Said(), HasSubstr("without cclGroupStart"));
  EXPECT_EQ(cclGroupStart(), cclSuccess);
  EXPECT_EQ(cclGroupSimulateEnd(nullptr), cclInvalidArgument);
  EXPECT_EQ(cclGroupSimulateEnd(&info), cclInvalidUsage) << "the group has ended";
  Ranks ranks(2);
  cclComm_t part = nullptr;
  EXPECT_EQ(cclGroupStart(), cclSuccess);
  EXPECT_EQ(cclCommSplit(ranks.comms[0], 0, 0, &part, nullptr), cclSuccess);
  EXPECT_EQ(cclGroupSimulateEnd(&info), cclInvalidUsage);
  EXPECT_THAT(Said(), HasSubstr("makes communicators"));
  EXPECT_EQ(part, nullptr);
  // What was wrong in the group comes back.
  EXPECT_EQ(cclGroupStart(), cclSuccess);
  EXPECT_EQ(cclSend(nullptr, 1, cclInt, 7, ranks.comms[0], nullptr), cclInvalidArgument);
  EXPECT_EQ(cclGroupSimulateEnd(&info), cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("peer 7"));
}

}  // namespace
