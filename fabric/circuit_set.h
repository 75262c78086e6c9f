// Circuits as texts: which ports of an optical switch are joined.
#ifndef FABRIC_CIRCUIT_SET_H_
#define FABRIC_CIRCUIT_SET_H_

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "fabric/description.h"

namespace fabric {

// From the first endpoint's send port to the second one's receive port.
using Circuit = std::pair<int, int>;

// The tier and circuits of an event. "shift K" joins each endpoint to the one K further on in its
// group; "0>1 1>0" names them. Two that begin or end at one port overlap: an error that names both.
absl::StatusOr<std::pair<int, std::vector<Circuit>>> ParseCircuits(const Description& description,
                                                                   const TimelineEvent& event);

}  // namespace fabric

#endif  // FABRIC_CIRCUIT_SET_H_
