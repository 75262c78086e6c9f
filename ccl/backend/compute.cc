#include "ccl/backend/compute.h"

#include <cstring>
#include <type_traits>

#include "ccl/backend/kernels/kernels.h"
#include "ccl/base/elements.h"

namespace ccl {
namespace {

// Chosen once: what a processor can do does not change.
const kernels::Row& RowOf(DataType type) {
  static const kernels::Table table = kernels::MakeTable();
  return table[static_cast<size_t>(type)];
}

}  // namespace

FoldKernel FoldOf(DataType type, ReduceOp op) {
  return RowOf(type).folds[static_cast<size_t>(op)];
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
  RowOf(type).scale(dst, src, count, factor);
}

bool AveragesByFactor(DataType type) {
  return type == DataType::kFloat16 || type == DataType::kFloat8E4M3 ||
         type == DataType::kFloat8E5M2;
}

void DivideBy(DataType type, void* data, size_t count, int ranks) {
  RowOf(type).divide(data, count, ranks);
}

}  // namespace ccl
