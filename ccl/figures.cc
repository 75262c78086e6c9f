#include "ccl/figures.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ccl/base/log.h"
#include "ccl/base/status.h"
#include "ccl/topology/measured.h"

namespace ccl {
namespace {

// The text of a file, or nothing, and the log says which. `then`: what is done without.
std::string Read(const MachineKey& key, absl::string_view of, absl::string_view then) {
  absl::StatusOr<std::string> text = ReadMachine(key);
  if (text.ok()) {
    Log(LogLevel::kInfo, LogPart::kInit,
        absl::StrCat("plans go by what was measured of ", of, " in ", MachinePath(key)));
    return *std::move(text);
  }
  const bool none = absl::IsNotFound(text.status());
  Log(none ? LogLevel::kInfo : LogLevel::kWarn, LogPart::kInit,
      absl::StrCat("plans go by ", then, none ? ": " : ", measured figures are ignored: ", text.status().message(),
                   none ? ", which cclbench calibrate machine makes of a job like this" : ""));
  return "";
}

}  // namespace

absl::StatusOr<Topology> MeasuredTopology(Backend& backend) {
  Topology topology = backend.topology();
  if (backend.abilities().virtual_time || topology.ranks == 1) return topology;
  // Of the first host alone, for want of what is of all ranks.
  std::string within, all;
  if (backend.local_ranks().front() == 0) {
    if (const auto host = HostKeyOf(backend.name(), topology)) {
      within = Read(*host, "ranks of a host", "typical figures within hosts");
    }
    all = Read(KeyOf(backend.name(), topology), "all ranks", "figures of single messages");
  }
  for (std::string* const text : {&within, &all}) {
    CCL_RETURN_IF_ERROR(backend.ShareFromRankZero(*text));
    if (text->empty()) continue;
    CCL_ASSIGN_OR_RETURN(const Machine machine, ParseMachine(*text));
    TakeMeasured(machine, topology);
  }
  return topology;
}

}  // namespace ccl
