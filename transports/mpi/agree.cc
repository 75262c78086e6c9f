// What processes tell each other through MPI's own collectives.
#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "transports/mpi/backend.h"
#include "transports/mpi/error.h"
#include "transports/mpi/head.h"

namespace ccl::mpi {

absl::Status MpiBackend::ShareFromRankZero(std::string& bytes) { return Share(0, bytes); }

absl::Status MpiBackend::Share(int root, std::string& bytes) {
  if (!status_.ok()) return status_;
  uint64_t size = bytes.size();
  int code = MPI_Bcast(&size, 1, MPI_UINT64_T, root, heads_);
  if (code == MPI_SUCCESS) {
    bytes.resize(size);
    for (uint64_t at = 0; at < size && code == MPI_SUCCESS; at += kSegmentBytes) {
      const uint64_t count = std::min(kSegmentBytes, size - at);
      code = MPI_Bcast(bytes.data() + at, static_cast<int>(count), MPI_BYTE, root, heads_);
    }
  }
  Fail(ToStatus(code, rank_, absl::StrCat("MPI_Bcast of rank ", root, "'s bytes")));
  return status_;
}

absl::Status MpiBackend::Agree(const absl::Status& own) {
  if (!status_.ok()) return status_;
  const int ranks = static_cast<int>(this->ranks());
  int mine = own.ok() ? ranks : rank_, first = ranks;
  const int code = MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, heads_);
  Fail(ToStatus(code, rank_, "MPI_Allreduce of who has failed"));
  if (!status_.ok()) return status_;
  if (first == ranks) return absl::OkStatus();
  std::string text = absl::StrCat(static_cast<int>(own.code()), " ", own.message());
  if (absl::Status status = Share(first, text); !status.ok()) return status;
  const size_t space = text.find(' ');
  int number = 0;
  if (!absl::SimpleAtoi(text.substr(0, space), &number)) number = 13;
  return absl::Status(static_cast<absl::StatusCode>(number), text.substr(space + 1));
}

}  // namespace ccl::mpi
