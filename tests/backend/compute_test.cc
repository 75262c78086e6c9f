#include "ccl/backend/compute.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "ccl/base/float16.h"
#include "gtest/gtest.h"

namespace ccl {
namespace {

TEST(Float16, EveryHalfSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    Float16 half;
    half.bits = static_cast<uint16_t>(bits);
    const float value = static_cast<float>(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(static_cast<float>(Float16(value)))) << bits;
    } else {
      EXPECT_EQ(Float16(value).bits, bits);
    }
  }
}

TEST(Float16, RoundsToNearestEven) {
  EXPECT_EQ(Float16(2049.0f).bits, Float16(2048.0f).bits);  // tie, even below
  EXPECT_EQ(Float16(2051.0f).bits, Float16(2052.0f).bits);  // tie, even above
  EXPECT_EQ(Float16(65520.0f).bits, 0x7c00);                // rounds to infinity
  EXPECT_EQ(Float16(65519.0f).bits, 0x7bff);
  EXPECT_EQ(Float16(0x1p-25f).bits, 0);  // tie between 0 and the smallest subnormal
  EXPECT_EQ(Float16(0x1.8p-25f).bits, 1);
}

TEST(Bfloat16, RoundsToNearestEvenAndKeepsNan) {
  EXPECT_EQ(Bfloat16(1.0f + 0x1p-8f).bits, 0x3f80);
  EXPECT_EQ(Bfloat16(1.0f + 0x3p-8f).bits, 0x3f82);
  EXPECT_TRUE(std::isnan(static_cast<float>(Bfloat16(std::nanf("")))));
}

TEST(Compute, ThreeWayFoldOfHalvesKeepsTheFloatAccumulator) {
  // 2048 + 1 + 1 is 2048 when every partial sum is rounded to half, 2050 in float32.
  const Float16 a(2048.0f), b(1.0f);
  const void* operands[] = {&a, &b, &b};
  Float16 out;
  FoldInto(DataType::kFloat16, ReduceOp::kSum, &out, operands, 1);
  EXPECT_EQ(static_cast<float>(out), 2050.0f);
}

TEST(Compute, IntegersWrap) {
  const int32_t a = std::numeric_limits<int32_t>::max(), b = 1;
  const void* operands[] = {&a, &b};
  int32_t out = 0;
  FoldInto(DataType::kInt32, ReduceOp::kSum, &out, operands, 1);
  EXPECT_EQ(out, std::numeric_limits<int32_t>::min());
  FoldInto(DataType::kInt32, ReduceOp::kProd, &out, std::vector<const void*>{&a, &a}, 1);
  EXPECT_EQ(out, 1);
}

TEST(Compute, MinAndMaxReturnNan) {
  const double nan = std::nan(""), one = 1;
  double out = 0;
  for (ReduceOp op : {ReduceOp::kMin, ReduceOp::kMax}) {
    FoldInto(DataType::kFloat64, op, &out, std::vector<const void*>{&nan, &one}, 1);
    EXPECT_TRUE(std::isnan(out));
    FoldInto(DataType::kFloat64, op, &out, std::vector<const void*>{&one, &nan}, 1);
    EXPECT_TRUE(std::isnan(out));
  }
}

TEST(Compute, FoldsInPlaceBeyondOneBlock) {
  std::vector<int64_t> a(3000), b(3000, 2), c(3000, 3);
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<int64_t>(i);
  FoldInto(DataType::kInt64, ReduceOp::kSum, a.data(),
           std::vector<const void*>{a.data(), b.data(), c.data()}, a.size());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_EQ(a[i], static_cast<int64_t>(i) + 5);
}

TEST(Compute, AverageOfIntegersRoundsTowardsZero) {
  int8_t values[] = {-7, 7, 100};
  DivideBy(DataType::kInt8, values, 3, 2);
  EXPECT_EQ(values[0], -3);
  EXPECT_EQ(values[1], 3);
  DivideBy(DataType::kInt8, values + 2, 1, 384);
  EXPECT_EQ(values[2], 0);
}

}  // namespace
}  // namespace ccl
