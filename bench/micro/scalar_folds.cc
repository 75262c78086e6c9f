#include "bench/micro/scalar_folds.h"

#include "ccl/backend/kernels/scalar.h"
#include "ccl/base/elements.h"

namespace ccl {

FoldKernel ScalarFoldOf(DataType type, ReduceOp op) {
  return WithType(type, [&](auto zero) -> FoldKernel {
    using T = decltype(zero);
    switch (op) {
      case ReduceOp::kProd: return kernels::scalar::Fold<T, kernels::Prod>;
      case ReduceOp::kMax: return kernels::scalar::Fold<T, kernels::Max>;
      case ReduceOp::kMin: return kernels::scalar::Fold<T, kernels::Min>;
      default: return kernels::scalar::Fold<T, kernels::Sum>;
    }
  });
}

}  // namespace ccl
