#ifndef CCL_WINDOWS_H_
#define CCL_WINDOWS_H_

#include <memory>
#include <vector>

#include "ccl/communicator.h"
#include "ccl/exec/windows.h"

namespace ccl {

// One rank's windows on the memory of the others, and its own. Of one thread; ends before its
// communicator does.
class Windows {
 public:
  static absl::StatusOr<std::unique_ptr<Windows>> Of(Communicator& communicator);
  ~Windows();
  Windows(const Windows&) = delete;
  Windows& operator=(const Windows&) = delete;

  // The window's number, which is the same on all ranks. Never blocks.
  int Open(void* base, uint64_t size);
  // Between processes it returns when all ranks have closed theirs and what they had put has arrived.
  absl::Status Close(int window);
  int open() const { return open_; }

  // Of a window that is open, within it, to a rank that there is.
  std::unique_ptr<Work> MakePut(const Put& put);
  std::unique_ptr<Work> MakeWait(std::vector<SignalWish> wishes);

 private:
  explicit Windows(Communicator& communicator);
  Engine& engine() const { return communicator_.world().engine(); }
  void Announce(int window, bool opens);
  WindowRoute Route() const;

  Communicator& communicator_;
  int open_ = 0;
  const std::shared_ptr<WindowTable> table_;  // all ranks are in this process; else null
  std::shared_ptr<WindowPeers> peers_;        // they are not: then
  std::unique_ptr<Stream> says_;              // what it tells its peers,
  std::shared_ptr<Scope> hears_;              // and hears from each
  std::vector<std::unique_ptr<Stream>> listeners_;
};

}  // namespace ccl

#endif  // CCL_WINDOWS_H_
