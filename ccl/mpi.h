/* Communicators from MPI communicators. Header only: compile it with your MPI; libccl itself does not
 * link MPI. The MPI communicator is duplicated and stays the caller's. */
#ifndef CCL_MPI_H_
#define CCL_MPI_H_

#include <mpi.h>
#include <stdio.h>
#include <string.h>

#include "ccl/ccl.h"

/* Collective over `mpi`. `config` may be NULL; its backend is not used. */
static inline cclResult_t cclCommInitMpiConfig(cclComm_t* comm, MPI_Comm mpi,
                                               const cclConfig_t* config) {
  char url[64];
  cclUniqueId id;
  cclConfig_t own = CCL_CONFIG_INITIALIZER;
  int size = 0, rank = 0;
  if (config != NULL) own = *config;
  if (MPI_Comm_size(mpi, &size) != MPI_SUCCESS || MPI_Comm_rank(mpi, &rank) != MPI_SUCCESS) {
    return cclInvalidArgument;
  }
  snprintf(url, sizeof url, "mpi:?comm=%d", (int)MPI_Comm_c2f(mpi));
  own.backend = url;
  memset(&id, 0, sizeof id);
  return cclCommInitRankConfig(comm, size, id, rank, &own);
}
static inline cclResult_t cclCommInitMpi(cclComm_t* comm, MPI_Comm mpi) {
  return cclCommInitMpiConfig(comm, mpi, NULL);
}

#endif /* CCL_MPI_H_ */
