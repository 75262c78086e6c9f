// What the commands that call the C API as its users do have in common.
#ifndef BENCH_C_CALLS_H_
#define BENCH_C_CALLS_H_

#include "absl/status/status.h"
#include "ccl/ccl.h"

namespace ccl {

// Internal, with the calling thread's last message, unless it is success.
absl::Status ToStatus(cclResult_t result);

// Of a steady clock.
double Seconds();

}  // namespace ccl

#endif  // BENCH_C_CALLS_H_
