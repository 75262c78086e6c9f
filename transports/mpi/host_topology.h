// The topology of processes on hosts.
#ifndef TRANSPORTS_MPI_HOST_TOPOLOGY_H_
#define TRANSPORTS_MPI_HOST_TOPOLOGY_H_

#include "absl/types/span.h"
#include "ccl/topology/topology.h"

namespace ccl::mpi {

// Of the ranks whose hosts are `hosts` (equal numbers, same host; not empty): one level "host" when
// there is a single one; "host" and "network" when each host's ranks are consecutive and some host
// has several; else the one level "network". The figures are typical ones, not measured.
Topology HostTopology(absl::Span<const int> hosts);

}  // namespace ccl::mpi

#endif  // TRANSPORTS_MPI_HOST_TOPOLOGY_H_
