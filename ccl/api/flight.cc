// Dumps of what communicators have done.
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "ccl/api/handles.h"

using namespace ccl::api;

extern "C" {

cclResult_t cclCommDumpFlight(cclComm_t comm, const char* path) {
  if (absl::Status status = CheckMade(comm); !status.ok()) return Report(status);
  if (path == nullptr) return Report(absl::InvalidArgumentError("the path is null"));
  const std::string text = comm->communicator->FlightJson();
  std::FILE* file = std::fopen(path, "w");
  bool written = file != nullptr;
  if (written) written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file != nullptr) written = std::fclose(file) == 0 && written;
  if (!written) return Report(absl::ResourceExhaustedError(absl::StrCat("cannot write '", path, "'")));
  return cclSuccess;
}

}  // extern "C"
