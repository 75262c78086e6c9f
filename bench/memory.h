#ifndef BENCH_MEMORY_H_
#define BENCH_MEMORY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ccl/base/types.h"

namespace ccl {

// A call of one process among so many, on hosts that are full.
struct MemoryQuestion {
  Collective collective = Collective::kAllReduce;
  DataType type = DataType::kFloat32;
  uint64_t size = 0;  // bytes of the larger buffer
  int ranks = 0, per_host = 8, root = 0;
  std::string algorithm;  // empty: the planner's choice
};

// What a process holds of one kind: bytes of its heap, as the allocator counts them.
struct MemoryPart {
  std::string name;
  int64_t bytes = 0;
};

struct MemoryAnswer {
  std::vector<MemoryPart> library;     // whatever the transport
  std::vector<MemoryPart> transports;  // one each
  uint64_t shared = 0, populated = 0;  // bytes of a host's segment: addresses, and memory before any message
  int sockets = 0;                     // of the system, that tcp: opens
  int peers = 0;                       // ranks that the call talks to
  uint64_t operations = 0;             // that it posts
  std::string plan;                    // as it explains itself
};

// Makes it all, without the other processes: topology, planner, communicator and call are those that a
// process has, over a transport that completes whatever is posted; the transports' own structures are
// made without connections. InvalidArgument says what is wrong with the question, as a call would.
absl::StatusOr<MemoryAnswer> MemoryOf(const MemoryQuestion& question);

// Prints the answer for so many ranks beside that for a quarter as many, and whether anything has grown
// faster than the ranks.
absl::Status PrintMemory(const MemoryQuestion& question);

}  // namespace ccl

#endif  // BENCH_MEMORY_H_
