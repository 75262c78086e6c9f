#ifndef CCL_BINDINGS_NCCL_CUDA_ERROR_H_
#define CCL_BINDINGS_NCCL_CUDA_ERROR_H_

#include "ccl/bindings/nccl/include/cuda_runtime.h"
#include "ccl/ccl.h"

namespace ccl::bindings {

// Keeps an error for cudaGetLastError of this thread, and returns it.
cudaError_t Failed(cudaError_t error);
// Likewise of the library's result of something queued or waited for.
cudaError_t Failed(cclResult_t result);

}  // namespace ccl::bindings

#endif  // CCL_BINDINGS_NCCL_CUDA_ERROR_H_
