#ifndef CCL_EXEC_FLIGHT_H_
#define CCL_EXEC_FLIGHT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ccl/base/types.h"

namespace ccl {

// One operation of a communicator, for reports.
struct FlightRecord {
  uint64_t number = 0;     // among the communicator's operations, from 1
  uint64_t sequence = 0;   // among its collectives, from 1; 0: point-to-point
  Collective collective = Collective::kAllReduce;
  DataType type = DataType::kFloat32;
  ReduceOp op = ReduceOp::kSum;
  int root = 0;
  uint64_t count = 0;
  const void* in = nullptr;
  const void* out = nullptr;
  char algorithm[24] = {};
  Time started = -1, ended = -1;  // -1: not yet
};

// The last operations of a communicator. Guarded by the lock of its engine.
class FlightRing {
 public:
  static constexpr size_t kRecords = 64;

  // The number of a new record, after which `record` is overwritten.
  uint64_t Add(FlightRecord record) {
    record.number = ++added_;
    if (records_.size() < kRecords) {
      records_.push_back(record);
    } else {
      records_[(added_ - 1) % kRecords] = record;
    }
    return added_;
  }
  // Null when it is no longer kept.
  FlightRecord* Find(uint64_t number) {
    if (number == 0 || number > added_ || number + kRecords <= added_) return nullptr;
    return &records_[(number - 1) % kRecords];
  }
  uint64_t added() const { return added_; }

 private:
  std::vector<FlightRecord> records_;
  uint64_t added_ = 0;
};

}  // namespace ccl

#endif  // CCL_EXEC_FLIGHT_H_
