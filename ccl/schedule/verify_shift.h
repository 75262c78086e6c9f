#ifndef CCL_SCHEDULE_VERIFY_SHIFT_H_
#define CCL_SCHEDULE_VERIFY_SHIFT_H_

#include "absl/status/status.h"
#include "ccl/schedule/program.h"

namespace ccl {

// That info().shift is true: rank r + shift does what rank r does, with peers and blocks shifted.
// Blocks move by `shift` when there is one a rank, and not at all when there is one; other spaces
// cannot promise anything. Scratch is a rank's own business: its blocks may move or not.
// Every rank is compared up to 64 ranks, some of more.
absl::Status VerifyShift(const Program& program);

}  // namespace ccl

#endif  // CCL_SCHEDULE_VERIFY_SHIFT_H_
