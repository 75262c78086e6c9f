// What backends of real bytes take.
#ifndef TRANSPORTS_ADMISSION_H_
#define TRANSPORTS_ADMISSION_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ccl/backend/backend.h"

namespace ccl {

// Of operations that only cost time, where time is real: they are complete when they are posted.
inline bool CostsOnly(const Operation& operation) {
  return operation.kind == OperationKind::kCopy || operation.kind == OperationKind::kReduce ||
         operation.kind == OperationKind::kDelay;
}

inline bool IsGroup(const Operation& operation) {
  return operation.kind == OperationKind::kGroupReduce || operation.kind == OperationKind::kGroupCopy;
}

// Whether one rank may post a message or a group operation: its peer is a rank, its context and channel are told
// apart, the pieces that it reads, or writes itself, hold its bytes, what reduces has a consumer, and a group has
// the rank as a member and others only that it shares memory with.
class Admission {
 public:
  // `backend` lives as long. `numbers` says in an error why contexts and channels are not more.
  Admission(absl::string_view backend, int self, int ranks, uint32_t contexts, uint32_t channels,
            std::string numbers = "")
      : backend_(backend), self_(self), ranks_(ranks), contexts_(contexts), channels_(channels),
        numbers_(std::move(numbers)) {}

  // There are group operations, of these ranks, this one among them.
  void ShareWith(absl::Span<const int> ranks);

  // Makes no text.
  bool Takes(const Operation& operation) const;
  // Of one that it does not take: which rank, which operation, and what is wrong.
  absl::Status Refusal(const Operation& operation) const;

 private:
  bool IsKnown(const Operation& operation) const;
  bool HasPeer(const Operation& operation) const;
  bool TellsApart(const Operation& op) const { return op.context < contexts_ && op.channel < channels_; }
  bool HasBytes(const Operation& operation) const;
  bool HasConsumer(const Operation& operation) const;
  bool HasMembers(const Operation& operation) const;

  const absl::string_view backend_;
  const int self_, ranks_;
  const uint32_t contexts_, channels_;
  const std::string numbers_;
  std::vector<bool> shares_;  // by rank; empty: no group operations
};

}  // namespace ccl

#endif  // TRANSPORTS_ADMISSION_H_
