#ifndef CCL_TOPOLOGY_MEASURED_TIMES_H_
#define CCL_TOPOLOGY_MEASURED_TIMES_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ccl/base/types.h"

namespace ccl {

// No time that is read from a file is longer: an hour.
inline constexpr Time kLongestMeasured = 3'600'000'000'000'000;

// How long collectives took on the ranks of a layout, by algorithm and size: what no formula of a few figures can
// say of a machine with caches. A value; any number of threads may read one.
class MeasuredTimes {
 public:
  struct Point {
    uint64_t bytes = 0;  // of a rank's larger buffer, as the planner counts
    Time time = 0;       // ps
  };
  using Curve = std::vector<Point>;  // ascending sizes

  // InvalidArgument when the size does not lie above those of the algorithm that are there.
  absl::Status Add(Collective collective, absl::string_view algorithm, Point point);

  // Null when nothing was measured of the algorithm. Never an empty one.
  const Curve* Find(Collective collective, absl::string_view algorithm) const;

  // A line a curve, "COLLECTIVE ALGORITHM = BYTES:TIME BYTES:TIME ...".
  std::string ToString() const;
  // Adds the curve that a line of ToString, cut at its " = ", says. InvalidArgument says what is wrong: no curve, an
  // empty one, or one that is there already.
  absl::Status AddCurve(absl::string_view name, absl::string_view points);

 private:
  std::map<std::pair<Collective, std::string>, Curve> curves_;
};

// Picoseconds: straight lines between what was measured, its first time below it, its last above it.
double TimeAt(const MeasuredTimes::Curve& curve, uint64_t bytes);

}  // namespace ccl

#endif  // CCL_TOPOLOGY_MEASURED_TIMES_H_
