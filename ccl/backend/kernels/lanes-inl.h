// What a vector of bytes means as elements of a type. Included once for every target.
//
// Lanes<T>::Decode spreads a vector of bytes over kParts vectors in which is computed; Encode is the way
// back. Elements of 16 and 8 bits are taken out of 32-bit lanes by shifts, so that the parts hold every
// second or fourth of them: nothing crosses lanes, and their order does not matter to a fold.
#if defined(CCL_BACKEND_KERNELS_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CCL_BACKEND_KERNELS_LANES_INL_H_
#undef CCL_BACKEND_KERNELS_LANES_INL_H_
#else
#define CCL_BACKEND_KERNELS_LANES_INL_H_
#endif

#include <bit>
#include <cstdint>

#include "ccl/base/elements.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ccl::kernels::HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR

namespace hn = hwy::HWY_NAMESPACE;

using DBytes = hn::ScalableTag<uint8_t>;
using DFloat = hn::ScalableTag<float>;
using DBits = hn::ScalableTag<int32_t>;  // of floats: magnitudes compare as signed numbers
using VBytes = hn::Vec<DBytes>;
using VFloat = hn::Vec<DFloat>;
using VBits = hn::Vec<DBits>;

template <class V, int kParts_>
struct Parts {
  V part[kParts_];
};

HWY_INLINE VBits Bits(uint32_t value) { return hn::Set(DBits(), static_cast<int32_t>(value)); }
HWY_INLINE VBits BitsOf(VFloat value) { return hn::BitCast(DBits(), value); }
HWY_INLINE VFloat FloatOf(VBits bits) { return hn::BitCast(DFloat(), bits); }
template <int kBits>
HWY_INLINE VBits UnsignedShiftRight(VBits bits) {
  const hn::ScalableTag<uint32_t> unsigned_lanes;
  return hn::BitCast(DBits(), hn::ShiftRight<kBits>(hn::BitCast(unsigned_lanes, bits)));
}

// The types in which is computed as they are.
template <typename T>
struct Lanes {
  using D = hn::ScalableTag<T>;
  static constexpr int kParts = 1;
  using Decoded = Parts<hn::Vec<D>, kParts>;

  static HWY_INLINE Decoded Decode(VBytes bytes) { return {{hn::BitCast(D(), bytes)}}; }
  static HWY_INLINE VBytes Encode(const Decoded& decoded) {
    return hn::BitCast(DBytes(), decoded.part[0]);
  }
};

template <>
struct Lanes<Bfloat16> {
  using D = DFloat;
  static constexpr int kParts = 2;
  using Decoded = Parts<VFloat, kParts>;

  static HWY_INLINE Decoded Decode(VBytes bytes) {
    const VBits pair = hn::BitCast(DBits(), bytes);
    return {{FloatOf(hn::ShiftLeft<16>(pair)), FloatOf(hn::And(pair, Bits(0xffff0000)))}};
  }
  static HWY_INLINE VBytes Encode(const Decoded& decoded) {
    const VBits low = UnsignedShiftRight<16>(Round(decoded.part[0]));
    const VBits high = hn::And(Round(decoded.part[1]), Bits(0xffff0000));
    return hn::BitCast(DBytes(), hn::Or(low, high));
  }

 private:
  // With the result in the upper half, and something in the lower.
  static HWY_INLINE VBits Round(VFloat value) {
    const VBits u = BitsOf(value);
    const VBits even = hn::And(UnsignedShiftRight<16>(u), Bits(1));
    const VBits rounded = hn::Add(hn::Add(u, Bits(0x7fff)), even);
    const auto nan = hn::RebindMask(DBits(), hn::IsNaN(value));
    return hn::IfThenElse(nan, hn::Or(u, Bits(0x00400000)), rounded);
  }
};

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
#define CCL_KERNELS_CONVERTS_HALVES 1
#else
#define CCL_KERNELS_CONVERTS_HALVES 0
#endif

#if CCL_KERNELS_CONVERTS_HALVES
// By the conversions of the processor.
using DHalves = hn::ScalableTag<uint16_t>;
using DStored = hn::Rebind<hwy::float16_t, DFloat>;
using VHalves = hn::Vec<DHalves>;

HWY_INLINE VFloat LowerToFloat(VHalves halves) {
  return hn::PromoteTo(DFloat(), hn::BitCast(DStored(), hn::LowerHalf(hn::Half<DHalves>(), halves)));
}
HWY_INLINE VFloat UpperToFloat(VHalves halves) {
  return hn::PromoteTo(DFloat(), hn::BitCast(DStored(), hn::UpperHalf(hn::Half<DHalves>(), halves)));
}

template <>
struct Lanes<Float16> {
  using D = DFloat;
  static constexpr int kParts = 2;
  using Decoded = Parts<VFloat, kParts>;

