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
  Stream* first = nullptr;       // whose work this is: the communicator's own stream,
  std::vector<Stream*> more;     // and others
  Time timeout = 0;              // of an operation in real time; 0: none. Set before any work
  bool drops = false;            // what has taken too long
  uint64_t ended = 0;            // operations

  // All of them.
  std::vector<Stream*> streams() const {
    std::vector<Stream*> all = more;
    if (first != nullptr) all.insert(all.begin(), first);
    return all;
  }
};

}  // namespace ccl

#endif  // CCL_EXEC_SCOPE_H_
