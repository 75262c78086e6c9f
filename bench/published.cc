#include "bench/published.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "bench/csv.h"
#include "bench/record.h"
#include "ccl/base/status.h"
#include "fabric/description.h"

namespace ccl {
namespace {

// Systems as tables of measurements call them. Within one node, and beyond.
constexpr struct {
  absl::string_view system, node, cluster;
} kSystems[] = {
    {"DGX_H100_node", "dgx-h100", "dgx-h100-superpod"},
    {"DGX_H100", "dgx-h100", "dgx-h100-superpod"},
    {"GB200_node4", "gb200-nvl72", "gb200-nvl72"},
    {"GB200_NVL72", "gb200-nvl72", "nvl72-cluster"},
    {"GH200_NVL32", "gh200-nvl32", "gh200-nvl32"},
    {"CM384", "cloudmatrix384-dies", "cloudmatrix384-dies"},
    {"A2_910B_node", "ascend910b-node", "ascend910b-cluster"},
    {"A2_910B_RoCE", "ascend910b-cluster", "ascend910b-cluster"},
};

// What libraries run, by a word of their name; the first line that fits. NVLS, which is
// group_two_shot, is NCCL's choice only where a job fills the switches' domain. A ring through
// several nodes uses every NIC: one ring within the nodes and one between, which is hier.
// 'n': in one node, 'f': in one that they fill, 'm': in many, 'a': any of these.
constexpr struct {
  absl::string_view library, word;
  absl::string_view collectives;
  char where;
  absl::string_view algorithms;
} kLibraries[] = {
    {"NCCL", "NVLS", "allreduce", 'a', "group_two_shot"},
    {"NCCL", "Ring", "allreduce allgather reduce_scatter", 'n', "ring"},
    {"NCCL", "Ring", "allreduce allgather reduce_scatter", 'm', "hier(ring+ring)"},
    {"NCCL", "Tree", "allreduce", 'a', "double_binary_tree"},
    {"NCCL", "", "allreduce", 'f', "ring group_two_shot"},
    {"NCCL", "", "allreduce", 'n', "ring"},
    {"NCCL", "", "allreduce", 'm', "hier(ring+ring) hier(group_direct+nhr)"},
    {"NCCL", "", "allgather reduce_scatter", 'n', "ring"},
    {"NCCL", "", "allgather reduce_scatter", 'm', "hier(ring+ring)"},
    {"NCCL", "", "broadcast reduce", 'a', "chain"},
    {"NCCL", "", "alltoall gather scatter", 'a', "direct"},
    {"HCCL", "", "allreduce", 'n', "two_shot"},
    {"HCCL", "", "allreduce", 'm', "hier(two_shot+nhr) hier(two_shot+ring)"},
    {"HCCL", "", "allgather reduce_scatter", 'n', "direct"},
    {"HCCL", "", "allgather reduce_scatter", 'm', "hier(direct+nhr) hier(direct+ring)"},
    {"HCCL", "", "alltoall gather scatter broadcast reduce", 'a', "direct"},
};

// Of algorithms that pipeline, the numbers of slices that are tried.
std::vector<std::string> InSlices(absl::string_view names) {
  std::vector<std::string> specs;
  for (absl::string_view name : absl::StrSplit(names, ' ')) {
    specs.emplace_back(name);
    if (name != "group_two_shot" && name != "chain" && name != "double_binary_tree") continue;
    for (int slices : {4, 16, 64}) specs.push_back(absl::StrCat(name, "*", slices));
  }
  return specs;
}

template <typename... Parts>
absl::Status Unknown(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

// The tier that tables call a node; null where the system has no such tier.
const fabric::Tier* NodeTier(const fabric::Description& d) {
  for (const fabric::Tier& tier : d.tiers) {
    if (tier.name == "node") return &tier;
  }
  return nullptr;
}

absl::StatusOr<Stand> StandForMessage(const Published& row, Stand stand,
                                      const fabric::Description& d) {
  stand.message = true;
  stand.transfer = row.collective == "p2p_read" ? "read" : row.collective == "p2p_write" ? "write"
                                                                                        : "send";
  const fabric::Tier* node = NodeTier(d);
  if (row.nodes > 2 || (row.nodes == 2 && node == nullptr)) {
    return Unknown("a message between ", row.nodes, " nodes");
  }
  // Not to a sibling on the same package, where a node is made of such.
  stand.peer = row.nodes == 2 ? node->group_size
               : node == nullptr || node == &d.tiers[0] ? 1 : d.tiers[0].group_size;
  stand.endpoints = 0;
  return stand;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> AlgorithmsOf(const std::string& library,
                                                      Collective collective, Where where) {
  bool known = false;
  for (const auto& line : kLibraries) {
    if (!absl::StrContains(library, line.library)) continue;
    known = true;
    if (!absl::StrContains(library, line.word)) continue;
    const bool fits = line.where == 'a' ||
                      (line.where == 'n' && where != Where::kNodes) ||
                      (line.where == 'f' && where == Where::kFilledNode) ||
                      (line.where == 'm' && where == Where::kNodes);
    const std::vector<absl::string_view> collectives = absl::StrSplit(line.collectives, ' ');
    if (!fits || std::find(collectives.begin(), collectives.end(), Name(collective)) ==
                     collectives.end()) {
      continue;
    }
    return InSlices(line.algorithms);
  }
  if (!known) return Unknown("library \"", library, "\": which algorithms it has is not known");
  return Unknown(library, ": which algorithm it has for ", Name(collective), " is not known");
}

absl::StatusOr<std::vector<Published>> ParsePublished(absl::string_view text,
                                                      absl::string_view path) {
  auto rows = ParseCsv(text, path, {"system", "ranks", "nodes", "collective", "bytes", "metric",
                                    "value", "library", "source"});
  if (!rows.ok()) return rows.status();
  std::vector<Published> table;
  for (const CsvRow& row : *rows) {
    CCL_ASSIGN_OR_RETURN(const double ranks, NumberOf(row, "ranks", path));
    CCL_ASSIGN_OR_RETURN(const double nodes, NumberOf(row, "nodes", path));
    CCL_ASSIGN_OR_RETURN(const double bytes, NumberOf(row, "bytes", path));
    CCL_ASSIGN_OR_RETURN(const double value, NumberOf(row, "value", path));
    if (ranks < 1 || ranks > (1 << 20) || nodes < 1 || nodes > ranks || bytes > 1e15 || value <= 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          path, ":", row.line, ": needs 1 to ", 1 << 20, " ranks on at least one node each, at most "
          "1e15 bytes, and a value above 0"));
    }
    table.push_back({row.fields.at("system"), row.fields.at("collective"), row.fields.at("metric"),
                     row.fields.at("library"), row.fields.at("source"), static_cast<int>(ranks),
                     static_cast<int>(nodes), static_cast<uint64_t>(bytes), value});
  }
  return table;
}

absl::StatusOr<Stand> StandFor(const Published& row, absl::string_view preset) {
  if (row.metric != "time_us" && row.metric != "busbw_GBps" && row.metric != "algbw_GBps") {
    return Unknown("metric \"", row.metric, "\"; known: time_us, busbw_GBps, algbw_GBps");
  }
  Stand stand;
  stand.preset = std::string(preset);
  for (const auto& known : kSystems) {
    if (!stand.preset.empty() || known.system != row.system) continue;
    stand.preset = std::string(row.nodes > 1 ? known.cluster : known.node);
  }
  if (stand.preset.empty()) stand.preset = row.system;
  const std::vector<std::string> presets = fabric::PresetNames();
  if (std::find(presets.begin(), presets.end(), stand.preset) == presets.end() &&
      !absl::EndsWith(stand.preset, ".toml")) {
    return Unknown("system \"", row.system, "\" has no preset here; --map ", row.system,
                   "=PRESET names one");
  }
  auto d = fabric::Load(stand.preset);
  if (!d.ok()) return d.status();
  if (absl::StartsWith(row.collective, "p2p")) return StandForMessage(row, std::move(stand), *d);
  auto collective = ParseCollective(row.collective);
  if (!collective.ok()) return Unknown("collective \"", row.collective, "\"");
  if (row.bytes == 0 && row.metric != "time_us") return Unknown("a bandwidth of 0 bytes");
  stand.collective = *collective;
  const fabric::Tier* node = NodeTier(*d);
  Where where = row.nodes > 1 ? Where::kNodes : Where::kNode;
  if (node != nullptr) {
    if (row.nodes == 1 ? row.ranks > node->group_size
                       : row.ranks != row.nodes * node->group_size) {
      return Unknown(row.ranks, " ranks on ", row.nodes, " nodes: ", stand.preset, " has nodes of ",
                     node->group_size);
    }
    if (row.ranks == node->group_size) where = Where::kFilledNode;
  } else if (row.ranks == d->tiers[0].group_size) {
    where = Where::kFilledNode;
  } else if (row.ranks < d->tiers[0].group_size) {
    where = Where::kNode;
  }
  if (row.ranks < d->minimum_endpoints || row.ranks > d->maximum_endpoints) {
    return Unknown(row.ranks, " ranks: ", stand.preset, " has ", d->minimum_endpoints, " to ",
                   d->maximum_endpoints, " endpoints");
  }
  stand.endpoints = row.ranks;
  CCL_ASSIGN_OR_RETURN(stand.algorithms, AlgorithmsOf(row.library, *collective, where));
  return stand;
}

double MetricOf(const Published& row, uint64_t bytes, double seconds) {
  if (row.metric == "time_us") return seconds * 1e6;
  Record record;
  const auto collective = ParseCollective(row.collective);
  record.collective = collective.ok() ? std::string(Name(*collective)) : "sendrecv";
  record.ranks = row.ranks;
  record.bytes = bytes;
  record.seconds = seconds;
  return row.metric == "algbw_GBps" ? record.algbw() : record.busbw();
}

}  // namespace ccl
