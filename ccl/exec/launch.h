#ifndef CCL_EXEC_LAUNCH_H_
#define CCL_EXEC_LAUNCH_H_

#include "ccl/backend/backend.h"

namespace ccl {

// Where the machine models it, a rank is busy for so long before the first message of an operation,
// and `token` completes then. Says whether that is so.
bool PostLaunch(Backend& backend, int rank, Time launch, uint64_t token);

}  // namespace ccl

#endif  // CCL_EXEC_LAUNCH_H_
