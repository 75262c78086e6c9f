// Lets MPI's plugins find MPI.
#ifndef TRANSPORTS_MPI_GLOBAL_SYMBOLS_H_
#define TRANSPORTS_MPI_GLOBAL_SYMBOLS_H_

#include "absl/status/status.h"

namespace ccl::mpi {

// Open MPI loads plugins that use symbols of libmpi, libopen-rte and libopen-pal without naming
// these libraries, in the belief that the program linked them. This module is loaded with local
// scope and libmpi came with it, so their symbols are made global before MPI starts.
absl::Status MakeSymbolsGlobal();

}  // namespace ccl::mpi

#endif  // TRANSPORTS_MPI_GLOBAL_SYMBOLS_H_
