#include "bench/calibrated.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace ccl {

Calibrated Calibrated::Of(absl::string_view url, int ranks) {
  Calibrated calibrated;
  if (!absl::ConsumePrefix(&url, "emulated:")) return calibrated;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(url, absl::MaxSplits('?', 1));
  std::vector<std::string> sets;
  for (absl::string_view option : absl::StrSplit(parts.second, '&', absl::SkipEmpty())) {
    if (absl::ConsumePrefix(&option, "set=")) sets.emplace_back(option);
  }
  auto description = fabric::Load(parts.first, ranks, sets);
  if (description.ok()) calibrated.description_ = *std::move(description);
  return calibrated;
}

std::string Calibrated::Outside(uint64_t bytes) const {
  return description_.Extrapolation(
      static_cast<int64_t>(std::min(bytes, static_cast<uint64_t>(INT64_MAX))));
}

}  // namespace ccl
