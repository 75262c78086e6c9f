#include "transports/mpi/error.h"

#include <mpi.h>

#include "absl/strings/str_cat.h"

namespace ccl::mpi {

absl::Status ToStatus(int code, int rank, absl::string_view operation) {
  if (code == MPI_SUCCESS) return absl::OkStatus();
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) length = 0;
  return absl::InternalError(
      absl::StrCat("rank ", rank, ": ", operation, ": ",
                   length > 0 ? absl::string_view(text, length) : "unknown MPI error",
                   " (MPI code ", code, ")"));
}

}  // namespace ccl::mpi
