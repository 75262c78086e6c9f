// Options of one call, and what determinism promises.
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "ccl/ccl.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/api/ranks.h"

namespace {

using ccl_test::Ranks;
using ccl_test::Said;
using testing::HasSubstr;

cclCallConfig_t With(const char* algorithm, int channels = 0,
                     int deterministic = CCL_CONFIG_UNDEF_INT, int force = 1) {
  cclCallConfig_t config = CCL_CALL_CONFIG_INITIALIZER;
  config.algorithm = algorithm;
  config.channels = channels;
  config.deterministic = deterministic;
  config.forceAlgorithm = force;
  return config;
}

// Values whose sums round, by rank and element.
float Value(int rank, size_t i) {
  return 0.37f * static_cast<float>((rank * 7919 + static_cast<int>(i) * 104729) % 1000 - 300) +
         1e-3f * static_cast<float>(rank);
}

// Rank 0's sum of `count` float32 or float16 elements; empty when refused.
std::vector<char> Sum(const Ranks& ranks, cclDataType_t type, size_t count, const cclCallConfig_t& config,
                      cclResult_t* refused = nullptr) {
  const size_t size = type == cclFloat ? 4 : 2;
  const size_t n = ranks.comms.size();
  std::vector<std::vector<char>> data(n, std::vector<char>(count * size));
  for (size_t r = 0; r < n; ++r) {
    for (size_t i = 0; i < count; ++i) {
      const float value = Value(static_cast<int>(r), i);
      // bfloat16 is the upper half of a float.
      std::memcpy(data[r].data() + i * size,
                  reinterpret_cast<const char*>(&value) + (type == cclFloat ? 0 : 2), size);
    }
  }
  EXPECT_EQ(cclGroupStart(), cclSuccess);
  for (size_t r = 0; r < n; ++r) {
    cclAllReduceConfig(data[r].data(), data[r].data(), count, type, cclSum, ranks.comms[r], nullptr,
                       &config);
  }
  const cclResult_t result = cclGroupEnd();
  if (refused != nullptr) *refused = result;
  if (result != cclSuccess) return {};
  for (cclComm_t comm : ranks.comms) EXPECT_EQ(cclCommSynchronize(comm), cclSuccess) << Said();
  return data[0];
}

TEST(CallConfig, ShapeInvariantBitsDependOnTheOrderOfRanksOnly) {
  const int n = 7;
  Ranks ranks(n), other(n, "emulated:crossbar?set=switch.group_efficiency=0.5");
  for (cclDataType_t type : {cclFloat, cclBfloat16}) {
    const size_t size = type == cclFloat ? 4 : 2;
    const std::vector<char> all =
        Sum(ranks, type, 1009, With(nullptr, 0, cclDeterminismShapeInvariant));
    ASSERT_FALSE(all.empty()) << Said();
    for (size_t count : {1, 2, 6, 7, 8, 100, 1009}) {
      for (int channels : {0, 1, 3}) {
        for (const char* algorithm : {static_cast<const char*>(nullptr), "one_shot", "two_shot",
                                      "group_one_shot", "group_two_shot"}) {
          for (const Ranks* world : {&ranks, &other}) {
            const std::vector<char> some = Sum(
                *world, type, count, With(algorithm, channels, cclDeterminismShapeInvariant));
            ASSERT_EQ(some.size(), count * size) << Said();
            ASSERT_EQ(std::memcmp(some.data(), all.data(), some.size()), 0)
                << count << " " << (algorithm == nullptr ? "chosen" : algorithm) << "*" << channels;
          }
        }
      }
    }
    // The same sum in another order is another one: the values are not too tame.
    EXPECT_NE(Sum(ranks, type, 1009, With("ring")), all);
  }
}

TEST(CallConfig, AClassThatAnAlgorithmDoesNotHaveIsAnErrorThatNamesThose) {
  Ranks ranks(4);
  cclResult_t result;
  Sum(ranks, cclFloat, 10, With("ring", 0, cclDeterminismShapeInvariant), &result);
  EXPECT_EQ(result, cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("'ring', forced by the call, cannot run: it does not fold all "
                                "contributions at once in order of rank, as shape-invariant results "
                                "ask; for allreduce these do: one_shot two_shot"));
  // A wish is not; nor is the order of integers.
  EXPECT_FALSE(Sum(ranks, cclFloat, 10, With("ring", 0, cclDeterminismShapeInvariant, 0)).empty());
  EXPECT_FALSE(Sum(ranks, cclFloat, 10, With("ring", 0, cclDeterminismRunToRun)).empty());
  std::vector<int> in(4, 1);
  cclCallConfig_t config = With("ring", 0, cclDeterminismShapeInvariant);
  ASSERT_EQ(cclGroupStart(), cclSuccess);
  for (int r = 0; r < 4; ++r) {
    cclAllReduceConfig(&in[r], &in[r], 1, cclInt, cclSum, ranks.comms[r], nullptr, &config);
  }
  EXPECT_EQ(cclGroupEnd(), cclSuccess) << Said();
}

TEST(CallConfig, TheCommunicatorsAndTheEnvironmentsDeterminism) {
  cclConfig_t strict = CCL_CONFIG_INITIALIZER;
  strict.deterministic = cclDeterminismShapeInvariant;
  Ranks ranks(3, "emulated:crossbar", strict);
  cclResult_t result;
  Sum(ranks, cclFloat, 10, With("ring"), &result);
  EXPECT_EQ(result, cclInvalidArgument);
  EXPECT_FALSE(Sum(ranks, cclFloat, 10, With("ring", 0, cclDeterminismOff)).empty()) << Said();
  ASSERT_EQ(setenv("CCL_DETERMINISTIC", "shape-invariant", 1), 0);
  {
    Ranks from_environment(3);
    Sum(from_environment, cclFloat, 10, With("ring"), &result);
    EXPECT_EQ(result, cclInvalidArgument);
    // As in NCCL, the environment goes before the program; a call goes before both.
    strict.deterministic = cclDeterminismOff;
    Ranks lax(3, "emulated:crossbar", strict);
    Sum(lax, cclFloat, 10, With("ring"), &result);
    EXPECT_EQ(result, cclInvalidArgument);
    EXPECT_FALSE(Sum(lax, cclFloat, 10, With("ring", 0, cclDeterminismOff)).empty()) << Said();
  }
  ASSERT_EQ(setenv("CCL_DETERMINISTIC", "always", 1), 0);
  cclComm_t comm;
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.backend = "emulated:crossbar";
  EXPECT_EQ(cclCommInitAllConfig(&comm, 1, nullptr, &config), cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("CCL_DETERMINISTIC is 'always'; it is off, run-to-run or "
                                "shape-invariant"));
  unsetenv("CCL_DETERMINISTIC");
}

TEST(CallConfig, MisusesAndChannels) {
  Ranks ranks(2);
  cclResult_t result;
  cclCallConfig_t config = With(nullptr);
  config.magic = 1;
  Sum(ranks, cclFloat, 1, config, &result);
  EXPECT_EQ(result, cclInvalidArgument);
  EXPECT_THAT(Said(), HasSubstr("was not initialised with CCL_CALL_CONFIG_INITIALIZER"));
  Sum(ranks, cclFloat, 1, With(nullptr, -1), &result);
  EXPECT_THAT(Said(), HasSubstr("has -1 channels"));
  Sum(ranks, cclFloat, 1, With(nullptr, 0, 7), &result);
  EXPECT_THAT(Said(), HasSubstr("unknown determinism 7"));
  Sum(ranks, cclFloat, 1, With("rign"), &result);
  EXPECT_EQ(result, cclInvalidArgument);
  EXPECT_FALSE(Sum(ranks, cclFloat, 5, With("ring", 3)).empty()) << Said();
  EXPECT_FALSE(Sum(ranks, cclFloat, 5, With("chain", 64)).empty()) << Said();
}

}  // namespace
