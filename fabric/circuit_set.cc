#include "fabric/circuit_set.h"

#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "fabric/nearest.h"

namespace fabric {
namespace {

std::string Text(const Circuit& c) { return absl::StrCat(c.first, ">", c.second); }

}  // namespace

absl::StatusOr<std::pair<int, std::vector<Circuit>>> ParseCircuits(const Description& d,
                                                                   const TimelineEvent& event) {
  int tier = -1;
  for (int i = 0; i < static_cast<int>(d.tiers.size()); ++i) {
    if (d.tiers[i].kind != TierKind::kCircuit) continue;
    if (event.tier.empty() || event.tier == d.tiers[i].name) tier = i;
  }
  if (tier < 0) {
    return absl::InvalidArgumentError(
        event.tier.empty() ? absl::StrCat(d.name, " has no tier of circuits")
                           : absl::StrCat("\"", event.tier, "\" is no tier of circuits"));
  }
  const int size = d.tiers[tier].group_size;
  std::vector<Circuit> circuits;
  absl::string_view text = event.circuits;
  if (absl::ConsumePrefix(&text, "shift ")) {
    int shift = 0;
    if (!absl::SimpleAtoi(text, &shift)) {
      return absl::InvalidArgumentError(absl::StrCat("circuits: \"", event.circuits, "\": shift by a number"));
    }
    for (int e = 0; e < d.endpoints; ++e) {
      const int begin = e / size * size, members = std::min(size, d.endpoints - begin);
      const int to = begin + (((e - begin + shift) % members) + members) % members;
      if (to != e) circuits.push_back({e, to});
    }
    return std::pair(tier, std::move(circuits));
  }
  std::map<int, Circuit> out, in;
  for (absl::string_view part : absl::StrSplit(text, absl::ByAnyChar(" ,"), absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> ends = absl::StrSplit(part, absl::MaxSplits('>', 1));
    Circuit c;
    if (!absl::SimpleAtoi(ends.first, &c.first) || !absl::SimpleAtoi(ends.second, &c.second)) {
      return absl::InvalidArgumentError(
          absl::StrCat("circuits: \"", part, "\" is no circuit such as 0>1, and no \"shift 1\""));
    }
    for (int end : {c.first, c.second}) {
      if (end >= 0 && end < d.endpoints) continue;
      return absl::InvalidArgumentError(absl::StrCat("circuit ", part, ": there is no endpoint ", end,
                                                     ", only 0 to ", d.endpoints - 1));
    }
    if (c.first == c.second) {
      return absl::InvalidArgumentError(absl::StrCat("circuit ", part, ": ends where it begins"));
    }
    if (c.first / size != c.second / size) {
      return absl::InvalidArgumentError(absl::StrCat("circuit ", part, ": its ends are in different groups of ",
                                                     d.tiers[tier].name));
    }
    const auto [first, fresh_out] = out.try_emplace(c.first, c);
    const auto [second, fresh_in] = in.try_emplace(c.second, c);
    if (!fresh_out || !fresh_in) {
      return absl::InvalidArgumentError(absl::StrCat(
          "circuits ", Text(fresh_out ? second->second : first->second), " and ", Text(c), " overlap: both ",
          fresh_out ? "end at endpoint " : "begin at endpoint ", fresh_out ? c.second : c.first));
    }
    circuits.push_back(c);
  }
  if (circuits.empty()) return absl::InvalidArgumentError("circuits: none are named");
  return std::pair(tier, std::move(circuits));
}

}  // namespace fabric
