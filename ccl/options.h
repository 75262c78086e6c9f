#ifndef CCL_OPTIONS_H_
#define CCL_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ccl {

// What a caller may decide about a communicator. Equal on all of its ranks.
struct Options {
  std::string backend;     // a URL; empty: CCL_BACKEND, else mpi: under mpirun, else emulated:crossbar
  std::string algorithms;  // rules of overrides.h, ahead of CCL_ALGO and CCL_ALGO_FILE
  bool phantom = false;    // sizes without bytes; emulated backends only
  bool blocking = true;    // calls that make and end communicators return when they are done
  std::string name;        // for reports
  int traffic_class = 0;   // no transport knows any
  int min_channels = 0, max_channels = 0;  // pieces of what the planner chooses; 0: what suits
  int deterministic = 0;   // cclDeterminism_t
  int64_t timeout_ms = 0;  // of an operation in real time, 0: none
  bool abort_on_timeout = false;
  int check = -1;          // signatures compared: 0, 1; -1: on emulated worlds
  bool split_share = false, shrink_share = false;  // there is nothing to decide: see ccl.h
  std::string flight_folder;  // where records of operations are written to on errors; empty: nowhere
  int flight_signal = 0;      // of the process, which asks for them; 0: none
  bool progress_thread = true;  // in real time, while nobody waits; false: progress inside calls only

  friend bool operator==(const Options&, const Options&) = default;
};

// What a program states, with what the environment says instead: CCL_COMM_BLOCKING, CCL_CHECK,
// CCL_TIMEOUT_MS and others win over the program, as NCCL's do; CCL_BACKEND and CCL_ALGO stand behind
// it. InvalidArgument names the variable.
absl::StatusOr<Options> WithEnvironment(const Options& stated);

// One option, for people.
struct Setting {
  std::string field;     // of cclConfig_t, or empty
  std::string variable;  // of the environment, or empty
  std::string value;
  std::string origin;    // "default", "program", "environment"
  std::string meaning;
};
// All of them, where a program states `stated`.
absl::StatusOr<std::vector<Setting>> Settings(const Options& stated);

}  // namespace ccl

#endif  // CCL_OPTIONS_H_
