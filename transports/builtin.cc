#include <iterator>

#include "absl/strings/str_cat.h"
#include "ccl/backend/backend.h"
#include "transports/emulated/emulated.h"
#include "transports/mpi/load.h"

// The table of transports: the one place that names them all.
namespace ccl {
namespace {

struct Scheme {
  absl::string_view name;
  absl::StatusOr<std::unique_ptr<Backend>> (*open)(absl::string_view rest, int ranks);
};

constexpr Scheme kSchemes[] = {
    {"emulated", OpenEmulated},
    {"mpi", OpenMpi},
};

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> OpenBackend(absl::string_view url, int ranks) {
  const size_t colon = url.find(':');
  if (colon != absl::string_view::npos) {
    for (const Scheme& scheme : kSchemes) {
      if (url.substr(0, colon) == scheme.name) return scheme.open(url.substr(colon + 1), ranks);
    }
  }
  std::string known;
  for (const Scheme& scheme : kSchemes) absl::StrAppend(&known, " ", scheme.name, ":");
  return absl::InvalidArgumentError(
      absl::StrCat("no backend is called '", url, "'; a backend starts with one of", known));
}

}  // namespace ccl
