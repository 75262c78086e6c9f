#ifndef CCL_PLAN_DETERMINISM_H_
#define CCL_PLAN_DETERMINISM_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "ccl/schedule/fold_order.h"

namespace ccl {

// What a caller asks of the bits of a reduction; the numbers are cclDeterminism_t's.
enum class Determinism : uint8_t {
  kOff = 0,
  kRunToRun = 1,        // the same call gives the same bits in every run
  kShapeInvariant = 2,  // bits depend on the order of ranks only
};
// "off", "run-to-run", "shape-invariant".
absl::string_view Name(Determinism determinism);

// The class of an algorithm that folds in an order. What is not known to be shape-invariant is still
// the same in every run: programs fold in an order of their own, whatever comes first.
Determinism ClassOf(FoldOrder order);

}  // namespace ccl

#endif  // CCL_PLAN_DETERMINISM_H_
