#ifndef CCL_BACKEND_COMPUTE_H_
#define CCL_BACKEND_COMPUTE_H_

#include <cstddef>

#include "absl/types/span.h"
#include "ccl/base/types.h"

namespace ccl {

// dst[i] = operands[0][i] (+) operands[1][i] (+) ..., a left fold in the order given, `count`
// elements. Floats below float32 are folded in float32 and rounded once, however many operands there
// are. dst may be one of the operands; otherwise nothing overlaps. kAvg folds as kSum.
// NaN: min and max return NaN when any operand is one. Integers wrap.
using FoldKernel = void (*)(void* dst, absl::Span<const void* const> operands, size_t count);
FoldKernel FoldOf(DataType type, ReduceOp op);
void FoldInto(DataType type, ReduceOp op, void* dst, absl::Span<const void* const> operands,
              size_t count);

// The last step of kAvg: divides by the number of ranks (integers round towards zero).
void DivideBy(DataType type, void* data, size_t count, int ranks);

}  // namespace ccl

#endif  // CCL_BACKEND_COMPUTE_H_
