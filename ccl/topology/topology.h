#ifndef CCL_TOPOLOGY_TOPOLOGY_H_
#define CCL_TOPOLOGY_TOPOLOGY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ccl/base/types.h"

namespace ccl {

class MeasuredTimes;

// A partition of the ranks 0..n-1 into groups of consecutive ranks: group i is
// [starts[i], starts[i + 1]). The last entry of `starts` is n.
struct Grouping {
  std::vector<int> starts;

  int groups() const { return static_cast<int>(starts.size()) - 1; }
  int ranks() const { return starts.back(); }
  int begin(int group) const { return starts[group]; }
  int size(int group) const { return starts[group + 1] - starts[group]; }
  int GroupOf(int rank) const;
  int SmallestSize() const;
  bool uniform() const;

  // Groups of `size`, the last one smaller when size does not divide ranks.
  static Grouping Uniform(int ranks, int size);
  friend bool operator==(const Grouping& a, const Grouping& b) { return a.starts == b.starts; }
};

// What a message of a level pays for the way it is sent: of those that take its size, the one under
// which it is fastest alone.
struct Protocol {
  Time overhead = 0;        // ps before its first byte, beside send_overhead
  double bandwidth = 0;     // bytes/s of one message
  double efficiency = 1;    // of the port rate, when many messages share it
  uint64_t max_bytes = UINT64_MAX;
};

// One level of the machine. Two ranks that first share a group at this level exchange messages
// at these figures.
struct Level {
  std::string name;          // "node", "supernode", "socket", "host", ...
  Grouping grouping;         // the groups within which this level connects
  Time latency = 0;          // ps, first byte out to first byte in, endpoint costs excluded
  double bandwidth = 0;      // bytes/s of one message
  double port_bandwidth = 0;  // bytes/s of all messages of a rank at this level; 0: as of one
  double group_uplink = 0;   // bytes/s out of (and into) one of this level's groups towards the
                             // next level; 0: not a constraint
  double group_bandwidth = 0;  // bytes/s of a rank when the level's switches reduce and replicate
                               // for it: group operations within the level; 0: they cannot
  Time group_overhead = 0;     // ps before the first byte of one, beside send_overhead
  bool group_to_all = true;    // a reduction's result can go to every member, not only to one
  bool group_by_members = false;  // who wants a reduction folds it, at reduce_bandwidth; else switches do
  bool group_together = false;    // likewise, but what all want they fold together, once
  std::vector<Protocol> protocols;  // none: `bandwidth` at any size
};

// The logical machine as the planner and the recipes see it: a value, equal on all ranks.
struct Topology {
  int ranks = 1;
  std::vector<Level> levels;      // innermost first; the last one holds all ranks in one group
  double injection_bandwidth = 0; // bytes/s out of a rank (and into it) through all of its ports
                                  // together; 0: the innermost level's bandwidth
  Time launch_overhead = 0;       // ps before the first message of an operation
  double block_bandwidth = 0;     // bytes/s at which an operation passes the rank's own block
                                  // through, before its first message; 0: free. See LaunchTime
  double exchange_bandwidth = 0;  // likewise for an all-to-all: all blocks
  Time send_overhead = 0;         // ps a rank is busy per message sent
  Time recv_overhead = 0;         // ps a rank is busy per message received
  double reduce_bandwidth = 0;    // bytes of one operand reduced per second; 0: free
  double copy_bandwidth = 0;      // bytes copied per second by a rank; 0: free
  std::shared_ptr<const MeasuredTimes> measured;  // of these ranks; what it knows comes before any formula. Or null

  // The innermost level at which two different ranks meet.
  const Level& LevelOf(int a, int b) const;
  int LevelIndexOf(int a, int b) const;
  // That at which the ranks of a host meet: the outermost one but "network". Null when no two are known to share a host.
  const Level* Host() const;
  // Whether the machine itself does group operations among these ranks, which ascend. `to_all`: and
  // hands every one of them the result of a reduction.
  bool DoesGroupOperations(absl::Span<const int> ranks, bool to_all) const;
  // What an operation costs before its first message: launch_overhead, and of `bytes`, its larger
  // buffer, all at exchange_bandwidth for an all-to-all, the rank's own block at block_bandwidth for
  // the other collectives in which all ranks do alike, `ranks` of them.
  Time LaunchTime(Collective collective, uint64_t bytes, int ranks) const;
  // Stable text of every field; equal topologies have equal text. What ranks compare.
  std::string ToString() const;

  static Topology Flat(int ranks, Time latency, double bandwidth);
};

absl::Status Validate(const Topology& topology);

// The machine as ranks `ranks` see it, renumbered in that order: distinct, and each of `topology`.
// Groups stay where their members are neighbours in the new order; a group whose members come in
// several runs is as many groups, and a level that joins nobody is left out. What was
// measured is of all ranks in their order, and of no others.
Topology Subset(const Topology& topology, absl::Span<const int> ranks);
// The ranks of the first host alone. Some share a host.
Topology FirstHost(const Topology& topology);

}  // namespace ccl

#endif  // CCL_TOPOLOGY_TOPOLOGY_H_
