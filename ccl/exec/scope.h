#ifndef CCL_EXEC_SCOPE_H_
#define CCL_EXEC_SCOPE_H_

#include <atomic>
#include <vector>

#include "absl/status/status.h"
#include "ccl/base/types.h"

namespace ccl {

struct Stream;

// The first of what goes wrong, which is final. Set and read under one lock, but for whether there is any.
class FirstError {
 public:
  bool ok() const { return !failed_.load(std::memory_order_acquire); }
  const absl::Status& status() const { return status_; }
  // Kept unless there is one.
  void Set(const absl::Status& error) {
    if (!ok()) return;
    status_ = error;
    failed_.store(!error.ok(), std::memory_order_release);
  }

 private:
  std::atomic<bool> failed_{false};
  absl::Status status_;
};

// What fails together: one rank's part in one communicator. Guarded by the lock of the engine.
struct Scope {
  explicit Scope(Time longest = 0) : timeout(longest) {}

  FirstError error;
  Stream* first = nullptr;       // whose work this is: the communicator's own stream,
  std::vector<Stream*> more;     // and others
  Time timeout;                  // of an operation in real time; 0: none. Set before any work
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
