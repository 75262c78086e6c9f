#include "transports/emulated/groups.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "transports/emulated/pieces.h"

namespace ccl {
namespace {

absl::string_view Name(OperationKind kind) {
  return kind == OperationKind::kGroupReduce ? "group reduction"
         : kind == OperationKind::kGroupCopy ? "group copy"
                                             : "reconfiguration";
}

absl::string_view What(OperationKind kind) {
  return kind == OperationKind::kReconfigure ? "matching" : "root";
}

}  // namespace

GroupMember& GroupOperation::member(int rank) {
  return members[std::lower_bound(ranks.begin(), ranks.end(), rank) - ranks.begin()];
}

std::vector<int> GroupOperation::sources() const {
  return kind == OperationKind::kGroupReduce ? ranks : std::vector<int>{root};
}

std::vector<int> GroupOperation::targets() const {
  std::vector<int> targets;
  for (int rank : ranks) {
    const bool takes = kind == OperationKind::kGroupReduce ? root == -1 || rank == root
                                                           : rank != root;
    if (takes) targets.push_back(rank);
  }
  return targets;
}

std::vector<std::pair<int, int>> GroupOperation::circuits() const {
  std::vector<std::pair<int, int>> circuits;
  const size_t shift = static_cast<size_t>(root) % ranks.size();
  for (size_t i = 0; shift != 0 && i < ranks.size(); ++i) {
    circuits.push_back({ranks[i], ranks[(i + shift) % ranks.size()]});
  }
  return circuits;
}

absl::StatusOr<std::unique_ptr<GroupOperation>> GroupMatcher::Join(int rank,
                                                                   const Operation& operation,
                                                                   Time now) {
  const absl::Span<const int> ranks = operation.group.ranks;
  if (!std::binary_search(ranks.begin(), ranks.end(), rank)) {
    return absl::InvalidArgumentError(
        absl::StrCat("rank ", rank, " is not in the group of its ", Name(operation.kind)));
  }
  const Key key{operation.context, operation.group.id, operation.channel};
  Sequence& sequence = sequences_[key];
  size_t at = 0;
  while (at < sequence.open.size() && sequence.open[at]->member(rank).posted) ++at;
  if (at == sequence.open.size()) {
    auto begun = std::make_unique<GroupOperation>();
    begun->kind = operation.kind;
    begun->root = operation.peer;
    begun->bytes = operation.bytes;
    begun->ranks.assign(ranks.begin(), ranks.end());
    begun->members.resize(ranks.size());
    begun->left = ranks.size();
    begun->order = std::tuple_cat(key, std::tuple<uint64_t>(sequence.begun++));
    sequence.open.push_back(std::move(begun));
  }
  GroupOperation& group = *sequence.open[at];
  if (group.kind != operation.kind || group.root != operation.peer ||
      group.bytes != operation.bytes || absl::MakeConstSpan(group.ranks) != ranks) {
    return absl::InvalidArgumentError(absl::StrCat(
        "rank ", rank, " joins a ", Name(operation.kind), " of ", operation.bytes, " bytes, ",
        ranks.size(), " ranks, ", What(operation.kind), " ", operation.peer, "; rank ", group.last,
        " a ", Name(group.kind), " of ", group.bytes, " bytes, ", group.ranks.size(), " ranks, ",
        What(group.kind), " ", group.root, " (channel ", operation.channel, ")"));
  }
  GroupMember& member = group.member(rank);
  member.posted = true;
  member.token = operation.token;
  member.consumer = operation.consumer;
  member.posted_at = now;
  member.src.assign(operation.src.begin(), operation.src.end());
  member.dst.assign(operation.dst.begin(), operation.dst.end());
  group.last = rank;
  if (++group.posted < ranks.size()) return nullptr;
  // All have posted this one, so nobody is behind it.
  std::unique_ptr<GroupOperation> whole = std::move(sequence.open[at]);
  sequence.open.erase(sequence.open.begin() + static_cast<ptrdiff_t>(at));
  if (sequence.open.empty()) sequences_.erase(key);
  return whole;
}

void MoveGroup(const GroupOperation& operation) {
  if (operation.kind == OperationKind::kGroupCopy) {
    const auto root = std::lower_bound(operation.ranks.begin(), operation.ranks.end(),
                                       operation.root) - operation.ranks.begin();
    for (const GroupMember& member : operation.members) {
      CopyPieces(operation.members[root].src, member.dst);
    }
    return;
  }
  std::vector<absl::Span<const ConstPiece>> operands;
  for (const GroupMember& member : operation.members) operands.push_back(member.src);
  // One member folds, the others get copies: who reduces in place must not spoil the operands.
  std::vector<ConstPiece> result;
  for (const GroupMember& member : operation.members) {
    if (member.consumer == nullptr) continue;
    if (result.empty()) {
      member.consumer->Consume(member.token, 0, operands);
      for (const Piece& piece : member.dst) result.push_back({piece.data, piece.bytes});
    } else {
      CopyPieces(result, member.dst);
    }
  }
}

}  // namespace ccl
