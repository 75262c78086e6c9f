// The operations on vectors of the type in which is computed. Included once for every target.
#if defined(CCL_BACKEND_KERNELS_COMBINE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CCL_BACKEND_KERNELS_COMBINE_INL_H_
#undef CCL_BACKEND_KERNELS_COMBINE_INL_H_
#else
#define CCL_BACKEND_KERNELS_COMBINE_INL_H_
#endif

#include <type_traits>

#include "ccl/backend/kernels/lanes-inl.h"
#include "ccl/backend/kernels/scalar.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ccl::kernels::HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR

template <class V>
HWY_INLINE V Combine(Sum, V a, V b) {
  return hn::Add(a, b);
}
template <class V>
HWY_INLINE V Combine(Prod, V a, V b) {
  using T = hn::TFromV<V>;
  const hn::DFromV<V> lanes;
  if constexpr (sizeof(T) == 1) {
    // Even and odd bytes, in lanes twice as wide.
    const hn::RepartitionToWide<decltype(lanes)> wide;
    const auto x = hn::BitCast(wide, a), y = hn::BitCast(wide, b);
    const auto even = hn::And(hn::Mul(x, y), hn::Set(wide, 0xff));
    const auto odd = hn::ShiftLeft<8>(hn::Mul(hn::ShiftRight<8>(x), hn::ShiftRight<8>(y)));
    return hn::BitCast(lanes, hn::Or(even, odd));
  } else if constexpr (std::is_integral_v<T> && sizeof(T) == 8) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
    return hn::Mul(a, b);
#else
    const hn::RepartitionToNarrow<decltype(lanes)> narrow;
    const auto x = hn::BitCast(narrow, a), y = hn::BitCast(narrow, b);
    const auto cross = hn::BitCast(lanes, hn::Mul(x, hn::Shuffle2301(y)));
    const auto high = hn::And(cross, hn::Set(lanes, T{0xffffffff} << 32));
    return hn::Add(hn::MulEven(x, y), hn::Add(high, hn::ShiftLeft<32>(cross)));
#endif
  } else {
    return hn::Mul(a, b);
  }
}
template <class V>
HWY_INLINE V Combine(Max, V a, V b) {
  if constexpr (std::is_floating_point_v<hn::TFromV<V>>) {
#if HWY_ARCH_X86
    // Its own keeps b where a comparison would: of NaNs, and of equal zeros.
    return hn::IfThenElse(hn::IsNaN(a), a, hn::Max(a, b));
#else
    return hn::IfThenElse(hn::Or(hn::IsNaN(a), hn::Gt(a, b)), a, b);
#endif
  } else {
    return hn::Max(a, b);
  }
}
template <class V>
HWY_INLINE V Combine(Min, V a, V b) {
  if constexpr (std::is_floating_point_v<hn::TFromV<V>>) {
#if HWY_ARCH_X86
    // Its own keeps b where a comparison would: of NaNs, and of equal zeros.
    return hn::IfThenElse(hn::IsNaN(a), a, hn::Min(a, b));
#else
    return hn::IfThenElse(hn::Or(hn::IsNaN(a), hn::Lt(a, b)), a, b);
#endif
  } else {
    return hn::Min(a, b);
  }
}
template <class V>
HWY_INLINE V Combine(Band, V a, V b) {
  return hn::And(a, b);
}
template <class V>
HWY_INLINE V Combine(Bor, V a, V b) {
  return hn::Or(a, b);
}
template <class V>
HWY_INLINE V Combine(Bxor, V a, V b) {
  return hn::Xor(a, b);
}
struct Quotient {};
template <class V>
HWY_INLINE V Combine(Quotient, V a, V b) {
  return hn::Div(a, b);
}

#endif  // HWY_TARGET != HWY_SCALAR
}  // namespace ccl::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CCL_BACKEND_KERNELS_COMBINE_INL_H_
