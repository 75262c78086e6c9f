// Real time, asked for often.
#ifndef TRANSPORTS_CLOCK_H_
#define TRANSPORTS_CLOCK_H_

#include <cstdint>

#include "ccl/base/types.h"

namespace ccl {

// steady_clock in picoseconds, never going back. A virtual machine takes a tenth of a microsecond to
// tell the time: where the processor has a counter that runs evenly, most answers come from that, and
// the clock is asked a hundred times a second. Not thread-safe.
class Clock {
 public:
  Clock();
  Time Now();

 private:
  void Synchronize(uint64_t ticks);

  const bool counts_;               // there is such a counter
  uint64_t first_ticks_ = 0, base_ticks_ = 0, valid_ticks_ = 0;
  int64_t first_ns_ = 0, base_ns_ = 0, last_ns_ = 0;
  double ns_per_tick_ = 0;          // 0: not known yet
};

}  // namespace ccl

#endif  // TRANSPORTS_CLOCK_H_
