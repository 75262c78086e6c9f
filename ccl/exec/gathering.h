#ifndef CCL_EXEC_GATHERING_H_
#define CCL_EXEC_GATHERING_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "ccl/exec/execution.h"

namespace ccl {

// What the members of a communicator say to each other about it: one byte string each, all of the
// same length. Belongs to who asked; written by work under the engine's lock.
struct Gathering {
  using Said = std::shared_ptr<const std::vector<std::string>>;
  Said said;  // by member; null until it is complete. One for all members of a process
};

// Where members that are in one process meet; costs no virtual time and no messages.
class Meeting {
 public:
  explicit Meeting(int members)
      : works_(static_cast<size_t>(members)), joined_(works_.size()),
        said_(std::make_shared<std::vector<std::string>>(works_.size())) {}

  // Calls of Joined, full and Join exclude each other.
  bool Joined(int member) const { return joined_[static_cast<size_t>(member)]; }
  bool full() const { return count_ == works_.size(); }
  // The work of one member, which joins once: it ends when all have started theirs. `what` is for
  // reports: "split".
  static std::unique_ptr<Work> Join(std::shared_ptr<Meeting> meeting, int member, std::string says,
                                    std::string what, std::shared_ptr<Gathering> gathering);

 private:
  class Part;
  std::vector<Part*> works_;  // started and alive
  std::vector<bool> joined_;
  size_t count_ = 0, started_ = 0;  // members that have joined, whose work has started
  std::shared_ptr<std::vector<std::string>> said_;
};

// The same for members in processes of their own: an allgather of theirs. `program` is one.
std::unique_ptr<Work> GatherBySending(std::shared_ptr<const Program> program, int member,
                                      uint32_t context, RankMap map, std::string says,
                                      std::shared_ptr<Gathering> gathering);

}  // namespace ccl

#endif  // CCL_EXEC_GATHERING_H_
