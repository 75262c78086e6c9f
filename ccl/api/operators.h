// The reductions that a communicator's user has made.
#ifndef CCL_API_OPERATORS_H_
#define CCL_API_OPERATORS_H_

#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ccl/exec/custom_op.h"

namespace ccl::api {

// Numbers are given once in a process, so that one communicator's mean nothing to another.
class Operators {
 public:
  absl::StatusOr<int> Add(CustomOp op);
  absl::Status Remove(int number);
  // Null when there is none.
  std::shared_ptr<const CustomOp> Find(int number) const;

 private:
  absl::flat_hash_map<int, std::shared_ptr<const CustomOp>> operators_;
};

}  // namespace ccl::api

#endif  // CCL_API_OPERATORS_H_
