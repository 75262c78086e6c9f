#include "ccl/backend/compute.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "ccl/base/float16.h"

namespace ccl {
namespace {

// The type in which T is folded: 16-bit floats in float32; signed integers as unsigned, so that they
// wrap.
template <typename T>
struct FoldType {
  using type = T;
};
template <>
struct FoldType<Float16> {
  using type = float;
};
template <>
struct FoldType<Bfloat16> {
  using type = float;
};

struct Sum {
  template <typename T>
  static T Apply(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      using U = std::make_unsigned_t<T>;
      return static_cast<T>(static_cast<U>(static_cast<U>(a) + static_cast<U>(b)));
    } else {
      return a + b;
    }
  }
};
struct Prod {
  template <typename T>
  static T Apply(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      using U = std::make_unsigned_t<T>;
      // 64-bit arithmetic: narrower unsigned types would promote to int and overflow.
      return static_cast<T>(static_cast<uint64_t>(static_cast<U>(a)) *
                            static_cast<uint64_t>(static_cast<U>(b)));
    } else {
      return a * b;
    }
  }
};
struct Max {
  template <typename T>
  static T Apply(T a, T b) {
    // A NaN on the left is kept; a NaN on the right loses no comparison it should win.
    if constexpr (std::is_floating_point_v<T>) return (std::isnan(a) || a > b) ? a : b;
    return a > b ? a : b;
  }
};
struct Min {
  template <typename T>
  static T Apply(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) return (std::isnan(a) || a < b) ? a : b;
    return a < b ? a : b;
  }
};

template <typename T, typename Op>
void Fold(T* dst, absl::Span<const void* const> operands, size_t count) {
  using F = typename FoldType<T>::type;
  if (operands.size() == 2) {
    const T* a = static_cast<const T*>(operands[0]);
    const T* b = static_cast<const T*>(operands[1]);
    for (size_t i = 0; i < count; ++i) {
      dst[i] = static_cast<T>(Op::template Apply<F>(static_cast<F>(a[i]), static_cast<F>(b[i])));
    }
    return;
  }
  constexpr size_t kBlock = 1024;
  F accumulator[kBlock];
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t n = std::min(kBlock, count - begin);
    const T* first = static_cast<const T*>(operands[0]) + begin;
    for (size_t i = 0; i < n; ++i) accumulator[i] = static_cast<F>(first[i]);
    for (size_t k = 1; k < operands.size(); ++k) {
      const T* next = static_cast<const T*>(operands[k]) + begin;
      for (size_t i = 0; i < n; ++i) {
        accumulator[i] = Op::template Apply<F>(accumulator[i], static_cast<F>(next[i]));
      }
    }
    for (size_t i = 0; i < n; ++i) dst[begin + i] = static_cast<T>(accumulator[i]);
  }
}

template <typename T>
void FoldOp(ReduceOp op, void* dst, absl::Span<const void* const> operands, size_t count) {
  T* out = static_cast<T*>(dst);
  switch (op) {
    case ReduceOp::kSum:
    case ReduceOp::kAvg:
      return Fold<T, Sum>(out, operands, count);
    case ReduceOp::kProd:
      return Fold<T, Prod>(out, operands, count);
    case ReduceOp::kMax:
      return Fold<T, Max>(out, operands, count);
    case ReduceOp::kMin:
      return Fold<T, Min>(out, operands, count);
  }
}

template <typename T>
void Divide(void* data, size_t count, int ranks) {
  T* values = static_cast<T*>(data);
  if constexpr (std::is_integral_v<T>) {
    // One byte cannot hold 384; 64 bits hold every operand.
    using Wide = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
    for (size_t i = 0; i < count; ++i) {
      values[i] = static_cast<T>(static_cast<Wide>(values[i]) / static_cast<Wide>(ranks));
    }
  } else {
    using F = typename FoldType<T>::type;
    for (size_t i = 0; i < count; ++i) {
      values[i] = static_cast<T>(static_cast<F>(values[i]) / static_cast<F>(ranks));
    }
  }
}

// Calls f with a null pointer of the element type of `type`.
template <typename F>
void WithType(DataType type, F f) {
  switch (type) {
    case DataType::kInt8:
      return f(static_cast<int8_t*>(nullptr));
    case DataType::kUint8:
      return f(static_cast<uint8_t*>(nullptr));
    case DataType::kInt32:
      return f(static_cast<int32_t*>(nullptr));
    case DataType::kUint32:
      return f(static_cast<uint32_t*>(nullptr));
    case DataType::kInt64:
      return f(static_cast<int64_t*>(nullptr));
    case DataType::kUint64:
      return f(static_cast<uint64_t*>(nullptr));
    case DataType::kFloat16:
      return f(static_cast<Float16*>(nullptr));
    case DataType::kFloat32:
      return f(static_cast<float*>(nullptr));
    case DataType::kFloat64:
      return f(static_cast<double*>(nullptr));
    case DataType::kBfloat16:
      return f(static_cast<Bfloat16*>(nullptr));
  }
}

}  // namespace

void FoldInto(DataType type, ReduceOp op, void* dst, absl::Span<const void* const> operands,
              size_t count) {
  WithType(type, [&](auto* p) {
    FoldOp<std::remove_pointer_t<decltype(p)>>(op, dst, operands, count);
  });
}

void DivideBy(DataType type, void* data, size_t count, int ranks) {
  WithType(type, [&](auto* p) { Divide<std::remove_pointer_t<decltype(p)>>(data, count, ranks); });
}

}  // namespace ccl
