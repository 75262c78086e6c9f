#include "ccl/dump_options.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ccl {
namespace {

constexpr struct {
  int number;
  const char* name;
} kSignals[] = {{SIGUSR1, "USR1"}, {SIGUSR2, "USR2"}, {SIGHUP, "HUP"}};

}  // namespace

absl::Status CheckFolder(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && access(path.c_str(), W_OK) == 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("flight records cannot be written to '", path, "': it is no folder to write to"));
}

bool MayAsk(int signal) {
  return std::any_of(std::begin(kSignals), std::end(kSignals),
                     [&](const auto& known) { return known.number == signal; });
}

std::string SignalName(int signal) {
  for (const auto& known : kSignals) {
    if (known.number == signal) return known.name;
  }
  return "none";
}

absl::Status ParseSignal(absl::string_view text, int& signal) {
  int number = 0;
  for (const auto& known : kSignals) {
    if (text == known.name || text == absl::StrCat("SIG", known.name)) number = known.number;
  }
  if (number == 0 && (!absl::SimpleAtoi(text, &number) || (number != 0 && !MayAsk(number)))) {
    return absl::InvalidArgumentError("USR1, USR2 or HUP");
  }
  signal = number;
  return absl::OkStatus();
}

}  // namespace ccl
