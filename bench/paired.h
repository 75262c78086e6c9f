// The same draws for everybody who is compared.
#ifndef BENCH_PAIRED_H_
#define BENCH_PAIRED_H_

#include <vector>

namespace ccl {

// Of the middle two, the mean. `values` are not empty.
double Median(std::vector<double> values);

// times[i][s] is what competitor i took with seed s. How often each was the fastest; who are equal all
// were.
std::vector<int> Wins(const std::vector<std::vector<double>>& times);

// Two competitors seed by seed.
struct PairedDifference {
  int faster = 0;     // seeds with which the first was
  double median = 0;  // of what the second took longer
};
PairedDifference Difference(const std::vector<double>& first, const std::vector<double>& second);

}  // namespace ccl

#endif  // BENCH_PAIRED_H_
