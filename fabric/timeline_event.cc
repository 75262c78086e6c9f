#include "fabric/timeline_event.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "fabric/nearest.h"

namespace fabric {
namespace {

const char* const kKeys[] = {"at",   "until", "every", "tier",   "endpoint", "group", "uplink",  "from",
                             "to",   "down",  "rate",  "factor", "slow",     "dead",  "circuits"};

absl::Status Bad(absl::string_view key, absl::string_view value, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(key, ": \"", value, "\" is not ", what));
}

absl::Status ReadTime(absl::string_view key, absl::string_view value, Time& out) {
  const auto time = ParseTime(value);
  if (!time.ok()) return absl::Status(time.status().code(), absl::StrCat(key, ": ", time.status().message()));
  out = *time;
  return absl::OkStatus();
}

absl::Status ReadIndex(absl::string_view key, absl::string_view value, bool all, int& out) {
  if (all && value == "all") return out = TimelineEvent::kAll, absl::OkStatus();
  if (absl::SimpleAtoi(value, &out) && out >= 0) return absl::OkStatus();
  out = TimelineEvent::kUnset;
  return Bad(key, value, all ? "a number from 0 on, or all" : "a number from 0 on");
}

absl::Status ReadFlag(absl::string_view key, absl::string_view value, bool& out) {
  if (!value.empty() && value != "true") return Bad(key, value, "true");
  out = true;
  return absl::OkStatus();
}

absl::Status ReadNumber(absl::string_view key, absl::string_view value, double least, double most,
                        double& out) {
  if (absl::SimpleAtod(value, &out) && out >= least && out <= most && out > 0) return absl::OkStatus();
  out = 0;
  return Bad(key, value, absl::StrCat("a number from ", least, " to ", most));
}

std::string TargetText(const TimelineEvent& e) {
  const auto number = [](int n) { return n == TimelineEvent::kAll ? "all" : absl::StrCat(n); };
  const std::string tier = e.tier.empty() ? "" : absl::StrCat(", tier ", e.tier);
  if (e.endpoint != TimelineEvent::kUnset) return absl::StrCat("endpoint ", number(e.endpoint), tier);
  if (e.group != TimelineEvent::kUnset) {
    return absl::StrCat(e.uplink == TimelineEvent::kUnset ? "uplinks"
                                                          : absl::StrCat("uplink ", e.uplink),
                        " of group ", number(e.group), tier);
  }
  if (!e.from.empty()) return absl::StrCat("link ", e.from, " to ", e.to, tier);
  return absl::StrCat("circuits", tier);
}

}  // namespace

absl::Status SetEventKey(absl::string_view key, absl::string_view text, TimelineEvent& e) {
  const absl::string_view value = absl::StripAsciiWhitespace(text);
  if (key == "at") return ReadTime(key, value, e.at);
  if (key == "until") return ReadTime(key, value, e.until);
  if (key == "every") return ReadTime(key, value, e.every);
  if (key == "endpoint") return ReadIndex(key, value, true, e.endpoint);
  if (key == "group") return ReadIndex(key, value, true, e.group);
  if (key == "uplink") return ReadIndex(key, value, false, e.uplink);
  if (key == "down") return ReadFlag(key, value, e.down);
  if (key == "dead") return ReadFlag(key, value, e.dead);
  if (key == "factor") return ReadNumber(key, value, 0, 1, e.factor);
  if (key == "slow") return ReadNumber(key, value, 1, 1e6, e.slow);
  if (key == "rate") {
    const auto rate = ParseBandwidth(value);
    if (!rate.ok()) return absl::Status(rate.status().code(), absl::StrCat(key, ": ", rate.status().message()));
    if (*rate < 1) return Bad(key, value, "a rate: 1 B/s at least; what has none is down");
    e.rate = *rate;
    return absl::OkStatus();
  }
  std::string* const target = key == "tier"       ? &e.tier
                              : key == "from"     ? &e.from
                              : key == "to"       ? &e.to
                              : key == "circuits" ? &e.circuits
                                                  : nullptr;
  if (target == nullptr) {
    const std::vector<std::string> known(std::begin(kKeys), std::end(kKeys));
    return absl::InvalidArgumentError(absl::StrCat("unknown key \"", key, "\" of an event; did you mean \"",
                                                   Nearest(key, known), "\"?"));
  }
  if (value.empty()) return Bad(key, value, "a name");
  *target = std::string(value);
  return absl::OkStatus();
}

