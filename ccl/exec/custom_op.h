#ifndef CCL_EXEC_CUSTOM_OP_H_
#define CCL_EXEC_CUSTOM_OP_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/types/span.h"
#include "ccl/backend/compute.h"

namespace ccl {

// A reduction that a user has made: a sum whose contributions are scaled first, or a function.
struct CustomOp {
  // result[i] = left[i] (+) right[i], `left` being of lower ranks; result may be left or right.
  using Function = std::function<void(const void* left, const void* right, void* result, size_t count,
                                      DataType type)>;

  Function function;  // empty: a scaled sum
  bool commutative = true;

  DataType type = DataType::kFloat32;  // of the scalar, and of what it scales
  // Where the scalar is when an operation starts; null: it is `immediate`.
  const void* scalar = nullptr;
  std::array<char, 8> immediate = {};

  Factor factor() const { return FactorOf(type, scalar != nullptr ? scalar : immediate.data()); }
};

// FoldInto by the function of `op`, which sees some elements at a time.
void FoldInto(const CustomOp& op, DataType type, void* dst, absl::Span<const void* const> operands,
              size_t count);

}  // namespace ccl

#endif  // CCL_EXEC_CUSTOM_OP_H_
