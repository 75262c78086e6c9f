#ifndef CCL_EXEC_SCOPE_H_
#define CCL_EXEC_SCOPE_H_

#include <vector>

#include "absl/status/status.h"
#include "ccl/base/types.h"

namespace ccl {

struct Stream;

// What fails together: one rank's part in one communicator. Guarded by the lock of the engine.
struct Scope {
  absl::Status error;            // the first, which is final
  std::vector<Stream*> streams;  // whose work this is
  Time timeout = 0;              // of an operation in real time; 0: none. Set before any work
  bool drops = false;            // what has taken too long
  uint64_t ended = 0;            // operations
};

}  // namespace ccl

#endif  // CCL_EXEC_SCOPE_H_
