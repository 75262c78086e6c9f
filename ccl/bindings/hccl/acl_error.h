#ifndef CCL_BINDINGS_HCCL_ACL_ERROR_H_
#define CCL_BINDINGS_HCCL_ACL_ERROR_H_

#include <string>

#include "ccl/bindings/hccl/include/acl/acl.h"
#include "ccl/ccl.h"

namespace ccl::bindings {

// Keeps the text for aclGetRecentErrMsg, and returns the error.
aclError Failed(aclError error, std::string text);
// The error that the library's result of something queued or waited for is.
aclError Failed(cclResult_t result);

}  // namespace ccl::bindings

#endif  // CCL_BINDINGS_HCCL_ACL_ERROR_H_
