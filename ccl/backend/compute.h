#ifndef CCL_BACKEND_COMPUTE_H_
#define CCL_BACKEND_COMPUTE_H_

#include <cstddef>

#include "absl/types/span.h"
#include "ccl/base/types.h"

namespace ccl {

// dst[i] = operands[0][i] (+) operands[1][i] (+) ..., a left fold in the order given, `count`
// elements. Floats below float32 are folded in float32 and rounded once, however many operands there
// are. dst may be one of the operands; otherwise nothing overlaps. kAvg folds as kSum.
// NaN: min and max return NaN when any operand is one; which of several NaNs a sum or a product is, is not
// said. Integers wrap. Bits are equal on all processors and for all alignments and counts.
using FoldKernel = void (*)(void* dst, absl::Span<const void* const> operands, size_t count);
// Null where the operation makes no sense on the type: see Combines.
FoldKernel FoldOf(DataType type, ReduceOp op);
void FoldInto(DataType type, ReduceOp op, void* dst, absl::Span<const void* const> operands,
              size_t count);

// What elements are multiplied by: of floats `real`, of integers, modulo their range, `integer`.
struct Factor {
  double real = 1;
  uint64_t integer = 1;
};
// That of an element of the type.
Factor FactorOf(DataType type, const void* element);
// dst[i] = src[i] * factor, rounded once. dst may be src.
void ScaleInto(DataType type, void* dst, const void* src, size_t count, const Factor& factor);

// Floats whose range sums would leave are averaged by multiplying every rank's by 1 / ranks first, as
// NCCL does; all other types are divided when they have been summed.
bool AveragesByFactor(DataType type);
// The last step of kAvg of the others: divides by the number of ranks (integers round towards zero).
void DivideBy(DataType type, void* data, size_t count, int ranks);

}  // namespace ccl

#endif  // CCL_BACKEND_COMPUTE_H_
