#include "ccl/topology/measured.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ccl/base/status.h"

namespace ccl {
namespace {

// The first line of a file: changes when older files cannot be read any more.
constexpr absl::string_view kHeader = "ccl machine 2";
constexpr absl::string_view kEnd = "end";

// Of figures that can be: up to a petabyte a second.
absl::Status ReadRate(absl::string_view text, bool may_lack, double& value) {
  if (!absl::SimpleAtod(text, &value) || !std::isfinite(value) || value < 0 || value > 1e15 ||
      (value == 0 && !may_lack)) {
    return absl::InvalidArgumentError("is no rate");
  }
  return absl::OkStatus();
}

absl::Status ReadTime(absl::string_view text, bool may_lack, Time& value) {
  if (!absl::SimpleAtoi(text, &value) || value < (may_lack ? 0 : 1) || value > kLongestMeasured) {
    return absl::InvalidArgumentError("is no time");
  }
  return absl::OkStatus();
}

absl::Status ReadNumber(absl::string_view text, int& value) {
  if (!absl::SimpleAtoi(text, &value) || value < 1) return absl::InvalidArgumentError("is no number");
  return absl::OkStatus();
}

absl::Status ReadLine(absl::string_view name, absl::string_view value, Machine& machine) {
  if (name == "host") machine.key.host = std::string(value);
  if (name == "transport") machine.key.transport = std::string(value);
  if (name == "layout") machine.key.layout = std::string(value);
  if (name == "host" || name == "transport" || name == "layout") return absl::OkStatus();
  if (name == "cores") return ReadNumber(value, machine.key.cores);
  if (name == "latency") return ReadTime(value, false, machine.latency);
  if (name == "bandwidth") return ReadRate(value, false, machine.bandwidth);
  if (name == "group_overhead") return ReadTime(value, true, machine.group_overhead);
  if (name == "group_bandwidth") return ReadRate(value, true, machine.group_bandwidth);
  if (name == "reduce_bandwidth") return ReadRate(value, false, machine.reduce_bandwidth);
  if (name == "copy_bandwidth") return ReadRate(value, false, machine.copy_bandwidth);
  if (absl::StrContains(name, ' ')) return machine.times.AddCurve(name, value);
  return absl::InvalidArgumentError("is not known");
}

void TakeFigures(const Machine& machine, Topology& topology, Level& level) {
  level.latency = machine.latency;
  level.bandwidth = machine.bandwidth;
  if (level.group_bandwidth > 0 && machine.group_bandwidth > 0) {
    level.group_bandwidth = machine.group_bandwidth;
    level.group_overhead = machine.group_overhead;
  }
  if (topology.reduce_bandwidth > 0) topology.reduce_bandwidth = machine.reduce_bandwidth;
}

// Of a host, and of its sockets and caches, which stay as many times as fast as it as is typical.
void TakeHostFigures(const Machine& machine, Topology& topology, Level& host) {
  const Level typical = host;
  TakeFigures(machine, topology, host);
  for (Level* inner = topology.levels.data(); inner != &host; ++inner) {
    inner->latency = static_cast<Time>(static_cast<double>(inner->latency) * static_cast<double>(host.latency) /
                                       static_cast<double>(std::max<Time>(1, typical.latency)));
    inner->bandwidth *= host.bandwidth / typical.bandwidth;
    inner->group_overhead = host.group_overhead;
    if (typical.group_bandwidth > 0) inner->group_bandwidth *= host.group_bandwidth / typical.group_bandwidth;
  }
}

std::string TextOf(const Grouping& groups) {
  std::string text;
  for (int i = 0, next = 0; i < groups.groups(); i = next) {
    while (next < groups.groups() && groups.size(next) == groups.size(i)) ++next;
    absl::StrAppend(&text, i > 0 ? "+" : "", groups.size(i), next - i > 1 ? absl::StrCat("x", next - i) : "");
  }
  return text;
}

}  // namespace

std::string LayoutOf(const Topology& topology) {
  const Level* const host = topology.Host();
  if (host == nullptr) return TextOf(Grouping::Uniform(topology.ranks, 1));
  std::string text = TextOf(host->grouping);
  for (const Level* inner = host; inner != topology.levels.data();) {
    --inner;
    absl::StrAppend(&text, "-", inner->name, TextOf(inner->grouping));
  }
  return text;
}

bool TakeMeasured(const Machine& machine, Topology& topology) {
  const bool of_all = machine.key.layout == LayoutOf(topology);
  const Level* const host = topology.Host();
  if (!of_all && (host == nullptr || machine.key.layout != LayoutOf(FirstHost(topology)))) return false;
  if (of_all) topology.measured = std::make_shared<const MeasuredTimes>(machine.times);
  if (of_all && host != &topology.levels.back()) {
    TakeFigures(machine, topology, topology.levels.back());
  } else {
    TakeHostFigures(machine, topology, topology.levels[static_cast<size_t>(host - topology.levels.data())]);
  }
  return true;
}

std::string Format(const Machine& machine) {
  std::string text = absl::StrCat(
      kHeader, "\nhost = ", machine.key.host, "\ntransport = ", machine.key.transport,
      "\nlayout = ", machine.key.layout, "\ncores = ", machine.key.cores, "\nlatency = ", machine.latency,
      "\nbandwidth = ", machine.bandwidth, "\ngroup_overhead = ", machine.group_overhead,
      "\ngroup_bandwidth = ", machine.group_bandwidth, "\nreduce_bandwidth = ", machine.reduce_bandwidth,
      "\ncopy_bandwidth = ", machine.copy_bandwidth, "\n");
  absl::StrAppend(&text, machine.times.ToString(), kEnd, "\n");
  return text;
}

absl::StatusOr<Machine> ParseMachine(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  if (absl::StripAsciiWhitespace(lines[0]) != kHeader) {
    return absl::InvalidArgumentError(absl::StrCat("does not begin with '", kHeader, "'"));
  }
  Machine machine;
  bool ended = false;
  for (size_t i = 1; i < lines.size(); ++i) {
    const absl::string_view line = absl::StripAsciiWhitespace(lines[i]);
    if (line.empty() || line[0] == '#') continue;
    if (ended) return absl::InvalidArgumentError(absl::StrCat("line ", i + 1, " stands behind the end"));
    ended = line == kEnd;
    if (ended) continue;
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    const absl::string_view name = absl::StripAsciiWhitespace(halves.first);
    const absl::Status status = ReadLine(name, absl::StripAsciiWhitespace(halves.second), machine);
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", i + 1, ": '", name.substr(0, 40), "' ", status.message()));
    }
  }
  if (!ended) return absl::InvalidArgumentError("is cut off: its last line is not 'end'");
  if (machine.key.layout.empty() || machine.key.cores == 0 || machine.latency == 0 || machine.bandwidth == 0 ||
      machine.reduce_bandwidth == 0 || machine.copy_bandwidth == 0) {
    return absl::InvalidArgumentError("lacks some of its figures");
  }
  return machine;
}

}  // namespace ccl
