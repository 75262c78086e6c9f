#include "fabric/queue.h"

#include <algorithm>
#include <cstddef>

#include "fabric/radix_sort.h"

namespace fabric {
namespace {

constexpr size_t kMany = 512;  // from here on digits are faster than comparisons

}  // namespace

Time Queue::next() const {
  if (occupied_ == 0) return kLongest;
  const std::vector<Entry>& first = buckets_[std::countr_zero(occupied_)];
  return std::min_element(first.begin(), first.end(), [](const Entry& a, const Entry& b) {
           return a.time < b.time;
         })->time;
}

bool Queue::Refill() {
  if (occupied_ == 0) return false;
  const int bucket = std::countr_zero(occupied_);
  if (bucket == 0) return true;
  std::vector<Entry>& source = buckets_[bucket];
  last_ = std::min_element(source.begin(), source.end(), [](const Entry& a, const Entry& b) {
            return a.time < b.time;
          })->time;
  occupied_ &= ~(uint64_t{1} << bucket);
  for (const Entry& entry : source) Push(entry);  // into lower buckets only
  source.clear();
  return true;
}

bool Queue::Take(std::vector<Entry>& out) {
  out.clear();
  if (!Refill()) return false;
  out.swap(buckets_[0]);
  occupied_ &= ~uint64_t{1};
  const auto before = [](const Entry& a, const Entry& b) {
    if (a.order != b.order) return a.order < b.order;
    return a.step != b.step ? a.step < b.step : a.record < b.record;
  };
  // Endpoints that go in step were pushed in order, or in a few orders.
  if (std::is_sorted(out.begin(), out.end(), before)) return true;
  if (out.size() < kMany) {
    std::sort(out.begin(), out.end(), before);
    return true;
  }
  RadixSort(out, scratch_, [](const Entry& entry) { return entry.order; });
  for (size_t end, begin = 0; begin < out.size(); begin = end) {
    for (end = begin + 1; end < out.size() && out[end].order == out[begin].order; ++end) {
    }
    const auto first = out.begin() + static_cast<std::ptrdiff_t>(begin);
    if (end - begin > 1) std::sort(first, first + static_cast<std::ptrdiff_t>(end - begin), before);
  }
  return true;
}

}  // namespace fabric
