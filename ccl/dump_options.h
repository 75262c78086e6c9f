#ifndef CCL_DUMP_OPTIONS_H_
#define CCL_DUMP_OPTIONS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// What may be said of flight records: where they go, and on which signal. Needs nothing of the library, as
// options do not.
namespace ccl {

// OK, or that files cannot be written into it.
absl::Status CheckFolder(const std::string& path);

// Signals that may ask for dumps: "USR1", "USR2", "HUP", or their numbers; 0 and "": none.
absl::Status ParseSignal(absl::string_view text, int& signal);
bool MayAsk(int signal);
std::string SignalName(int signal);

}  // namespace ccl

#endif  // CCL_DUMP_OPTIONS_H_
