#ifndef CCL_JOIN_H_
#define CCL_JOIN_H_

#include <memory>

#include "absl/status/statusor.h"
#include "ccl/backend/open.h"
#include "ccl/world.h"

namespace ccl {

// World::Open for a caller who knows which rank it is, and by which id the ranks meet.
absl::StatusOr<std::shared_ptr<World>> JoinWorld(const Options& options, const Membership& membership);

}  // namespace ccl

#endif  // CCL_JOIN_H_
