#include "fabric/figures.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace fabric {

double OwnBandwidth(const Description& d, int tier) {
  const Tier& t = d.tiers[tier];
  if (d.EntryTier(tier) != tier) return 0;
  if (!d.HasLinks(tier) || !d.links.empty()) return t.port_bandwidth;
  int links = std::min(t.group_size, d.endpoints) - 1;
  if (t.kind == TierKind::kTorus) {
    links = 0;
    for (int size : t.dimensions) links += std::min(2, size - 1);
  }
  const double all = std::max(1, links) * t.link_bandwidth;
  return t.port_bandwidth > 0 ? std::min(t.port_bandwidth, all) : all;
}

double InjectionBandwidth(const Description& d) {
  double sum = 0;
  for (int i = 0; i <= OutermostTier(d); ++i) sum += OwnBandwidth(d, i);
  return d.memory_bandwidth > 0 ? std::min(sum, d.memory_bandwidth) : sum;
}

int OutermostTier(const Description& d) {
  int tier = 0;
  while (tier + 1 < static_cast<int>(d.tiers.size()) &&
         (d.tiers[tier].group_size < d.endpoints || d.tiers[tier].rails > 1)) {
    ++tier;
  }
  return tier;
}

double BisectionBandwidth(const Description& d) {
  if (d.endpoints < 2) return 0;
  const int outer = OutermostTier(d), entry = d.EntryTier(outer);
  const Tier& t = d.tiers[outer];
  const double half = std::floor(d.endpoints / 2.0);
  if (t.kind == TierKind::kMesh) {
    // Between whole groups of the tier below, if it has any.
    return std::min(half * OwnBandwidth(d, outer), half * (d.endpoints - half) * t.link_bandwidth);
  }
  if (t.kind == TierKind::kTorus) {
    const int longest = *std::max_element(t.dimensions.begin(), t.dimensions.end());
    const int lines = d.endpoints / longest;
    return 1.0 * lines * std::min(2, longest - 1) * t.link_bandwidth;
  }
  double each = d.tiers[entry].port_bandwidth;
  for (int i = entry; i < outer; ++i) {
    const Tier& below = d.tiers[i];
    // Of a tier that spans all endpoints rail by rail, no uplink is needed to cross.
    if (below.uplink_bandwidth == 0 || below.group_size >= d.endpoints) continue;
    each = std::min(each, below.uplink_bandwidth * below.rails / below.group_size);
  }
  return half * each;
}

int Hops(const Description& d, int src, int dst) {
  const int turn = d.MeetingTier(src, dst);
  if (d.tiers[turn].kind == TierKind::kMesh) return 1;
  if (d.tiers[turn].kind == TierKind::kTorus) return d.TorusDistance(turn, src, dst);
  int hops = d.tiers[turn].switch_hops;
  for (int i = d.EntryTier(turn); i < turn; ++i) hops += 2 * d.tiers[i].switch_hops;
  return hops;
}

std::vector<Note> Notes(absl::string_view text) {
  std::vector<Note> notes;
  std::string comment, section;
  bool listed = false;  // in a [[table]], which its name tells from its like
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (absl::ConsumePrefix(&line, "#")) {
      absl::StrAppend(&comment, comment.empty() ? "" : " ", absl::StripAsciiWhitespace(line));
      continue;
    }
    std::string above;
    above.swap(comment);
    if (absl::ConsumePrefix(&line, "[[")) {
      section = absl::StartsWith(line, "protocol") ? "protocol." : "";
      listed = true;
      continue;
    }
    if (absl::ConsumePrefix(&line, "[")) {
      section = absl::StrCat(line.substr(0, line.find(']')), ".");
      listed = false;
      continue;
    }
    const size_t equals = line.find('=');
    if (equals == absl::string_view::npos) continue;
    const absl::string_view key = absl::StripAsciiWhitespace(line.substr(0, equals));
    absl::string_view value = absl::StripAsciiWhitespace(line.substr(equals + 1));
    // The value ends at a '#' outside of its quotes.
    bool quoted = false;
    size_t end = 0;
    while (end < value.size() && (quoted || value[end] != '#')) quoted ^= value[end++] == '"';
    if (end < value.size()) {
      absl::StrAppend(&above, above.empty() ? "" : " ",
                      absl::StripAsciiWhitespace(value.substr(end + 1)));
    }
    value = absl::StripAsciiWhitespace(value.substr(0, end));
    if (absl::ConsumePrefix(&value, "\"")) absl::ConsumeSuffix(&value, "\"");
    if (key == "name") {
      if (listed) absl::StrAppend(&section, value, ".");
      continue;
    }
    if (key == "summary" || key == "kind" || key == "preset") continue;
    notes.push_back({absl::StrCat(section, key), std::string(value), std::move(above)});
  }
  return notes;
}

}  // namespace fabric
