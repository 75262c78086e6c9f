#include "fabric/units.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"

namespace fabric {
namespace {

struct Unit {
  absl::string_view name;
  double factor;
};

constexpr Unit kTimes[] = {{"ps", 1}, {"ns", 1e3}, {"us", 1e6}, {"ms", 1e9}, {"s", 1e12}};
constexpr Unit kBandwidths[] = {
    {"B/s", 1},           {"KB/s", 1e3},           {"MB/s", 1e6},
    {"GB/s", 1e9},        {"TB/s", 1e12},          {"KiB/s", 1024.0},
    {"MiB/s", 1048576.0}, {"GiB/s", 1073741824.0}, {"TiB/s", 1099511627776.0},
    {"Kb/s", 1e3 / 8},    {"Mb/s", 1e6 / 8},       {"Gb/s", 1e9 / 8},
    {"Tb/s", 1e12 / 8}};
constexpr Unit kSizes[] = {{"B", 1},          {"KB", 1e3},          {"MB", 1e6},
                          {"GB", 1e9},       {"TB", 1e12},         {"KiB", 1024.0},
                          {"MiB", 1048576.0}, {"GiB", 1073741824.0}, {"TiB", 1099511627776.0}};
constexpr Unit kLengths[] = {{"m", 1}, {"cm", 0.01}, {"km", 1000}};

absl::StatusOr<double> Parse(absl::string_view text, absl::string_view what,
                             absl::Span<const Unit> units, double limit) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace(text);
  // The number ends where neither a digit, a point, a sign nor an exponent continues it.
  size_t end = 0;
  while (end < trimmed.size()) {
    const char c = trimmed[end];
    const bool exponent = (c == 'e' || c == 'E') && end > 0 && end + 1 < trimmed.size() &&
                          (absl::ascii_isdigit(trimmed[end + 1]) || trimmed[end + 1] == '-' ||
                           trimmed[end + 1] == '+');
    if (!absl::ascii_isdigit(c) && c != '.' && c != '-' && c != '+' && !exponent) break;
    ++end;
  }
  double value = 0;
  if (!absl::SimpleAtod(trimmed.substr(0, end), &value)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not a ", what, ": it must start with a number"));
  }
  const auto names = absl::StrJoin(
      units, ", ", [](std::string* out, const Unit& unit) { absl::StrAppend(out, unit.name); });
  const absl::string_view name = absl::StripLeadingAsciiWhitespace(trimmed.substr(end));
  if (name.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" has no unit; a ", what, " needs one of: ", names));
  }
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    const double scaled = value * unit.factor;
    if (!std::isfinite(scaled) || scaled < 0 || scaled > limit) {
      return absl::OutOfRangeError(absl::StrCat("\"", text, "\" is out of range for a ", what));
    }
    return scaled;
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown unit \"", name, "\" in \"", text,
                                                 "\"; a ", what, " needs one of: ", names));
}

}  // namespace

absl::StatusOr<Time> ParseTime(absl::string_view text) {
  const auto value = Parse(text, "time", kTimes, 1e17);
  if (!value.ok()) return value.status();
  return static_cast<Time>(std::llround(*value));
}

std::string TimeText(Time time) {
  const Unit* unit = &kTimes[0];
  for (const Unit& larger : kTimes) {
    if (static_cast<double>(time) >= larger.factor) unit = &larger;
  }
  return absl::StrFormat("%.12g %s", static_cast<double>(time) / unit->factor, unit->name);
}

absl::StatusOr<double> ParseBandwidth(absl::string_view text) {
  return Parse(text, "bandwidth", kBandwidths, 1e18);
}

absl::StatusOr<int64_t> ParseBytes(absl::string_view text) {
  const auto value = Parse(text, "size", kSizes, 1e17);
  if (!value.ok()) return value.status();
  return static_cast<int64_t>(std::llround(*value));
}

absl::StatusOr<double> ParseLength(absl::string_view text) {
  return Parse(text, "length", kLengths, 1e7);
}

}  // namespace fabric
