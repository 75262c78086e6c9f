#ifndef CCL_BASE_LOG_H_
#define CCL_BASE_LOG_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace ccl {

// What CCL_DEBUG, CCL_DEBUG_SUBSYS and CCL_DEBUG_FILE ask for, as NCCL's: the level NONE (default),
// VERSION, WARN, INFO or TRACE; subsystems separated by commas, "^" in front excludes those that
// follow (default INIT,ENV); a file in whose name %h is the host and %p the process, standard error
// without one. Read once.
enum class LogLevel : uint8_t { kNone, kVersion, kWarn, kInfo, kTrace };
// INIT: worlds and communicators; COLL, P2P: calls; NET: the transport; GRAPH: the machine as the planner
// sees it; TUNING: choices, each once; ENV: variables that are set; ALLOC: memory; DESTROY: ends.
enum class LogPart : uint8_t { kInit, kColl, kP2p, kNet, kGraph, kTuning, kEnv, kAlloc, kDestroy };

// Cheap: whether a line would be written. Warnings are of every part.
bool Logs(LogLevel level, LogPart part);
// Writes "HOST:PROCESS:THREAD CCL INFO text" and a newline, as one.
void Log(LogLevel level, LogPart part, absl::string_view text);

// A backend's URL for the log, errors and lists of settings: without what lets people in.
std::string WithoutSecret(absl::string_view url);

// For tests: what `parts` selects, a bit for each LogPart.
uint32_t SelectLogParts(absl::string_view parts);
// A file's name with %h and %p replaced.
std::string LogFileName(absl::string_view pattern, absl::string_view host, int process);

}  // namespace ccl

#endif  // CCL_BASE_LOG_H_
