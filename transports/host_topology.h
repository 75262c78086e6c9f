// The topology of processes on hosts.
#ifndef TRANSPORTS_HOST_TOPOLOGY_H_
#define TRANSPORTS_HOST_TOPOLOGY_H_

#include "absl/types/span.h"
#include "ccl/topology/topology.h"

namespace ccl {

// Of the ranks whose hosts are `hosts` (equal numbers, same host; not empty): one level "host" when
// there is a single one; "host" and "network" when each host's ranks are consecutive and some host
// has several; else the one level "network". The figures are typical ones; see TakeMeasured.
// `crowding`: 0 when hosts share no memory; else ranks of a host share it, do group operations in it,
// and are so many times as many as its processors, 1 at least.
Topology HostTopology(absl::Span<const int> hosts, double crowding);

}  // namespace ccl

#endif  // TRANSPORTS_HOST_TOPOLOGY_H_
