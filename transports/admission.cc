#include "transports/admission.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ccl {
namespace {

template <typename P>
uint64_t BytesOf(absl::Span<const P> pieces) {
  uint64_t bytes = 0;
  for (const P& piece : pieces) bytes += piece.bytes;
  return bytes;
}

const char* NameOf(OperationKind kind) {
  switch (kind) {
    case OperationKind::kSend:
      return "send";
    case OperationKind::kGroupReduce:
      return "group reduction";
    case OperationKind::kGroupCopy:
      return "group copy";
    case OperationKind::kReconfigure:
      return "reconfiguration";
    default:
      return "receive";
  }
}

}  // namespace

void Admission::ShareWith(absl::Span<const int> ranks) {
  shares_.assign(static_cast<size_t>(ranks_), false);
  for (int rank : ranks) shares_[static_cast<size_t>(rank)] = true;
}

bool Admission::IsKnown(const Operation& op) const {
  return op.kind != OperationKind::kReconfigure && (!IsGroup(op) || !shares_.empty());
}

bool Admission::HasPeer(const Operation& op) const {
  const int least = op.kind == OperationKind::kGroupReduce ? -1 : 0;  // every member
  return op.peer >= least && op.peer < ranks_;
}

bool Admission::HasBytes(const Operation& op) const {
  const bool copies = op.kind == OperationKind::kGroupCopy;
  const bool reads =
      op.kind == OperationKind::kSend || op.kind == OperationKind::kGroupReduce || (copies && op.peer == self_);
  const bool writes = op.kind == OperationKind::kRecv || (copies && op.peer != self_);
  return (!reads || BytesOf(op.src) == op.bytes) && (!writes || BytesOf(op.dst) == op.bytes);
}

bool Admission::HasConsumer(const Operation& op) const {
  const bool consumes = op.kind == OperationKind::kRecvReduce ||
                        (op.kind == OperationKind::kGroupReduce && op.bytes > 0 && (op.peer < 0 || op.peer == self_));
  return !consumes || op.consumer != nullptr;
}

bool Admission::HasMembers(const Operation& op) const {
  if (!IsGroup(op)) return true;
  const absl::Span<const int> members = op.group.ranks;
  return std::find(members.begin(), members.end(), self_) != members.end() &&
         std::all_of(members.begin(), members.end(), [&](int rank) {
           return rank >= 0 && rank < ranks_ && shares_[static_cast<size_t>(rank)];
         });
}

bool Admission::Takes(const Operation& op) const {
  return IsKnown(op) && HasPeer(op) && TellsApart(op) && HasBytes(op) && HasConsumer(op) && HasMembers(op);
}

absl::Status Admission::Refusal(const Operation& op) const {
  const std::string what = absl::StrCat("rank ", self_, ": ", NameOf(op.kind), " of ", op.bytes, " bytes, peer ",
                                        op.peer, " (context ", op.context, ", channel ", op.channel, "): ");
  if (!IsKnown(op)) {
    return absl::UnimplementedError(absl::StrCat(what, "the ", backend_, " backend has none; see Backend::abilities"));
  }
  if (!HasPeer(op)) {
    return absl::InvalidArgumentError(absl::StrCat(what, "the peer is not one of the ranks 0 to ", ranks_ - 1));
  }
  if (!TellsApart(op)) {
    return absl::ResourceExhaustedError(
        absl::StrCat(what, numbers_, "contexts are below ", contexts_, " and channels below ", channels_));
  }
  if (!HasConsumer(op)) {
    return absl::InvalidArgumentError(absl::StrCat(what, "no consumer; the ", backend_, " backend moves real bytes only"));
  }
  if (!HasBytes(op)) {
    return absl::InvalidArgumentError(absl::StrCat(what, "its pieces hold ", BytesOf(op.src), " bytes to read and ",
                                                   BytesOf(op.dst), " to write; the ", backend_,
                                                   " backend moves real bytes only"));
  }
  return absl::InvalidArgumentError(absl::StrCat(what, "its ", op.group.ranks.size(),
                                                 " members must share memory, this rank among them; see "
                                                 "Backend::abilities"));
}

}  // namespace ccl
