#include "ccl/plan/overrides.h"

#include <cmath>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ccl/base/status.h"

namespace ccl {
namespace {

absl::Status ParseRule(absl::string_view rule, absl::string_view origin,
                       std::vector<Override>& out) {
  const auto error = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(origin, ": rule '", rule, "': ", what));
  };
  const size_t at = rule.find('@');
  if (at == absl::string_view::npos) {
    return error("has no @ALGORITHM; a rule is COLLECTIVE:LOW-HIGH:@ALGORITHM");
  }
  Override item;
  item.origin = std::string(origin);
  auto spec = ParseAlgorithm(rule.substr(at + 1));
  if (!spec.ok()) return error(spec.status().message());
  item.spec = *std::move(spec);
  if (item.spec.name == "tree") item.spec.name = "double_binary_tree";
  if (item.spec.name != "hier" && FindAlgorithm(item.spec.name) == nullptr) {
    return error(absl::StrCat("there is no algorithm '", item.spec.name, "'"));
  }
  std::vector<absl::string_view> fields =
      absl::StrSplit(rule.substr(0, at), ':', absl::SkipWhitespace());
  if (fields.size() > 2) return error("has too many fields");
  if (fields.size() == 2) {
    const std::vector<absl::string_view> range = absl::StrSplit(fields[1], '-');
    if (range.size() != 2) return error("the size range is LOW-HIGH");
    auto low = ParseSize(range[0]);
    auto high = ParseSize(range[1]);
    if (!low.ok()) return error(low.status().message());
    if (!high.ok()) return error(high.status().message());
    if (*low >= *high) return error("the size range is empty");
    item.low = *low;
    item.high = *high;
  }
  if (!fields.empty()) {
    auto collective = ParseCollective(fields[0]);
    if (!collective.ok()) return error(collective.status().message());
    item.collective = *collective;
    out.push_back(std::move(item));
    return absl::OkStatus();
  }
  const Algorithm* algorithm = FindAlgorithm(item.spec.name);
  for (int c = 0; c < kCollectives; ++c) {
    item.collective = static_cast<Collective>(c);
    bool does = algorithm == nullptr;
    if (algorithm != nullptr) {
      for (Collective k : algorithm->collectives) does = does || k == item.collective;
    }
    if (does) out.push_back(item);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<uint64_t> ParseSize(absl::string_view text) {
  if (text == "inf") return ~uint64_t{0};
  size_t digits = 0;
  while (digits < text.size() && (absl::ascii_isdigit(text[digits]) || text[digits] == '.')) {
    ++digits;
  }
  double value = 0;
  const absl::string_view unit = text.substr(digits);
  static constexpr struct {
    absl::string_view name;
    double bytes;
  } kUnits[] = {{"", 1},          {"B", 1},          {"K", 1024.0},     {"KiB", 1024.0},
                {"M", 1048576.0}, {"MiB", 1048576.0}, {"G", 1073741824.0},
                {"GiB", 1073741824.0}, {"KB", 1e3},  {"MB", 1e6},       {"GB", 1e9}};
  for (const auto& known : kUnits) {
    if (unit != known.name) continue;
    if (digits == 0 || !absl::SimpleAtod(text.substr(0, digits), &value)) break;
    const double bytes = value * known.bytes;
    if (bytes > 9e18) return absl::InvalidArgumentError(absl::StrCat("size '", text, "' is too large"));
    return static_cast<uint64_t>(std::llround(bytes));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is not a size; write 4096, 64K, 1MiB, 1GB"));
}

absl::StatusOr<std::vector<Override>> ParseOverrides(absl::string_view text,
                                                     absl::string_view origin) {
  std::vector<Override> overrides;
  for (absl::string_view rule : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    CCL_RETURN_IF_ERROR(ParseRule(absl::StripAsciiWhitespace(rule), origin, overrides));
  }
  return overrides;
}

absl::StatusOr<std::vector<Override>> ReadOverrides(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read tuning file '", path, "'"));
  std::vector<Override> overrides;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const std::string rule(absl::StripAsciiWhitespace(line.substr(0, line.find('#'))));
    if (rule.empty()) continue;
    auto parsed = ParseOverrides(rule, absl::StrCat("file ", path, ", line ", number));
    if (!parsed.ok()) return parsed.status();
    overrides.insert(overrides.end(), parsed->begin(), parsed->end());
  }
  return overrides;
}

}  // namespace ccl
