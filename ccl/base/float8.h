#ifndef CCL_BASE_FLOAT8_H_
#define CCL_BASE_FLOAT8_H_

#include <array>
#include <bit>
#include <cstdint>

// The 8-bit floats of the OCP specification as storage formats. Conversions from float round to
// nearest, ties to even; conversions to float are exact. NaN stays NaN.
//
//   e4m3  4 bits of exponent, 3 of mantissa, no infinities: what is too large, infinity included,
//         becomes the largest value, 448
//   e5m2  5 bits of exponent, 2 of mantissa, shaped like IEEE's: what is too large becomes infinity
namespace ccl {

template <int kExponentBits, int kMantissaBits, bool kInfinities>
struct Float8 {
  // The format in numbers: the bits of floats and of codes without their signs.
  static constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  static constexpr uint32_t kSmallestNormal = uint32_t{128 - kBias} << 23;
  static constexpr uint32_t kUnits = uint32_t{128 - kBias - kMantissaBits + 23} << 23;
  // e5m2 gives its last exponent to infinity and NaN, e4m3 only its last code to NaN.
  static constexpr uint32_t kInfinity = ((1u << kExponentBits) - 1) << kMantissaBits;
  static constexpr uint32_t kLargest = kInfinities ? kInfinity - 1 : 0x7e;
  static constexpr uint32_t kNan = kInfinities ? kInfinity | 1u << (kMantissaBits - 1) : 0x7f;

  uint8_t bits = 0;

  Float8() = default;
  explicit Float8(float value) {
    const uint32_t u = std::bit_cast<uint32_t>(value);
    const uint32_t magnitude = u & 0x7fffffffu;
    uint32_t code;
    if (magnitude > 0x7f800000u) {
      code = kNan;
    } else if (magnitude < kSmallestNormal) {
      // Adding this places the value's smallest units in the low mantissa bits, rounded.
      code = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) +
                                     std::bit_cast<float>(kUnits)) - kUnits;
    } else {
      constexpr int kShift = 23 - kMantissaBits;
      const uint32_t even = magnitude >> kShift & 1u;
      code = (magnitude - (uint32_t{127 - kBias} << 23) + (1u << (kShift - 1)) - 1 + even) >> kShift;
      if (code > kLargest) code = kInfinities ? kLargest + 1 : kLargest;
    }
    bits = static_cast<uint8_t>(u >> 24 & 0x80u) | static_cast<uint8_t>(code);
  }
  explicit operator float() const { return kValues[bits]; }

 private:
  static constexpr std::array<float, 256> Values() {
    std::array<float, 256> values{};
    for (uint32_t code = 0; code < 256; ++code) {
      const uint32_t magnitude = code & 0x7f, mantissa = magnitude & ((1u << kMantissaBits) - 1);
      uint32_t value;
      if (kInfinities ? magnitude >= kInfinity : magnitude == kNan) {
        value = 0x7f800000u | (kInfinities ? mantissa : 1) << (23 - kMantissaBits);
      } else if (magnitude >> kMantissaBits == 0) {
        // Its unit is 2^(1 - kBias - kMantissaBits).
        value = std::bit_cast<uint32_t>(
            static_cast<float>(mantissa) *
            std::bit_cast<float>(uint32_t{128 - kBias - kMantissaBits} << 23));
      } else {
        value = (magnitude << (23 - kMantissaBits)) + (uint32_t{127 - kBias} << 23);
      }
      values[code] = std::bit_cast<float>((code & 0x80) << 24 | value);
    }
    return values;
  }
  static constexpr std::array<float, 256> kValues = Values();
};

using Float8E4M3 = Float8<4, 3, false>;
using Float8E5M2 = Float8<5, 2, true>;

}  // namespace ccl

#endif  // CCL_BASE_FLOAT8_H_
