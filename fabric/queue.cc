#include "fabric/queue.h"

#include <algorithm>

namespace fabric {

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
  // Endpoints that go in step were pushed in order.
  if (!std::is_sorted(out.begin(), out.end(), before)) std::sort(out.begin(), out.end(), before);
  return true;
}

}  // namespace fabric
