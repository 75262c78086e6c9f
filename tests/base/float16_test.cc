#include "ccl/base/float16.h"

#include <cmath>

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

}  // namespace
}  // namespace ccl
