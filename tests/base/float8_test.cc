#include "ccl/base/float8.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "gtest/gtest.h"

namespace ccl {
namespace {

// A format as its specification words it.
struct Format {
  int exponent_bits, mantissa_bits, bias;
  bool infinities;
};
template <typename T>
constexpr Format kFormat = {};
template <>
constexpr Format kFormat<Float8E4M3> = {4, 3, 7, false};
template <>
constexpr Format kFormat<Float8E5M2> = {5, 2, 15, true};

// What a code means, by powers of two.
template <typename T>
double Meaning(int code) {
  constexpr Format f = kFormat<T>;
  const double sign = code & 0x80 ? -1 : 1;
  const int exponent = (code & 0x7f) >> f.mantissa_bits;
  const int mantissa = code & ((1 << f.mantissa_bits) - 1);
  const int last = (1 << f.exponent_bits) - 1, all = (1 << f.mantissa_bits) - 1;
  if (f.infinities && exponent == last) {
    return mantissa == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  }
  if (!f.infinities && exponent == last && mantissa == all) return std::nan("");
  const double fraction = std::ldexp(mantissa, -f.mantissa_bits);
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - f.bias);
  return sign * std::ldexp(1 + fraction, exponent - f.bias);
}

// The code of a finite or infinite value: the nearest of all, an even one between two; beyond the
// largest by half a unit or more, infinity or the largest.
template <typename T>
int Nearest(double value) {
  const int sign = std::signbit(value) ? 0x80 : 0;
  const double wanted = std::abs(value);
  int best = 0, largest = 0;
  for (int code = 0; code < 0x80; ++code) {
    const double meaning = Meaning<T>(code);
    if (!std::isfinite(meaning)) continue;
    largest = code;
    const double distance = std::abs(meaning - wanted), least = std::abs(Meaning<T>(best) - wanted);
    if (distance < least || (distance == least && code % 2 == 0)) best = code;
  }
  if (!kFormat<T>.infinities) return sign | best;
  // Where the next value would lie if there were one.
  const double unit = Meaning<T>(largest) - Meaning<T>(largest - 1);
  return sign | (wanted >= Meaning<T>(largest) + unit / 2 ? largest + 1 : best);
}

template <typename T>
class Float8Test : public testing::Test {};
using Formats = testing::Types<Float8E4M3, Float8E5M2>;
TYPED_TEST_SUITE(Float8Test, Formats);

TYPED_TEST(Float8Test, EveryCodeMeansWhatTheSpecificationSays) {
  for (int code = 0; code < 256; ++code) {
    TypeParam value;
    value.bits = static_cast<uint8_t>(code);
    const float number = static_cast<float>(value);
    if (std::isnan(Meaning<TypeParam>(code))) {
      EXPECT_TRUE(std::isnan(number)) << code;
      EXPECT_TRUE(std::isnan(static_cast<float>(TypeParam(number)))) << code;
    } else {
      EXPECT_EQ(number, Meaning<TypeParam>(code)) << code;
      EXPECT_EQ(std::signbit(number), code >= 0x80) << code;
      EXPECT_EQ(TypeParam(number).bits, code);
    }
  }
}

// All values, all midpoints between two of them, and the floats beside both.
TYPED_TEST(Float8Test, RoundsToNearestEvenAtEveryBoundary) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (int code = 0; code < 0x7f; ++code) {
    const double low = Meaning<TypeParam>(code), high = Meaning<TypeParam>(code + 1);
    if (!std::isfinite(low)) break;
    const double next = std::isfinite(high) ? high : low + (low - Meaning<TypeParam>(code - 1));
    for (double at : {low, (low + next) / 2}) {
      const float point = static_cast<float>(at);
      for (float value : {point, std::nextafter(point, infinity), std::nextafter(point, 0.0f)}) {
        EXPECT_EQ(TypeParam(value).bits, Nearest<TypeParam>(value)) << value;
        EXPECT_EQ(TypeParam(-value).bits, Nearest<TypeParam>(-value)) << -value;
      }
    }
  }
}

TYPED_TEST(Float8Test, RoundsRandomFloatsAsTheReferenceDoes) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    // Exponents around the range of both formats.
    const float value = std::ldexp(1.0f + static_cast<float>(random() >> 9) * 0x1p-23f,
                                   static_cast<int>(random() % 44) - 24);
    ASSERT_EQ(TypeParam(value).bits, Nearest<TypeParam>(value)) << value;
  }
}

TEST(Float8, WhatIsTooLarge) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(static_cast<float>(Float8E4M3(1e30f)), 448.0f);
  EXPECT_EQ(static_cast<float>(Float8E4M3(-infinity)), -448.0f);
  EXPECT_EQ(static_cast<float>(Float8E5M2(61439.0f)), 57344.0f);
  EXPECT_EQ(static_cast<float>(Float8E5M2(61440.0f)), infinity);
  EXPECT_EQ(static_cast<float>(Float8E5M2(-infinity)), -infinity);
  EXPECT_EQ(Float8E4M3(std::numeric_limits<float>::denorm_min()).bits, 0);
}

}  // namespace
}  // namespace ccl
