#include "ccl/backend/compute.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "ccl/base/elements.h"

namespace ccl {
namespace {

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

struct Band {
  template <typename T>
  static T Apply(T a, T b) {
    return static_cast<T>(a & b);
  }
};
struct Bor {
  template <typename T>
  static T Apply(T a, T b) {
    return static_cast<T>(a | b);
  }
};
struct Bxor {
  template <typename T>
  static T Apply(T a, T b) {
    return static_cast<T>(a ^ b);
  }
};

template <typename T, typename Op>
void Fold(void* result, absl::Span<const void* const> operands, size_t count) {
  using F = Accumulator<T>;
  T* const dst = static_cast<T*>(result);
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

// By operation; Avg folds as Sum.
template <typename T>
constexpr std::array<FoldKernel, kReduceOps> Row() {
  if constexpr (std::is_integral_v<T>) {
    return {Fold<T, Sum>, Fold<T, Prod>, Fold<T, Max>, Fold<T, Min>,
            Fold<T, Sum>, Fold<T, Band>, Fold<T, Bor>, Fold<T, Bxor>};
  } else {
    return {Fold<T, Sum>, Fold<T, Prod>, Fold<T, Max>, Fold<T, Min>, Fold<T, Sum>};
  }
}

// By type.
constexpr std::array<FoldKernel, kReduceOps> kFolds[kDataTypes] = {
    Row<int8_t>(),  Row<uint8_t>(),  Row<int32_t>(), Row<uint32_t>(), Row<int64_t>(),
    Row<uint64_t>(), Row<Float16>(), Row<float>(),   Row<double>(),   Row<Bfloat16>(),
    Row<Float8E4M3>(), Row<Float8E5M2>(), Row<int16_t>(), Row<uint16_t>(),
};

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
    using F = Accumulator<T>;
    for (size_t i = 0; i < count; ++i) {
      values[i] = static_cast<T>(static_cast<F>(values[i]) / static_cast<F>(ranks));
    }
  }
}

}  // namespace

FoldKernel FoldOf(DataType type, ReduceOp op) {
  return kFolds[static_cast<size_t>(type)][static_cast<size_t>(op)];
}

void FoldInto(DataType type, ReduceOp op, void* dst, absl::Span<const void* const> operands,
              size_t count) {
  FoldOf(type, op)(dst, operands, count);
}

Factor FactorOf(DataType type, const void* element) {
  return WithType(type, [&](auto value) {
    std::memcpy(&value, element, sizeof value);
    Factor factor;
    if constexpr (std::is_integral_v<decltype(value)>) {
      factor.integer = static_cast<uint64_t>(value);
    } else {
      factor.real = ToDouble(value);
    }
    return factor;
  });
}

void ScaleInto(DataType type, void* dst, const void* src, size_t count, const Factor& factor) {
  WithType(type, [&](auto zero) {
    using T = decltype(zero);
    T* const to = static_cast<T*>(dst);
    const T* const from = static_cast<const T*>(src);
    if constexpr (std::is_integral_v<T>) {
      for (size_t i = 0; i < count; ++i) {
        to[i] = static_cast<T>(static_cast<uint64_t>(from[i]) * factor.integer);
      }
    } else {
      using F = Accumulator<T>;
      const F times = static_cast<F>(factor.real);
      for (size_t i = 0; i < count; ++i) to[i] = static_cast<T>(static_cast<F>(from[i]) * times);
    }
  });
}

bool AveragesByFactor(DataType type) {
  return type == DataType::kFloat16 || type == DataType::kFloat8E4M3 ||
         type == DataType::kFloat8E5M2;
}

void DivideBy(DataType type, void* data, size_t count, int ranks) {
  WithType(type, [&](auto zero) { Divide<decltype(zero)>(data, count, ranks); });
}

}  // namespace ccl
