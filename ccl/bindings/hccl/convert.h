// HCCL's types and the library's.
#ifndef CCL_BINDINGS_HCCL_CONVERT_H_
#define CCL_BINDINGS_HCCL_CONVERT_H_

#include <string>

#include "ccl/bindings/hccl/include/hccl/hccl_types.h"
#include "ccl/ccl.h"

namespace ccl::bindings {

// A handle of HCCL's is the library's own.
inline cclComm_t Own(HcclComm comm) { return static_cast<cclComm_t>(comm); }

// Keeps the text of the library's error.
HcclResult Result(cclResult_t result);
// An error of this binding's own.
HcclResult Refused(HcclResult result, std::string text);

// HCCL_SUCCESS, or what is wrong with the type or the reduction.
HcclResult Convert(HcclDataType type, cclDataType_t* own);
HcclResult Convert(HcclReduceOp op, cclRedOp_t* own);
// `config` may be null; what it leaves open is as HcclSetConfig says.
HcclResult Convert(const HcclCommConfig* config, cclConfig_t* own);

// What is known of a communicator besides: its name, and whether it is suspended.
struct Notes {
  std::string name;
  bool suspended = false;
};
void Keep(HcclComm comm, const Notes& notes);
void Forget(HcclComm comm);
// HCCL_E_PTR for null, HCCL_E_PARA for what is no communicator.
HcclResult NotesOf(HcclComm comm, Notes* notes);

}  // namespace ccl::bindings

#endif  // CCL_BINDINGS_HCCL_CONVERT_H_
