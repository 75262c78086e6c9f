#ifndef TRANSPORTS_EMULATED_PACER_H_
#define TRANSPORTS_EMULATED_PACER_H_

#include <chrono>
#include <memory>

#include "ccl/base/types.h"

namespace ccl {

// Holds real time to virtual time: what takes t there takes dilation x t here, from when it was posted.
// Not thread-safe.
class Pacer {
 public:
  // What a late wake-up may be made up for later; a program that computes for longer than that while
  // nothing moves has let time pass.
  static constexpr std::chrono::milliseconds kSlack{2};

  // `dilation`, above 0: real seconds for a virtual one.
  explicit Pacer(double dilation);
  ~Pacer();

  // Operations are posted now.
  void Posted();
  // Returns when virtual time may be `now`. It never decreases.
  void WaitFor(Time now);

 private:
  using Clock = std::chrono::steady_clock;
  struct Timer;

  const double dilation_;
  Time virtual_ = 0;
  Clock::time_point real_;  // that virtual_ corresponds to
  std::unique_ptr<Timer> timer_;
};

}  // namespace ccl

#endif  // TRANSPORTS_EMULATED_PACER_H_
