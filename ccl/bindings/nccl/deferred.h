#ifndef CCL_BINDINGS_NCCL_DEFERRED_H_
#define CCL_BINDINGS_NCCL_DEFERRED_H_

#include <functional>

#include "ccl/bindings/nccl/include/nccl.h"

namespace ccl::bindings {

// NCCL lets communicators end inside a group of calls, the library does not: inside they wait for its
// end, where the first error of theirs comes back if the group has none.
ncclResult_t NowOrAtGroupEnd(std::function<ncclResult_t()> action);

}  // namespace ccl::bindings

#endif  // CCL_BINDINGS_NCCL_DEFERRED_H_
