#include "bench/c_calls.h"

#include <chrono>

namespace ccl {

absl::Status ToStatus(cclResult_t result) {
  if (result == cclSuccess) return absl::OkStatus();
  return absl::InternalError(cclGetLastError(nullptr));
}

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace ccl
