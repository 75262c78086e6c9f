#ifndef CCL_TOPOLOGY_MEASURED_H_
#define CCL_TOPOLOGY_MEASURED_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/base/types.h"
#include "ccl/topology/topology.h"

// What has been measured of a machine, and the file that remembers it.
namespace ccl {

// Which machine, and which layout of ranks on it.
struct MachineKey {
  std::string host;
  std::string transport;  // "shm": ranks of the host share memory; "mpi"
  int ranks = 0;          // of the host
  int cores = 0;

  friend bool operator==(const MachineKey&, const MachineKey&) = default;
};

struct Machine {
  MachineKey key;
  Time latency = 0;            // ps, of a message
  double bandwidth = 0;        // bytes/s of a message
  Time group_overhead = 0;     // ps that a group operation takes beside a message's latency
  double group_bandwidth = 0;  // bytes/s of a rank in group operations that copy; 0: there are none
  double reduce_bandwidth = 0;  // bytes/s of one operand that a rank folds, all ranks at once
  double copy_bandwidth = 0;    // likewise copied
};

// Puts the figures in the place of what is typical: of the level "host". False when there is none.
bool TakeMeasured(const Machine& machine, Topology& topology);

// Of so many ranks of this host.
MachineKey ThisMachine(absl::string_view transport, int ranks);
// Where the file of a machine is kept: below $XDG_CACHE_HOME, or ~/.cache. Empty when there is neither.
std::string MachinePath(const MachineKey& key);
std::string Format(const Machine& machine);
// InvalidArgument says what is wrong with the text: not one of Format's, cut off, numbers that cannot be.
absl::StatusOr<Machine> ParseMachine(absl::string_view text);
// The text of the file of `key`; NotFound when there is none. InvalidArgument: it is of another machine
// or layout, or damaged.
absl::StatusOr<std::string> ReadMachine(const MachineKey& key);
// Writes the file whole or not at all.
absl::Status WriteMachine(const Machine& machine);

}  // namespace ccl

#endif  // CCL_TOPOLOGY_MEASURED_H_
