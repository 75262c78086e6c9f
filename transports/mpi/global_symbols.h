// Lets MPI's plugins find MPI.
#ifndef TRANSPORTS_MPI_GLOBAL_SYMBOLS_H_
#define TRANSPORTS_MPI_GLOBAL_SYMBOLS_H_

#include "absl/status/status.h"

namespace ccl::mpi {

// Open MPI's plugins use symbols of libmpi, libopen-rte and libopen-pal without naming these
// libraries, in the belief that the program linked them. This module is loaded with local scope and
// libmpi came with it, so their symbols are made global before MPI starts. Debian's Open MPI 4.1.4
// does so itself and would start without this; it is here for an MPI that does not.
absl::Status MakeSymbolsGlobal();

}  // namespace ccl::mpi

#endif  // TRANSPORTS_MPI_GLOBAL_SYMBOLS_H_
