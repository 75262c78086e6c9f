// MPI's return codes as Status.
#ifndef TRANSPORTS_MPI_ERROR_H_
#define TRANSPORTS_MPI_ERROR_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace ccl::mpi {

// OK for MPI_SUCCESS, else Internal: "rank 3: send of ... : <MPI's own words>".
absl::Status ToStatus(int code, int rank, absl::string_view operation);

}  // namespace ccl::mpi

#endif  // TRANSPORTS_MPI_ERROR_H_
