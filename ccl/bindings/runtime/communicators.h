// What a binding knows of the communicators it has made: the device that each stands on.
#ifndef CCL_BINDINGS_RUNTIME_COMMUNICATORS_H_
#define CCL_BINDINGS_RUNTIME_COMMUNICATORS_H_

#include <cstddef>
#include <cstdint>

#include "ccl/ccl.h"

namespace ccl::bindings {

// Communicators of one family belong to one world: an event of one can be waited for by another.
struct Standing {
  int device = -1;  // -1: unknown
  uint64_t family = 0;
};

// A family that no other communicator has, or that of all who join by the same bytes.
uint64_t NewFamily();
uint64_t FamilyOf(const void* bytes, size_t size);

// Thread-safe.
void Know(cclComm_t comm, const Standing& standing);
Standing StandingOf(cclComm_t comm);
// The one of the device that was made last; null when it has none.
cclComm_t LatestOn(int device);

// The library's calls; streams on which the communicator has had work go on without it. Destroy waits
// for that work first, if nobody has finalised the communicator.
cclResult_t Destroy(cclComm_t comm);
cclResult_t Abort(cclComm_t comm);

}  // namespace ccl::bindings

#endif  // CCL_BINDINGS_RUNTIME_COMMUNICATORS_H_
