#ifndef TRANSPORTS_PATIENCE_H_
#define TRANSPORTS_PATIENCE_H_

#include <cstdint>

namespace ccl {

// How a rank waits for others' memory to change: it gives its processor up to whoever wants it, and when it has
// waited for long it sleeps, a small part of what it has waited already. So it takes next to nothing from
// those who work, and what it waits for is found little later. Not thread-safe.
class Patience {
 public:
  // `crowded`: ranks share processors.
  explicit Patience(bool crowded) : crowded_(crowded) {}

  // Something has come.
  void Reset() { since_ns_ = 0; }
  // It has begun to sleep: looks in between are few.
  bool long_ago() const { return sleeps_ && since_ns_ != 0; }
  // Gives the processor up. When that was, in nanoseconds of steady_clock.
  int64_t Wait();

 private:
  const bool crowded_;
  bool sleeps_ = false;
  int64_t since_ns_ = 0;
};

}  // namespace ccl

#endif  // TRANSPORTS_PATIENCE_H_
