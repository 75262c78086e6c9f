// The folds as a loop over elements makes them, compiled without vectors: what kernels are compared with.
#ifndef BENCH_MICRO_SCALAR_FOLDS_H_
#define BENCH_MICRO_SCALAR_FOLDS_H_

#include "ccl/backend/compute.h"

namespace ccl {

// Of sum, product, maximum and minimum.
FoldKernel ScalarFoldOf(DataType type, ReduceOp op);

}  // namespace ccl

#endif  // BENCH_MICRO_SCALAR_FOLDS_H_
