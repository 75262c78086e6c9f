#ifndef CCL_BASE_STATUS_H_
#define CCL_BASE_STATUS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Debian's abseil has no status macros; these are the house's.
#define CCL_RETURN_IF_ERROR(expr)                            \
  do {                                                       \
    absl::Status ccl_status_ = (expr);                       \
    if (!ccl_status_.ok()) return ccl_status_;               \
  } while (false)

#define CCL_CONCAT_INNER_(a, b) a##b
#define CCL_CONCAT_(a, b) CCL_CONCAT_INNER_(a, b)
#define CCL_ASSIGN_OR_RETURN(lhs, expr) \
  CCL_ASSIGN_OR_RETURN_IMPL_(CCL_CONCAT_(ccl_or_, __LINE__), lhs, expr)
#define CCL_ASSIGN_OR_RETURN_IMPL_(tmp, lhs, expr) \
  auto tmp = (expr);                               \
  if (!tmp.ok()) return tmp.status();              \
  lhs = std::move(tmp).value()

#endif  // CCL_BASE_STATUS_H_
