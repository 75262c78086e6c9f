// What backends of real bytes take.
#ifndef TRANSPORTS_ADMISSION_H_
#define TRANSPORTS_ADMISSION_H_

#include "absl/status/status.h"
#include "ccl/backend/backend.h"

namespace ccl {

// Of operations that only cost time, where time is real: they are complete when they are posted.
inline bool CostsOnly(const Operation& operation) {
  return operation.kind == OperationKind::kCopy || operation.kind == OperationKind::kReduce ||
         operation.kind == OperationKind::kDelay;
}

// OK when rank `self` of a backend may post a message or, if the backend has them, a group operation: its peer
// is a rank, its context and channel are told apart, its pieces hold its bytes, what reduces has a consumer, a
// group has the rank as a member. The error says which rank, which operation, and what is wrong.
absl::Status Admit(const Operation& operation, const Backend& backend, int self);

}  // namespace ccl

#endif  // TRANSPORTS_ADMISSION_H_
