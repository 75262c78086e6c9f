// Group operations of emulated ranks: who has joined, what moves when the last has, who is done.
#ifndef TRANSPORTS_EMULATED_GROUPS_H_
#define TRANSPORTS_EMULATED_GROUPS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "ccl/backend/backend.h"

namespace ccl {

struct GroupMember {
  bool posted = false, done = false;
  uint64_t token = 0;
  Consumer* consumer = nullptr;
  Time posted_at = 0, sent_at = 0;
  std::vector<ConstPiece> src;
  std::vector<Piece> dst;
};

struct GroupOperation {
  OperationKind kind = OperationKind::kGroupReduce;
  int root = -1;  // -1: every member; of a reconfiguration its matching
  int tier = -1;  // of the fabric, whose switches do it
  uint64_t bytes = 0;
  std::vector<int> ranks;             // ascending
  std::vector<GroupMember> members;   // of each
  size_t posted = 0, left = 0;        // members that have joined, that are not done
  int last = 0;                       // the rank that joined last
  // Deterministic order among operations that start at one instant.
  std::tuple<uint32_t, uint64_t, uint16_t, uint64_t> order;

  GroupMember& member(int rank);
  std::vector<int> sources() const;  // who gives bytes to the switches
  std::vector<int> targets() const;  // who takes some from them
  std::vector<std::pair<int, int>> circuits() const;  // of a reconfiguration
};

// The k-th operation of a member in (context, group, channel) meets the k-th of all others.
class GroupMatcher {
 public:
  // Adds the part of one rank. The operation, once all members have posted theirs; else null.
  // Members that disagree about kind, root or size are an error.
  absl::StatusOr<std::unique_ptr<GroupOperation>> Join(int rank, const Operation& operation,
                                                       Time now);

 private:
  using Key = std::tuple<uint32_t, uint64_t, uint16_t>;
  struct Sequence {
    std::deque<std::unique_ptr<GroupOperation>> open;
    uint64_t begun = 0;
  };
  std::map<Key, Sequence> sequences_;
};

// Moves the bytes of an operation that all members have joined.
void MoveGroup(const GroupOperation& operation);

}  // namespace ccl

#endif  // TRANSPORTS_EMULATED_GROUPS_H_