  static HWY_INLINE Decoded Decode(VBytes bytes) {
    const VHalves halves = hn::BitCast(DHalves(), bytes);
    return {{LowerToFloat(halves), UpperToFloat(halves)}};
  }
  static HWY_INLINE VBytes Encode(const Decoded& decoded) {
    return hn::BitCast(DBytes(), hn::Combine(DHalves(), ToHalf(decoded.part[1]),
                                             ToHalf(decoded.part[0])));
  }

 private:
  // The processor keeps the bits of a NaN, Float16 its sign alone.
  static HWY_INLINE hn::Vec<hn::Half<DHalves>> ToHalf(VFloat value) {
    // Every NaN in a result is quiet.
    const VFloat plain = FloatOf(hn::And(BitsOf(value), Bits(0xffc00000)));
    const VFloat canonical = hn::IfThenElse(hn::IsNaN(value), plain, value);
    return hn::BitCast(hn::Half<DHalves>(), hn::DemoteTo(DStored(), canonical));
  }
};
#else
template <>
struct Lanes<Float16> {
  using D = DFloat;
  static constexpr int kParts = 2;
  using Decoded = Parts<VFloat, kParts>;

  static HWY_INLINE Decoded Decode(VBytes bytes) {
    const VBits pair = hn::BitCast(DBits(), bytes);
    return {{ToFloat(hn::And(pair, Bits(0xffff))), ToFloat(UnsignedShiftRight<16>(pair))}};
  }
  static HWY_INLINE VBytes Encode(const Decoded& decoded) {
    return hn::BitCast(DBytes(), hn::Or(ToHalf(decoded.part[0]),
                                        hn::ShiftLeft<16>(ToHalf(decoded.part[1]))));
  }

 private:
  // The steps are those of Float16, side by side.
  static HWY_INLINE VFloat ToFloat(VBits half) {
    const VBits magnitude = hn::And(half, Bits(0x7fff));
    const VBits shifted = hn::ShiftLeft<13>(magnitude);
    const VBits small = BitsOf(hn::Mul(hn::ConvertTo(DFloat(), magnitude), hn::Set(DFloat(), 0x1p-24f)));
    VBits value = hn::Add(shifted, Bits(0x38000000));
    value = hn::IfThenElse(hn::Lt(magnitude, Bits(0x400)), small, value);
    value = hn::IfThenElse(hn::Gt(magnitude, Bits(0x7bff)), hn::Or(shifted, Bits(0x7f800000)), value);
    return FloatOf(hn::Or(value, hn::ShiftLeft<16>(hn::And(half, Bits(0x8000)))));
  }
  static HWY_INLINE VBits ToHalf(VFloat value) {
    const VBits u = BitsOf(value), magnitude = hn::And(u, Bits(0x7fffffff));
    const VBits even = hn::And(hn::ShiftRight<13>(magnitude), Bits(1));
    const VBits normal =
        hn::ShiftRight<13>(hn::Add(hn::Sub(magnitude, Bits(0x38000000 - 0xfff)), even));
    const VBits small =
        hn::Sub(BitsOf(hn::Add(FloatOf(magnitude), hn::Set(DFloat(), 0.5f))), Bits(0x3f000000));
    VBits half = hn::IfThenElse(hn::Lt(magnitude, Bits(0x38800000)), small, normal);
    half = hn::IfThenElse(hn::Gt(magnitude, Bits(0x477fffff)), Bits(0x7c00), half);
    half = hn::IfThenElse(hn::Gt(magnitude, Bits(0x7f800000)), Bits(0x7e00), half);
    return hn::Or(half, hn::And(UnsignedShiftRight<16>(u), Bits(0x8000)));
  }
};
#endif

