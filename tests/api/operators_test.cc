// Reductions that users make.
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "ccl/ccl.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/api/ranks.h"

namespace {

using ccl_test::Ranks;
using testing::HasSubstr;

cclResult_t Synchronize(const Ranks& ranks) {
  for (cclComm_t comm : ranks.comms) {
    if (cclResult_t r = cclCommSynchronize(comm); r != cclSuccess) return r;
  }
  return cclSuccess;
}

TEST(Operators, PreMulSumScalesEveryRanksContribution) {
  const int n = 3;
  Ranks ranks(n);
  for (cclScalarResidence_t residence : {cclScalarHostImmediate, cclScalarDevice}) {
    std::vector<cclRedOp_t> ops(n);
    std::vector<double> scalars = {2, 3, 5};
    for (int r = 0; r < n; ++r) {
      ASSERT_EQ(cclRedOpCreatePreMulSum(&ops[r], &scalars[r], cclDouble, residence, ranks.comms[r]),
                cclSuccess);
    }
    // Immediate scalars have been read; the others are when the operation starts.
    scalars = {7, 11, 13};
    const double sum = residence == cclScalarHostImmediate ? 2 + 3 + 5 : 7 + 11 + 13;
    std::vector<std::vector<double>> in(n, std::vector<double>(6, 1)), all(n, std::vector<double>(6)),
        one(n, std::vector<double>(2));
    std::vector<double> rooted(6);
    ASSERT_EQ(cclGroupStart(), cclSuccess);
    for (int r = 0; r < n; ++r) {
      cclAllReduce(in[r].data(), all[r].data(), 6, cclDouble, ops[r], ranks.comms[r], nullptr);
      cclReduceScatter(in[r].data(), one[r].data(), 2, cclDouble, ops[r], ranks.comms[r], nullptr);
      cclReduce(in[r].data(), r == 1 ? rooted.data() : nullptr, 6, cclDouble, ops[r], 1,
                ranks.comms[r], nullptr);
      // What has been queued ends as it began.
      EXPECT_EQ(cclRedOpDestroy(ops[r], ranks.comms[r]), cclSuccess);
    }
    ASSERT_EQ(cclGroupEnd(), cclSuccess) << cclGetLastError(nullptr);
    ASSERT_EQ(Synchronize(ranks), cclSuccess) << cclGetLastError(nullptr);
    for (int r = 0; r < n; ++r) {
      EXPECT_EQ(all[r], std::vector<double>(6, sum));
      EXPECT_EQ(one[r], std::vector<double>(2, sum));
      EXPECT_EQ(in[r], std::vector<double>(6, 1)) << "the input has changed";
    }
    EXPECT_EQ(rooted, std::vector<double>(6, sum));
  }
}

TEST(Operators, PreMulSumInPlaceAndOfIntegers) {
  Ranks ranks(2);
  std::vector<int16_t> data[2] = {{1, 2}, {10, 20}};
  ASSERT_EQ(cclGroupStart(), cclSuccess);
  for (int r = 0; r < 2; ++r) {
    int16_t factor = r == 0 ? -1 : 3;
    cclRedOp_t op;
    ASSERT_EQ(cclRedOpCreatePreMulSum(&op, &factor, cclInt16, cclScalarHostImmediate, ranks.comms[r]),
              cclSuccess);
    cclAllReduce(data[r].data(), data[r].data(), 2, cclInt16, op, ranks.comms[r], nullptr);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess);
  ASSERT_EQ(Synchronize(ranks), cclSuccess);
  for (int r = 0; r < 2; ++r) EXPECT_EQ(data[r], (std::vector<int16_t>{29, 58}));
}

// Keeps the sign of the leftmost of its operands, and adds magnitudes: it does not commute.
void SignOfTheFirst(const void* left, const void* right, void* result, size_t count,
                    cclDataType_t type, void* user) {
  ASSERT_EQ(type, cclFloat);
  ++*static_cast<int*>(user);
  for (size_t i = 0; i < count; ++i) {
    float a, b;
    std::memcpy(&a, static_cast<const float*>(left) + i, sizeof a);
    std::memcpy(&b, static_cast<const float*>(right) + i, sizeof b);
    static_cast<float*>(result)[i] = std::copysign(std::abs(a) + std::abs(b), a);
  }
}

TEST(Operators, AFunctionThatDoesNotCommuteIsAppliedInOrderOfRank) {
  const int n = 5;
  Ranks ranks(n);
  const size_t count = 5000;  // more than one block of a fold
  int calls = 0;
  std::vector<std::vector<float>> data(n, std::vector<float>(count)), out = data;
  ASSERT_EQ(cclGroupStart(), cclSuccess);
  for (int r = 0; r < n; ++r) {
    for (size_t i = 0; i < count; ++i) {
      data[r][i] = (i % n == static_cast<size_t>(r) ? -1.0f : 1.0f) * static_cast<float>(r + 1);
    }
    cclRedOp_t op;
    ASSERT_EQ(cclRedOpCreate(&op, SignOfTheFirst, &calls, 0, ranks.comms[r]), cclSuccess);
    cclAllReduce(data[r].data(), out[r].data(), count, cclFloat, op, ranks.comms[r], nullptr);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess) << cclGetLastError(nullptr);
  ASSERT_EQ(Synchronize(ranks), cclSuccess) << cclGetLastError(nullptr);
  EXPECT_GT(calls, 0);
  for (int r = 0; r < n; ++r) {
    for (size_t i = 0; i < count; ++i) ASSERT_EQ(out[r][i], i % n == 0 ? -15.0f : 15.0f) << i;
  }
}

TEST(Operators, AnAlgorithmOfAnotherOrderIsRefusedByName) {
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.algorithms = "allreduce:@ring";
  Ranks ranks(4, "emulated:crossbar", config);
  int calls = 0;
  float in[4] = {1, 2, 3, 4}, out[4];
  cclRedOp_t op;
  ASSERT_EQ(cclRedOpCreate(&op, SignOfTheFirst, &calls, 0, ranks.comms[0]), cclSuccess);
  EXPECT_EQ(cclAllReduce(in, out, 4, cclFloat, op, ranks.comms[0], nullptr), cclInvalidArgument);
  EXPECT_THAT(std::string(cclGetLastError(nullptr)),
              HasSubstr("'ring', forced by the API, cannot run: it does not fold in order of rank, as a "
                        "reduction that does not commute asks; for allreduce these do: one_shot "
                        "two_shot"));
  // One that commutes takes any.
  std::vector<std::vector<float>> data(4, {1, 2, 3, 4});
  ASSERT_EQ(cclGroupStart(), cclSuccess);
  for (int r = 0; r < 4; ++r) {
    ASSERT_EQ(cclRedOpCreate(&op, SignOfTheFirst, &calls, 1, ranks.comms[r]), cclSuccess);
    cclAllReduce(data[r].data(), data[r].data(), 4, cclFloat, op, ranks.comms[r], nullptr);
  }
  ASSERT_EQ(cclGroupEnd(), cclSuccess) << cclGetLastError(nullptr);
  ASSERT_EQ(Synchronize(ranks), cclSuccess);
  EXPECT_EQ(data[3], (std::vector<float>{4, 8, 12, 16}));
}

TEST(Operators, Misuses) {
  Ranks ranks(2);
  float data[4] = {};
  float scalar = 2;
  cclComm_t comm = ranks.comms[0];
  const auto expect = [&](cclResult_t result, const char* text) {
    EXPECT_EQ(result, cclInvalidArgument) << text;
    EXPECT_THAT(std::string(cclGetLastError(comm)), HasSubstr(text));
  };
  cclRedOp_t op = cclSum;
  expect(cclRedOpCreatePreMulSum(nullptr, &scalar, cclFloat, cclScalarHostImmediate, comm),
         "op is null");
  expect(cclRedOpCreatePreMulSum(&op, nullptr, cclFloat, cclScalarDevice, comm), "scalar is null");
  expect(cclRedOpCreatePreMulSum(&op, &scalar, cclNumTypes, cclScalarDevice, comm),
         "unknown data type 14");
  expect(cclRedOpCreatePreMulSum(&op, &scalar, cclFloat, static_cast<cclScalarResidence_t>(5), comm),
         "unknown residence 5");
  expect(cclRedOpCreate(&op, nullptr, nullptr, 1, comm), "function is null");
  EXPECT_EQ(op, cclSum);
  expect(cclRedOpDestroy(cclMax, comm), "reduction 2 is not one that was made");
  ASSERT_EQ(cclRedOpCreatePreMulSum(&op, &scalar, cclFloat, cclScalarHostImmediate, comm),
            cclSuccess);
  expect(cclAllReduce(data, data, 4, cclDouble, op, comm, nullptr),
         "the reduction was made for float, and the data is double");
  expect(cclAllReduce(data, data, 4, cclFloat, op, ranks.comms[1], nullptr), "unknown reduction");
  expect(cclRedOpDestroy(op, ranks.comms[1]), "is not this communicator's");
  ASSERT_EQ(cclRedOpDestroy(op, comm), cclSuccess);
  expect(cclAllReduce(data, data, 4, cclFloat, op, comm, nullptr), "unknown reduction");
  expect(cclAllReduce(data, data, 4, cclFloat, cclBxor, comm, nullptr),
         "reduction bxor combines bits of integers; float is a float");
}

}  // namespace
