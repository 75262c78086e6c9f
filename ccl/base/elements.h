#ifndef CCL_BASE_ELEMENTS_H_
#define CCL_BASE_ELEMENTS_H_

#include <cstdint>
#include <type_traits>

#include "ccl/base/float16.h"
#include "ccl/base/float8.h"
#include "ccl/base/types.h"

// From a DataType to the C++ type of its elements.
namespace ccl {

// f(T()) for the element type T of `type`.
template <typename F>
decltype(auto) WithType(DataType type, F f) {
  switch (type) {
    case DataType::kInt8: return f(int8_t{});
    case DataType::kUint8: return f(uint8_t{});
    case DataType::kInt16: return f(int16_t{});
    case DataType::kUint16: return f(uint16_t{});
    case DataType::kInt32: return f(int32_t{});
    case DataType::kUint32: return f(uint32_t{});
    case DataType::kInt64: return f(int64_t{});
    case DataType::kUint64: return f(uint64_t{});
    case DataType::kFloat16: return f(Float16());
    case DataType::kBfloat16: return f(Bfloat16());
    case DataType::kFloat8E4M3: return f(Float8E4M3());
    case DataType::kFloat8E5M2: return f(Float8E5M2());
    case DataType::kFloat64: return f(double{});
    case DataType::kFloat32: break;
  }
  return f(float{});
}

// Whether T is a storage format, in which nothing is computed: a float is.
template <typename T>
inline constexpr bool kIsStored = !std::is_arithmetic_v<T>;

// The type in which elements are combined: float32 for the floats below it.
template <typename T>
using Accumulator = std::conditional_t<kIsStored<T>, float, T>;

// Between elements and doubles, rounding as conversions from float do.
template <typename T>
double ToDouble(T value) {
  return static_cast<double>(static_cast<Accumulator<T>>(value));
}
template <typename T>
T FromDouble(double value) {
  return static_cast<T>(static_cast<Accumulator<T>>(value));
}

}  // namespace ccl

#endif  // CCL_BASE_ELEMENTS_H_
