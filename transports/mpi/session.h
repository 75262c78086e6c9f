// Who starts and who ends MPI in this process.
#ifndef TRANSPORTS_MPI_SESSION_H_
#define TRANSPORTS_MPI_SESSION_H_

#include "absl/status/status.h"
#include "ccl/backend/backend.h"

namespace ccl::mpi {

// Someone who uses MPI until Leave. Asked at the end of the process.
class Tenant {
 public:
  // Neither failed nor in the middle of an exchange.
  virtual bool idle() const = 0;

 protected:
  ~Tenant() = default;
};

// Initialises MPI, for any thread to call, unless the program has. If we did, we also finalise it
// when the process exits: not earlier, because MPI starts only once in a process and backends come
// and go. An exit in the middle of an exchange, or with a status that tells of a failure, leaves
// MPI unfinalised: finalising would wait for the very peers that may wait for us. mpirun then ends
// the job, which is what they need. FailedPrecondition when MPI has been finalised already.
absl::Status Start();

// Which threads may call MPI, by the level at which it runs. One is the one that started it.
Threads Level();

// Initialised and not finalised.
bool Running();

// From now on MPI is not finalised at the end: it would wait for a peer that is gone.
void AbandonFinalize();

void Join(const Tenant* tenant);
void Leave(const Tenant* tenant);

}  // namespace ccl::mpi

#endif  // TRANSPORTS_MPI_SESSION_H_
