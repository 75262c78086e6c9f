#ifndef TESTS_FABRIC_WIRES_ALONE_H_
#define TESTS_FABRIC_WIRES_ALONE_H_

#include <utility>

#include "fabric/description.h"

namespace fabric {

// A system without what a library pays at its endpoints: times are those of ports and switches.
inline Description WiresAlone(Description d) {
  d.protocols.clear();
  d.message_gap = 0;
  return d;
}

}  // namespace fabric

#endif  // TESTS_FABRIC_WIRES_ALONE_H_
