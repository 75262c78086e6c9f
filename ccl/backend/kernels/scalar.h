// Folds one element at a time. This is what every kernel means: vectors give the same bits, which
// tests/backend/kernels_test.cc holds them to. It is also what runs on processors without vectors.
#ifndef CCL_BACKEND_KERNELS_SCALAR_H_
#define CCL_BACKEND_KERNELS_SCALAR_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "absl/types/span.h"
#include "ccl/backend/compute.h"
#include "ccl/base/elements.h"

namespace ccl::kernels {

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
      // 64-bit arithmetic: narrower unsigned types would promote to int and overflow.
      return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
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

// Static, so that every file has what its own compiler flags made of it.
namespace scalar {

// Element i of memory at any address: what has come lies wherever its transport has put it.
template <typename T>
static T Load(const void* from, size_t i) {
  T value;
  std::memcpy(&value, static_cast<const std::byte*>(from) + i * sizeof(T), sizeof(T));
  return value;
}
template <typename T>
static void Store(void* to, size_t i, T value) {
  std::memcpy(static_cast<std::byte*>(to) + i * sizeof(T), &value, sizeof(T));
}

template <typename T, typename Op>
static void Fold(void* dst, absl::Span<const void* const> operands, size_t count) {
  using F = Accumulator<T>;
  for (size_t i = 0; i < count; ++i) {
    F folded = static_cast<F>(Load<T>(operands[0], i));
    for (size_t k = 1; k < operands.size(); ++k) {
      folded = Op::template Apply<F>(folded, static_cast<F>(Load<T>(operands[k], i)));
    }
    Store(dst, i, static_cast<T>(folded));
  }
}

template <typename T>
static void Scale(void* dst, const void* src, size_t count, const Factor& factor) {
  if constexpr (std::is_integral_v<T>) {
    for (size_t i = 0; i < count; ++i) {
      Store(dst, i, static_cast<T>(static_cast<uint64_t>(Load<T>(src, i)) * factor.integer));
    }
  } else {
    using F = Accumulator<T>;
    const F times = static_cast<F>(factor.real);
    for (size_t i = 0; i < count; ++i) {
      Store(dst, i, static_cast<T>(static_cast<F>(Load<T>(src, i)) * times));
    }
  }
}

template <typename T>
static void Divide(void* data, size_t count, int ranks) {
  if constexpr (std::is_integral_v<T>) {
    // One byte cannot hold 384; 64 bits hold every operand.
    using Wide = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
    for (size_t i = 0; i < count; ++i) {
      Store(data, i, static_cast<T>(static_cast<Wide>(Load<T>(data, i)) / static_cast<Wide>(ranks)));
    }
  } else {
    using F = Accumulator<T>;
    for (size_t i = 0; i < count; ++i) {
      Store(data, i, static_cast<T>(static_cast<F>(Load<T>(data, i)) / static_cast<F>(ranks)));
    }
  }
}

}  // namespace scalar
}  // namespace ccl::kernels

#endif  // CCL_BACKEND_KERNELS_SCALAR_H_
