// Systems described by a TOML file.
#ifndef FABRIC_FILE_H_
#define FABRIC_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fabric/description.h"

namespace fabric {

// The system of a file:
//
//   preset = "cloudmatrix384"        # begin with a preset, or list [[tier]] tables
//   endpoints = 96
//   port_bandwidth = "392 GB/s"      # any key of `Load`, with its unit
//   [node]
//   switch_latency = "300 ns"
//
// A new system has a name, endpoints, port_bandwidth and [[tier]] tables, innermost first, with
// name, group_size and the tier's keys. Errors name file and line.
absl::StatusOr<Description> LoadFile(const std::string& path, int endpoints,
                                     absl::Span<const std::string> sets);

}  // namespace fabric

#endif  // FABRIC_FILE_H_
