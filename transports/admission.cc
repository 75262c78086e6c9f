#include "transports/admission.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace ccl {
namespace {

template <typename P>
uint64_t BytesOf(absl::Span<const P> pieces) {
  uint64_t bytes = 0;
  for (const P& piece : pieces) bytes += piece.bytes;
  return bytes;
}

bool IsGroup(const Operation& op) {
  return op.kind == OperationKind::kGroupReduce || op.kind == OperationKind::kGroupCopy;
}

// What is read, and what is written but by a consumer.
bool HoldsItsBytes(const Operation& op, int self) {
  const bool copies = op.kind == OperationKind::kGroupCopy;
  const bool reads = op.kind == OperationKind::kSend || op.kind == OperationKind::kGroupReduce || (copies && op.peer == self);
  const bool writes = op.kind == OperationKind::kRecv || (copies && op.peer != self);
  return (!reads || BytesOf(op.src) == op.bytes) && (!writes || BytesOf(op.dst) == op.bytes);
}

bool Consumes(const Operation& op, int self) {
  return op.kind == OperationKind::kRecvReduce ||
         (op.kind == OperationKind::kGroupReduce && (op.peer < 0 || op.peer == self));
}

bool IsMember(const Operation& op, int self, int ranks) {
  const absl::Span<const int> members = op.group.ranks;
  return std::find(members.begin(), members.end(), self) != members.end() &&
         std::all_of(members.begin(), members.end(), [&](int rank) { return rank >= 0 && rank < ranks; });
}

}  // namespace

absl::Status Admit(const Operation& op, const Backend& backend, int self) {
  const Abilities has = backend.abilities();
  const int ranks = backend.ranks();
  const bool known = op.kind != OperationKind::kReconfigure && (!IsGroup(op) || has.group_operations);
  const bool peer = (op.peer >= 0 || op.kind == OperationKind::kGroupReduce) && op.peer < ranks;
  const bool apart = op.context < has.contexts && op.channel < has.channels;
  const bool bytes = HoldsItsBytes(op, self);
  const bool consumes = !Consumes(op, self) || op.consumer != nullptr;
  const bool member = !IsGroup(op) || IsMember(op, self, ranks);
  // The sound case is decided without making any text.
  if (known && peer && apart && bytes && consumes && member) return absl::OkStatus();
  const std::string what = absl::StrCat(
      "rank ", self, ": ",
      op.kind == OperationKind::kSend ? "send"
      : IsGroup(op)                   ? "group operation"
      : !known                        ? "reconfiguration"
                                      : "receive",
      " of ", op.bytes, " bytes, peer ", op.peer, " (context ", op.context, ", channel ", op.channel, "): ");
  if (!known) {
    return absl::UnimplementedError(absl::StrCat(what, "the ", backend.name(), " backend has none; see Backend::abilities"));
  }
  if (!peer) return absl::InvalidArgumentError(absl::StrCat(what, "the peer is not one of the ranks 0 to ", ranks - 1));
  if (!apart) {
    return absl::ResourceExhaustedError(
        absl::StrCat(what, "contexts are below ", has.contexts, " and channels below ", has.channels));
  }
  if (!consumes) {
    return absl::InvalidArgumentError(absl::StrCat(what, "no consumer; the ", backend.name(), " backend moves real bytes only"));
  }
  if (!bytes) {
    return absl::InvalidArgumentError(absl::StrCat(what, "its pieces hold other than its bytes; the ", backend.name(),
                                                   " backend moves real bytes only"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(what, "its ", op.group.ranks.size(), " members must be ranks, this one among them"));
}

}  // namespace ccl
