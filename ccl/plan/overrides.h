#ifndef CCL_PLAN_OVERRIDES_H_
#define CCL_PLAN_OVERRIDES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/algorithms/algorithm.h"

namespace ccl {

// A forced choice: this collective between these sizes (bytes, low inclusive, high exclusive).
struct Override {
  Collective collective = Collective::kAllReduce;
  uint64_t low = 0, high = ~uint64_t{0};
  AlgorithmSpec spec;
  std::string origin;  // "CCL_ALGO", "file tuning.txt, line 3", "API"
};

// allreduce:0-64K:@tree,allreduce:64K-inf:@ring — rules split by ',' (or lines); the size range may
// be left out ("allreduce:@ring"), and a rule without a collective forces every one that the
// algorithm does. "tree" is a synonym of double_binary_tree. The first rule that fits wins.
absl::StatusOr<std::vector<Override>> ParseOverrides(absl::string_view text,
                                                     absl::string_view origin);
// One rule a line; '#' starts a comment. Errors name file and line.
absl::StatusOr<std::vector<Override>> ReadOverrides(const std::string& path);

// "64K" and "64KiB" are 65536, "64KB" is 64000, "inf" the largest number.
absl::StatusOr<uint64_t> ParseSize(absl::string_view text);

}  // namespace ccl

#endif  // CCL_PLAN_OVERRIDES_H_
