#include "ccl/figures.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ccl/base/log.h"
#include "ccl/base/status.h"
#include "ccl/topology/measured.h"

namespace ccl {
namespace {

// The text of the file, or nothing, and the log says which. `of`: whose times or figures it has.
std::string Read(const MachineKey& key, absl::string_view of) {
  absl::StatusOr<std::string> text = ReadMachine(key);
  if (text.ok()) {
    Log(LogLevel::kInfo, LogPart::kInit,
        absl::StrCat("plans go by what was measured of ", of, " in ", MachinePath(key)));
    return *std::move(text);
  }
  const bool none = absl::IsNotFound(text.status());
  const absl::string_view makes =
      none && !MachinePath(key).empty() ? ", which cclbench calibrate machine makes of a job like this" : "";
  Log(none ? LogLevel::kInfo : LogLevel::kWarn, LogPart::kInit,
      absl::StrCat("plans go by typical figures of ", of, none ? ": " : ", measured ones are ignored: ",
                   text.status().message(), makes));
  return "";
}

}  // namespace

absl::StatusOr<Topology> MeasuredTopology(Backend& backend) {
  Topology topology = backend.topology();
  const bool measurable = !backend.abilities().virtual_time && topology.ranks > 1 && backend.name() != "local";
  if (!measurable) return topology;
  // Of the ranks of the first host by themselves, and of all.
  std::string within, all;
  if (backend.local_ranks().front() == 0) {
    if (const auto host = HostKeyOf(backend.name(), topology)) {
      within = Read(*host, "ranks of one host");
    }
    all = Read(KeyOf(backend.name(), topology), "all ranks");
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
