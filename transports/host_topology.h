// The topology of processes on hosts.
#ifndef TRANSPORTS_HOST_TOPOLOGY_H_
#define TRANSPORTS_HOST_TOPOLOGY_H_

#include "absl/types/span.h"
#include "ccl/topology/topology.h"
#include "transports/location.h"

namespace ccl {

// Of the ranks at these locations, not empty: the levels "cache", "socket", "host", "network", of which some are left
// out. The last holds all ranks, and is "host" when there is a single one. Each of the others is there when it joins
// some ranks, other ones than the level within it, its ranks follow each other, and nobody's is unknown; sockets and
// caches only below "host", where hosts share memory. The figures are typical ones; see TakeMeasured.
// `crowding`: 0 when hosts share no memory; else ranks of a host share it, do group operations in it,
// and are so many times as many as its processors, 1 at least.
Topology HostTopology(absl::Span<const Location> locations, double crowding);

}  // namespace ccl

#endif  // TRANSPORTS_HOST_TOPOLOGY_H_
