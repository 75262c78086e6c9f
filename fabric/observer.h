// The window for whoever watches a simulator. Watching changes neither times nor the order of events;
// with nobody watching it costs a branch.
#ifndef FABRIC_OBSERVER_H_
#define FABRIC_OBSERVER_H_

#include <cstdint>

#include "fabric/units.h"

namespace fabric {

class Observer {
 public:
  // A message enters the wires. Its number is its own until it is delivered. src or dst is -1 where
  // switches combine or replicate.
  virtual void Entered(uint32_t message, int src, int dst) = 0;
  // A port takes on to pass `bytes` of a message, the first at `begin`, the last at `end`.
  virtual void Booked(uint32_t port, uint32_t message, int64_t bytes, Time begin, Time end) = 0;
  // Of what a port took on of a message last, so many bytes do not pass.
  virtual void TakenBack(uint32_t port, uint32_t message, int64_t bytes) = 0;
  // So many bytes more, or fewer, wait in front of a port since now.
  virtual void Waiting(uint32_t port, int64_t change, Time now) = 0;
  // A reduction or copy on the engine of an endpoint.
  virtual void Worked(int endpoint, int64_t bytes, Time begin, Time end) = 0;

 protected:
  ~Observer() = default;
};

}  // namespace fabric

#endif  // FABRIC_OBSERVER_H_
