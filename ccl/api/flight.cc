// Dumps of what communicators have done.
#include "ccl/api/handles.h"
#include "ccl/dumps.h"

using namespace ccl::api;

extern "C" {

cclResult_t cclCommDumpFlight(cclComm_t comm, const char* path) {
  if (absl::Status status = CheckMade(comm); !status.ok()) return Report(status);
  if (path == nullptr) return Report(absl::InvalidArgumentError("the path is null"));
  return Report(ccl::WriteFile(path, comm->communicator->FlightJson("request")));
}

}  // extern "C"
