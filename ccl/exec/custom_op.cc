#include "ccl/exec/custom_op.h"

#include <algorithm>
#include <cstddef>

namespace ccl {

void FoldInto(const CustomOp& op, DataType type, void* dst, absl::Span<const void* const> operands,
              size_t count) {
  if (operands.size() == 2) {
    if (count > 0) op.function(operands[0], operands[1], dst, count, type);
    return;
  }
  // Partial results lie aside: dst may be an operand whose turn has not come.
  constexpr size_t kBlockBytes = 8192;
  alignas(std::max_align_t) char partial[kBlockBytes];
  const size_t size = SizeOf(type), block = kBlockBytes / size;
  for (size_t begin = 0; begin < count; begin += block) {
    const size_t n = std::min(block, count - begin);
    const auto at = [&](size_t k) { return static_cast<const char*>(operands[k]) + begin * size; };
    const void* left = at(0);
    for (size_t k = 1; k < operands.size(); ++k) {
      void* result = k + 1 == operands.size() ? static_cast<char*>(dst) + begin * size : partial;
      op.function(left, at(k), result, n, type);
      left = result;
    }
  }
}

}  // namespace ccl
