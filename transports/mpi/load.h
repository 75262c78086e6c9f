// The part of the MPI transport that lives in libccl: it finds the module that holds the rest.
#ifndef TRANSPORTS_MPI_LOAD_H_
#define TRANSPORTS_MPI_LOAD_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/backend/backend.h"
#include "transports/mpi/collectives.h"

namespace ccl {

// "mpi:" + rest; rest is "" or "?comm=N" where N is MPI_Comm_c2f of the communicator to use.
//
// The module is the first libccl_mpi_openmpi.so or libccl_mpi_mpich.so (the other way round under MPICH's
// mpirun) in: the directories of
// CCL_MODULE_PATH (separated by ':'), the directory of the library or program that holds this
// code, the libraries' directory beside it where it is a program in an installation's bin (../lib),
// the directory it was built in. NotFound lists the places when there is none. One that
// is there but cannot be loaded is an error, not a reason to look further. Loaded once, it stays.
absl::StatusOr<std::unique_ptr<Backend>> OpenMpi(absl::string_view rest, int ranks);

// What the MPI of the same module does itself; lives for ever.
absl::StatusOr<const mpi::Collectives*> MpiCollectives();

}  // namespace ccl

#endif  // TRANSPORTS_MPI_LOAD_H_
