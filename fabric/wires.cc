#include "fabric/wires.h"

#include "fabric/fifo.h"

namespace fabric {

std::unique_ptr<Wires> Wires::Create(EngineKind, const Network& network,
                                     const Description& description, Queue& queue,
                                     Arrivals& arrivals) {
  return std::make_unique<FifoWires>(network, description, queue, arrivals);
}

}  // namespace fabric
