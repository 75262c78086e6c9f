// NCCL's types and the library's: values are equal where both have them.
#ifndef CCL_BINDINGS_NCCL_CONVERT_H_
#define CCL_BINDINGS_NCCL_CONVERT_H_

#include <string>

#include "ccl/bindings/nccl/include/nccl.h"
#include "ccl/ccl.h"

// The twin of a function that has been defined above it in the same file.
#define CCL_NCCL_TWIN(name) \
  extern "C" decltype(name) p##name __attribute__((alias(#name), visibility("default")))

namespace ccl::bindings {

// A handle of NCCL's is the library's own.
inline cclComm_t Own(ncclComm_t comm) { return reinterpret_cast<cclComm_t>(comm); }
inline ncclComm_t Theirs(cclComm_t comm) { return reinterpret_cast<ncclComm_t>(comm); }

// Keeps the text of the library's error.
ncclResult_t Result(cclResult_t result);
// An error of this binding's own.
ncclResult_t Refused(ncclResult_t result, std::string text);

// False, with the error kept, for what NCCL does not have.
bool IsType(ncclDataType_t type);
bool IsOp(ncclRedOp_t op);
inline cclDataType_t Type(ncclDataType_t type) { return static_cast<cclDataType_t>(type); }
inline cclRedOp_t Op(ncclRedOp_t op) { return static_cast<cclRedOp_t>(op); }

// The handle of a queue; the streams that CUDA names by numbers are the null stream.
inline const void* Handle(cudaStream_t stream) {
  return stream == cudaStreamLegacy || stream == cudaStreamPerThread ? nullptr : stream;
}

// The library's form of the options; `algorithm` holds the text that the result points to.
ncclResult_t Convert(const ncclConfig_t* config, cclConfig_t* own);
ncclResult_t Convert(const ncclCollConfig_t* config, cclCallConfig_t* own, std::string* algorithm);

}  // namespace ccl::bindings

#endif  // CCL_BINDINGS_NCCL_CONVERT_H_
