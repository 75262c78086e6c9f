// A fabric whose figures explain measured times.
#ifndef BENCH_FIT_H_
#define BENCH_FIT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/logs.h"
#include "fabric/description.h"

namespace ccl {

// A sample and what it may have run. Predictions are the planner's formulas, PredictTime.
struct Point {
  Sample sample;
  std::vector<std::string> algorithms;  // the fastest predicted counts; none of a sendrecv
  bool held_out = false;                // the fit does not see it
};

struct Fit {
  fabric::Description description;
  std::string tier;         // whose protocols were fitted
  bool whole = false;       // the system is nothing but what was fitted
  int protocols = 0;
  double fitted_error = 0;  // median of |predicted / measured - 1| over the points that were fitted
  double held_error = 0;    // over those that were held out
};

// Of every series (points that differ in size only), every fourth is held out, never the shortest or
// longest.
void HoldOut(std::vector<Point>& points);

// Fits launch overhead, protocols, and what operations pass through processors; of a system without
// structure (`base` null) also latency and bandwidth. Tries one to three protocols and takes the fewest
// that predict the points that are held out. InvalidArgument when all ranks do not meet at one tier
// of `base`, or there are too few points. Deterministic.
absl::StatusOr<Fit> FitFabric(const std::vector<Point>& points, const fabric::Description* base);

// What the planner says of a point on a fabric, in seconds; negative: none of its algorithms runs.
double PredictPoint(const Point& point, const fabric::Description& description);

// The text of a fabric file for a fit. `provenance`: comment lines that say where it is from. `preset`:
// what base was, empty for none.
std::string FileOf(const Fit& fit, const std::string& name, const std::string& preset,
                   const std::vector<std::string>& provenance);

}  // namespace ccl

#endif  // BENCH_FIT_H_
