#ifndef CCL_EXEC_SIGNAL_BOARD_H_
#define CCL_EXEC_SIGNAL_BOARD_H_

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "ccl/exec/execution.h"

namespace ccl {

// So many signals of a peer under one number.
struct SignalWish {
  int peer = 0;
  uint32_t number = 0;
  uint64_t count = 0;
};

class WaitSignals;

// The signals that have arrived at one rank and have not been waited for. Guarded by its engine's lock.
class SignalBoard {
 public:
  void Arrive(int peer, uint32_t number);

 private:
  friend class WaitSignals;
  // Takes them all, or none if some have not come.
  bool Take(const std::vector<SignalWish>& wishes);

  std::map<std::pair<int, uint32_t>, uint64_t> there_;
  std::vector<WaitSignals*> waiting_;  // first come, first served
};

// The work of a rank that goes on when the signals are there.
std::unique_ptr<Work> MakeWaitSignals(std::shared_ptr<SignalBoard> board, int rank,
                                      std::vector<SignalWish> wishes);

}  // namespace ccl

#endif  // CCL_EXEC_SIGNAL_BOARD_H_
