// What libccl and its MPI module say to each other. No MPI here: libccl includes it.
#ifndef TRANSPORTS_MPI_MODULE_H_
#define TRANSPORTS_MPI_MODULE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/backend/arena.h"
#include "ccl/backend/backend.h"
#include "transports/mpi/collectives.h"

// C++ values cross this border, so both sides come from one compiler and one state of the
// interface: raise the number when backend.h changes what a compiled module relies on.
#define CCL_MPI_MODULE_ABI "ccl-mpi-12 " __VERSION__
#define CCL_MPI_MODULE_SYMBOL "ccl_mpi_module"

namespace ccl::mpi {

// The type of the module's one exported object. `abi` is read before anything else is.
struct Module {
  const char* abi;
  // `arena`: the process's, which the library has.
  absl::StatusOr<std::unique_ptr<Backend>> (*open)(absl::string_view rest, int ranks, const ArenaPlace& arena);
  const Collectives* collectives;
};

extern const Collectives kCollectives;

}  // namespace ccl::mpi

#endif  // TRANSPORTS_MPI_MODULE_H_
