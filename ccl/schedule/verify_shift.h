#ifndef CCL_SCHEDULE_VERIFY_SHIFT_H_
#define CCL_SCHEDULE_VERIFY_SHIFT_H_

#include "absl/status/status.h"
#include "ccl/schedule/program.h"

namespace ccl {

// That info().shift is true: rank r + shift does what rank r does, with peers and groups shifted and as
// many chunks of every slice in every step. Which chunks they are is no part of the promise: where
// those of a slice have one length, times do not ask. Every rank is compared up to 64 ranks, some of
// more, the last one among them.
absl::Status VerifyShift(const Program& program);

}  // namespace ccl

#endif  // CCL_SCHEDULE_VERIFY_SHIFT_H_
