// The order of events: by time, then by source and the sequence of what was asked for.
#ifndef FABRIC_QUEUE_H_
#define FABRIC_QUEUE_H_

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "fabric/units.h"

namespace fabric {

// Something that happens at a time. `step` says what and belongs to whoever scheduled it.
struct Entry {
  Time time;
  uint64_t order;  // source in the upper bits, then sequence
  uint32_t record;
  uint8_t step;
};

// A monotone radix heap: bucket 0 holds the current instant, bucket i the entries whose highest bit
// different from now() is i - 1. Entries may be pushed at now() or later.
class Queue {
 public:
  Time now() const { return last_; }
  bool empty() const { return occupied_ == 0; }
  // The time of the first entry, without going there; kLongest if there is none.
  Time next() const;

  void Push(const Entry& entry) {
    if (entry.time >= kLongest) {
      out_of_time_ = true;
      return;
    }
    const int bucket = std::bit_width(static_cast<uint64_t>(entry.time ^ last_));
    buckets_[bucket].push_back(entry);
    occupied_ |= uint64_t{1} << bucket;
  }
  // Whether something was to happen later than kLongest. It will not, and what waits for it neither.
  bool out_of_time() const { return out_of_time_; }
  // Whether the current instant has entries left.
  bool due() const { return (occupied_ & 1) != 0; }
  // Takes what is left of the current instant, ordered; moves to the next instant first if nothing
  // is. False, with `out` empty, if there are no entries.
  bool Take(std::vector<Entry>& out);

 private:
  bool Refill();

  Time last_ = 0;
  bool out_of_time_ = false;
  uint64_t occupied_ = 0;
  std::array<std::vector<Entry>, 64> buckets_;
  std::vector<Entry> scratch_;  // of sorting
};

}  // namespace fabric

#endif  // FABRIC_QUEUE_H_
