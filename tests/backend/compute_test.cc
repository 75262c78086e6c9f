#include "ccl/backend/compute.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "ccl/base/float16.h"
#include "ccl/base/float8.h"
#include "gtest/gtest.h"

namespace ccl {
namespace {

TEST(Compute, ThreeWayFoldOfHalvesKeepsTheFloatAccumulator) {
  // 2048 + 1 + 1 is 2048 when every partial sum is rounded to half, 2050 in float32.
  const Float16 a(2048.0f), b(1.0f);
  const void* operands[] = {&a, &b, &b};
  Float16 out;
  FoldInto(DataType::kFloat16, ReduceOp::kSum, &out, operands, 1);
  EXPECT_EQ(static_cast<float>(out), 2050.0f);
}

TEST(Compute, ThreeWayFoldOfFloat8KeepsTheFloatAccumulator) {
  // 16 + 0.5 is 16 in e4m3, whose units are 2 there, and so is 16 + 0.5 + 0.5; 17 is a tie, but 17.5
  // rounds up.
  const Float8E4M3 a(16.0f), b(0.5f);
  Float8E4M3 out;
  FoldInto(DataType::kFloat8E4M3, ReduceOp::kSum, &out, std::vector<const void*>{&a, &b, &b, &b}, 1);
  EXPECT_EQ(static_cast<float>(out), 18.0f);
}

TEST(Compute, Float8SaturatesOrOverflows) {
  const Float8E4M3 a(300.0f);
  Float8E4M3 sum;
  FoldInto(DataType::kFloat8E4M3, ReduceOp::kSum, &sum, std::vector<const void*>{&a, &a}, 1);
  EXPECT_EQ(static_cast<float>(sum), 448.0f);
  const Float8E5M2 c(57344.0f);
  Float8E5M2 product;
  FoldInto(DataType::kFloat8E5M2, ReduceOp::kProd, &product, std::vector<const void*>{&c, &c}, 1);
  EXPECT_TRUE(std::isinf(static_cast<float>(product)));
}

TEST(Compute, IntegersWrap) {
  const int32_t a = std::numeric_limits<int32_t>::max(), b = 1;
  const void* operands[] = {&a, &b};
  int32_t out = 0;
  FoldInto(DataType::kInt32, ReduceOp::kSum, &out, operands, 1);
  EXPECT_EQ(out, std::numeric_limits<int32_t>::min());
  FoldInto(DataType::kInt32, ReduceOp::kProd, &out, std::vector<const void*>{&a, &a}, 1);
  EXPECT_EQ(out, 1);
  // Products of 16 bits would overflow an int.
  const uint16_t c = 0xffff;
  uint16_t narrow = 0;
  FoldInto(DataType::kUint16, ReduceOp::kProd, &narrow, std::vector<const void*>{&c, &c}, 1);
  EXPECT_EQ(narrow, 1);
  const int16_t d = std::numeric_limits<int16_t>::min(), e = -1;
  int16_t sum = 0;
  FoldInto(DataType::kInt16, ReduceOp::kSum, &sum, std::vector<const void*>{&d, &e}, 1);
  EXPECT_EQ(sum, std::numeric_limits<int16_t>::max());
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

TEST(Compute, BitsOfIntegers) {
  const uint16_t a = 0b1100, b = 0b1010, c = 0b0110;
  const std::vector<const void*> operands{&a, &b, &c};
  uint16_t out = 0;
  FoldInto(DataType::kUint16, ReduceOp::kBand, &out, operands, 1);
  EXPECT_EQ(out, 0);
  FoldInto(DataType::kUint16, ReduceOp::kBor, &out, operands, 1);
  EXPECT_EQ(out, 0b1110);
  FoldInto(DataType::kUint16, ReduceOp::kBxor, &out, operands, 1);
  EXPECT_EQ(out, 0);
  for (int type = 0; type < kDataTypes; ++type) {
    for (int op = 0; op < kReduceOps; ++op) {
      const DataType t = static_cast<DataType>(type);
      const ReduceOp o = static_cast<ReduceOp>(op);
      EXPECT_EQ(FoldOf(t, o) != nullptr, Combines(o, t)) << Name(t) << " " << Name(o);
    }
  }
}

TEST(Compute, ScalesAndRoundsOnce) {
  // A third of 3 is 1 in every float; 1.5 rounded to half first would be no different, 1/3 is.
  const Float16 three(3.0f);
  Float16 out;
  Factor third;
  third.real = 1.0 / 3;
  ScaleInto(DataType::kFloat16, &out, &three, 1, third);
  EXPECT_EQ(static_cast<float>(out), 1.0f);
  const int8_t factor = -3;
  int8_t values[] = {50, -1};
  ScaleInto(DataType::kInt8, values, values, 2, FactorOf(DataType::kInt8, &factor));
  EXPECT_EQ(values[0], static_cast<int8_t>(-150));  // wraps
  EXPECT_EQ(values[1], 3);
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
