#include "ccl/topology/measured_times.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ccl/base/status.h"

namespace ccl {
namespace {

double On(const MeasuredTimes::Point& a, const MeasuredTimes::Point& b, double bytes) {
  const double slope = static_cast<double>(b.time - a.time) / static_cast<double>(b.bytes - a.bytes);
  return static_cast<double>(a.time) + (bytes - static_cast<double>(a.bytes)) * slope;
}

}  // namespace

absl::Status MeasuredTimes::Add(Collective collective, absl::string_view algorithm, Point point) {
  Curve& curve = curves_[{collective, std::string(algorithm)}];
  if (!curve.empty() && point.bytes <= curve.back().bytes) {
    return absl::InvalidArgumentError(absl::StrCat("of ", point.bytes, " bytes comes after ", curve.back().bytes));
  }
  curve.push_back(point);
  return absl::OkStatus();
}

const MeasuredTimes::Curve* MeasuredTimes::Find(Collective collective, absl::string_view algorithm) const {
  const auto found = curves_.find({collective, std::string(algorithm)});
  return found == curves_.end() ? nullptr : &found->second;
}

double TimeAt(const MeasuredTimes::Curve& curve, uint64_t bytes) {
  const auto above = std::find_if(curve.begin(), curve.end(),
                                  [&](const MeasuredTimes::Point& p) { return p.bytes >= bytes; });
  if (above == curve.begin()) return static_cast<double>(curve.front().time);
  if (above == curve.end()) return static_cast<double>(curve.back().time);
  return On(above[-1], *above, static_cast<double>(bytes));
}

std::string MeasuredTimes::ToString() const {
  std::string text;
  for (const auto& [key, curve] : curves_) {
    absl::StrAppend(&text, Name(key.first), " ", key.second, " =");
    for (const Point& point : curve) absl::StrAppend(&text, " ", point.bytes, ":", point.time);
    absl::StrAppend(&text, "\n");
  }
  return text;
}

absl::Status MeasuredTimes::AddCurve(absl::string_view name, absl::string_view points) {
  const std::pair<absl::string_view, absl::string_view> names = absl::StrSplit(name, absl::MaxSplits(' ', 1));
  CCL_ASSIGN_OR_RETURN(const Collective collective, ParseCollective(names.first));
  if (names.second.empty()) return absl::InvalidArgumentError("names no algorithm");
  if (Find(collective, names.second) != nullptr) return absl::InvalidArgumentError("is there twice");
  for (absl::string_view text : absl::StrSplit(points, ' ', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> halves = absl::StrSplit(text, absl::MaxSplits(':', 1));
    Point point;
    if (!absl::SimpleAtoi(halves.first, &point.bytes) || !absl::SimpleAtoi(halves.second, &point.time) ||
        point.time < 1 || point.time > kLongestMeasured) {
      return absl::InvalidArgumentError(absl::StrCat("has '", text.substr(0, 40), "', which is no BYTES:TIME"));
    }
    CCL_RETURN_IF_ERROR(Add(collective, names.second, point));
  }
  if (Find(collective, names.second) == nullptr) return absl::InvalidArgumentError("has no times");
  return absl::OkStatus();
}

}  // namespace ccl
