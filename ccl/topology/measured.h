#ifndef CCL_TOPOLOGY_MEASURED_H_
#define CCL_TOPOLOGY_MEASURED_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/base/types.h"
#include "ccl/topology/measured_times.h"
#include "ccl/topology/topology.h"

// What has been measured of a machine, and the file that remembers it.
namespace ccl {

// Which machine, and which layout of ranks on it.
struct MachineKey {
  std::string host;       // of rank 0
  std::string transport;  // "shm": all ranks share memory; "mpi", "tcp", "mpi+shm", "tcp+shm"
  std::string layout;     // see LayoutOf
  int cores = 0;          // of the host

  friend bool operator==(const MachineKey&, const MachineKey&) = default;
};

struct Machine {
  MachineKey key;
  // Of the level at which all ranks meet.
  Time latency = 0;            // ps, of a message
  double bandwidth = 0;        // bytes/s of a message
  Time group_overhead = 0;     // ps that a group operation takes beside a message's latency
  double group_bandwidth = 0;  // bytes/s of a rank in group operations that copy; 0: there are none
  double reduce_bandwidth = 0;  // bytes/s of one operand that a rank folds, all ranks at once
  double copy_bandwidth = 0;    // likewise copied
  MeasuredTimes times;
};

// How ranks are spread over hosts, of which the first has the lowest: "4", all on one; "2x8+1", two on each of eight
// and one on a ninth; "1x6" also where the hosts' ranks are not neighbours, or are on one host and do without shared
// memory on purpose. Behind that, the levels within hosts: "8-socket4x2-cache2x4".
std::string LayoutOf(const Topology& topology);

// Puts the figures and times in the place of what is typical, where they are of all the topology's ranks; the figures
// within hosts, where they are of as many ranks of one host as the first has. False when they are of neither.
bool TakeMeasured(const Machine& machine, Topology& topology);

// Of all ranks of a backend of this name; the calling process is rank 0's.
MachineKey KeyOf(absl::string_view backend, const Topology& topology);
// Of the ranks on the first of several hosts alone; nothing when there are not several of them, or not several hosts.
std::optional<MachineKey> HostKeyOf(absl::string_view backend, const Topology& topology);
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