absl::StatusOr<TimelineEvent> ParseEvent(absl::string_view text) {
  TimelineEvent event;
  event.where = absl::StrCat("event \"", text, "\"");
  for (absl::string_view part : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    absl::Status status = SetEventKey(absl::StripAsciiWhitespace(field.first), field.second, event);
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat(event.where, ": ", status.message()));
    }
  }
  return event;
}

std::string ToString(const TimelineEvent& e) {
  std::string text = e.until < 0 && !e.circuits.empty() ? absl::StrCat("at ", TimeText(e.at))
                                                        : absl::StrCat("from ", TimeText(e.at));
  if (e.until >= 0) absl::StrAppend(&text, " to ", TimeText(e.until));
  if (e.every > 0) absl::StrAppend(&text, ", every ", TimeText(e.every));
  absl::StrAppend(&text, ": ", TargetText(e), ": ");
  if (e.down) absl::StrAppend(&text, "down");
  if (e.dead) absl::StrAppend(&text, "dead");
  if (e.rate > 0) absl::StrAppend(&text, e.rate / 1e9, " GB/s");
  if (e.factor > 0) absl::StrAppend(&text, e.factor, " of its rate");
  if (e.slow > 0) absl::StrAppend(&text, e.slow, " times as slow");
  absl::StrAppend(&text, e.circuits);
  return text;
}

absl::Status ValidateEvent(const TimelineEvent& e) {
  const auto error = [&](auto... parts) {
    return absl::InvalidArgumentError(absl::StrCat(e.where, ": ", parts...));
  };
  const bool endpoint = e.endpoint != TimelineEvent::kUnset, group = e.group != TimelineEvent::kUnset;
  const bool link = !e.from.empty() || !e.to.empty(), circuits = !e.circuits.empty();
  if (e.at < 0) return error("an event needs a time: at = \"20 us\"");
  if (e.down + e.dead + circuits + (e.rate > 0) + (e.factor > 0) + (e.slow > 0) != 1) {
    return error("an event has one effect: down, rate, factor, slow, dead or circuits");
  }
  if (endpoint + group + link + circuits != 1) {
    return error("an event has one target: endpoint, group or from and to",
                 circuits ? "; circuits are of a tier" : "");
  }
  if (e.from.empty() != e.to.empty()) return error("a link has two ends, from and to");
  if (e.uplink != TimelineEvent::kUnset && !group) return error("an uplink is of a group");
  if (group && e.tier.empty()) return error("a group is of a tier: tier = \"NAME\"");
  if ((e.slow > 0 || e.dead) && (!endpoint || !e.tier.empty())) {
    return error(e.dead ? "dead" : "slow", " is of an endpoint, whatever the tier");
  }
  if ((e.dead || circuits) && (e.until >= 0 || e.every > 0)) {
    return error(e.dead ? "what is dead stays dead" : "circuits stay until others are set",
                 ": no until and no every");
  }
  if (!IsDelay(e.at) || e.until > 100'000 * kSecond || !IsDelay(e.every)) {
    return error("a time is out of range");
  }
  if (e.until >= 0 && e.until <= e.at) return error("ends (until) before it begins (at)");
  if (e.every > 0 && e.until < 0) return error("every needs an until");
  if (e.every > 0 && e.every <= e.until - e.at) {
    return error("begins again (every) before it has ended (until)");
  }
  return absl::OkStatus();
}

}  // namespace fabric