template <int kExponentBits, int kMantissaBits, bool kInfinities>
struct Lanes<Float8<kExponentBits, kMantissaBits, kInfinities>> {
  using T = Float8<kExponentBits, kMantissaBits, kInfinities>;
  using D = DFloat;
  static constexpr int kParts = 4;
  using Decoded = Parts<VFloat, kParts>;

#if CCL_KERNELS_CONVERTS_HALVES
  // An e5m2 is the upper half of a half; an e4m3 with its exponent in a half's place is a 256th.
  static HWY_INLINE Decoded Decode(VBytes bytes) {
    const VHalves pair = hn::BitCast(DHalves(), bytes);
    const VHalves even = ToHalves(hn::ShiftLeft<8>(pair));
    const VHalves odd = ToHalves(hn::And(pair, hn::Set(DHalves(), 0xff00)));
    return {{Rebiased(LowerToFloat(even)), Rebiased(UpperToFloat(even)), Rebiased(LowerToFloat(odd)),
             Rebiased(UpperToFloat(odd))}};
  }
  static HWY_INLINE VBytes Encode(const Decoded& decoded) {
    const hn::ScalableTag<int16_t> narrow;
    const hn::ScalableTag<uint64_t> quads;
    const auto even = hn::ReorderDemote2To(narrow, ToCode(decoded.part[0]), ToCode(decoded.part[1]));
    const auto odd = hn::ReorderDemote2To(narrow, ToCode(decoded.part[2]), ToCode(decoded.part[3]));
    const auto packed = hn::BitCast(quads, hn::Or(even, hn::ShiftLeft<8>(odd)));
    // Packing has put the four of one part beside the four of the other, block by block.
    HWY_ALIGN static constexpr uint64_t kOrder[] = {0, 2, 4, 6, 1, 3, 5, 7};
    HWY_ALIGN static constexpr uint64_t kOrderOfFour[] = {0, 2, 1, 3};
    const uint64_t* const order = hn::MaxLanes(quads) == 8 ? kOrder : kOrderOfFour;
    return hn::BitCast(DBytes(), hn::TableLookupLanes(packed, hn::SetTableIndices(quads, order)));
  }
#else
  static HWY_INLINE Decoded Decode(VBytes bytes) {
    const VBits four = hn::BitCast(DBits(), bytes);
    return {{ToFloat(four), ToFloat(UnsignedShiftRight<8>(four)),
             ToFloat(UnsignedShiftRight<16>(four)), ToFloat(UnsignedShiftRight<24>(four))}};
  }
  static HWY_INLINE VBytes Encode(const Decoded& decoded) {
    const VBits low = hn::Or(ToCode(decoded.part[0]), hn::ShiftLeft<8>(ToCode(decoded.part[1])));
    const VBits high = hn::Or(hn::ShiftLeft<16>(ToCode(decoded.part[2])),
                              hn::ShiftLeft<24>(ToCode(decoded.part[3])));
    return hn::BitCast(DBytes(), hn::Or(low, high));
  }
#endif

 private:
  static constexpr int kShift = 23 - kMantissaBits;
  static constexpr uint32_t kRebias = uint32_t{127 - T::kBias} << 23;

#if CCL_KERNELS_CONVERTS_HALVES
  // Of codes in the upper bytes.
  static HWY_INLINE VHalves ToHalves(VHalves codes) {
    if constexpr (kInfinities) return codes;
    const VHalves sign = hn::And(codes, hn::Set(DHalves(), 0x8000));
    const VHalves magnitude = hn::And(hn::ShiftRight<1>(codes), hn::Set(DHalves(), 0x3f80));
    const VHalves half = hn::Or(sign, magnitude);
    const auto nan = hn::Eq(magnitude, hn::Set(DHalves(), 0x3f80));
    return hn::IfThenElse(nan, hn::Or(half, hn::Set(DHalves(), 0x7c00)), half);
  }
  static HWY_INLINE VFloat Rebiased(VFloat value) {
    if constexpr (kInfinities) return value;
    return hn::Mul(value, hn::Set(DFloat(), 256.0f));
  }
#else
  // Of the lowest byte; what is above it does not matter.
  static HWY_INLINE VFloat ToFloat(VBits code) {
    const VBits magnitude = hn::And(code, Bits(0x7f));
    const VBits shifted = hn::ShiftLeft<kShift>(magnitude);
    const float unit = std::bit_cast<float>(uint32_t{128 - T::kBias - kMantissaBits} << 23);
    const VBits small = BitsOf(hn::Mul(hn::ConvertTo(DFloat(), magnitude), hn::Set(DFloat(), unit)));
    VBits value = hn::Add(shifted, Bits(kRebias));
    value = hn::IfThenElse(hn::Lt(magnitude, Bits(1u << kMantissaBits)), small, value);
    // Infinity keeps its empty mantissa; e4m3's one NaN has a full one.
    value = hn::IfThenElse(hn::Gt(magnitude, Bits(T::kLargest)), hn::Or(shifted, Bits(0x7f800000)), value);
    return FloatOf(hn::Or(value, hn::ShiftLeft<24>(hn::And(code, Bits(0x80)))));
  }
#endif
  static HWY_INLINE VBits ToCode(VFloat value) {
    const VBits u = BitsOf(value), magnitude = hn::And(u, Bits(0x7fffffff));
    const VBits even = hn::And(hn::ShiftRight<kShift>(magnitude), Bits(1));
    const VBits normal = hn::ShiftRight<kShift>(
        hn::Add(hn::Sub(magnitude, Bits(kRebias - (1u << (kShift - 1)) + 1)), even));
    const VBits small = hn::Sub(BitsOf(hn::Add(FloatOf(magnitude), FloatOf(Bits(T::kUnits)))),
                                Bits(T::kUnits));
    VBits code = hn::IfThenElse(hn::Lt(magnitude, Bits(T::kSmallestNormal)), small,
                                hn::Min(normal, Bits(T::kLargest + (kInfinities ? 1 : 0))));
    code = hn::IfThenElse(hn::Gt(magnitude, Bits(0x7f800000)), Bits(T::kNan), code);
    return hn::Or(code, hn::And(UnsignedShiftRight<24>(u), Bits(0x80)));
  }
};

#endif  // HWY_TARGET != HWY_SCALAR
}  // namespace ccl::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CCL_BACKEND_KERNELS_LANES_INL_H_
