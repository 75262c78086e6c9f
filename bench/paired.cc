#include "bench/paired.h"

#include <algorithm>
#include <cstddef>

namespace ccl {

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

std::vector<int> Wins(const std::vector<std::vector<double>>& times) {
  std::vector<int> wins(times.size(), 0);
  for (size_t seed = 0; !times.empty() && seed < times[0].size(); ++seed) {
    double least = times[0][seed];
    for (const std::vector<double>& row : times) least = std::min(least, row[seed]);
    for (size_t i = 0; i < times.size(); ++i) wins[i] += times[i][seed] == least ? 1 : 0;
  }
  return wins;
}

PairedDifference Difference(const std::vector<double>& first, const std::vector<double>& second) {
  PairedDifference difference;
  std::vector<double> longer;
  for (size_t seed = 0; seed < first.size(); ++seed) {
    difference.faster += first[seed] < second[seed] ? 1 : 0;
    longer.push_back(second[seed] - first[seed]);
  }
  difference.median = Median(std::move(longer));
  return difference;
}

}  // namespace ccl
