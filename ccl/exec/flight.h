#ifndef CCL_EXEC_FLIGHT_H_
#define CCL_EXEC_FLIGHT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ccl/base/types.h"

namespace ccl {

// One operation of a communicator, for reports.
struct FlightRecord {
  uint64_t number = 0;     // among the communicator's operations, from 1
  uint64_t sequence = 0;   // among its collectives, from 1; 0: `name` says what it is
  const char* name = "point-to-point";
  Collective collective = Collective::kAllReduce;
  DataType type = DataType::kFloat32;
  ReduceOp op = ReduceOp::kSum;
  int root = 0;
  uint64_t count = 0;
  const void* in = nullptr;
  const void* out = nullptr;
  std::shared_ptr<const std::string> algorithm = nullptr;  // of the plan
  Time predicted = -1;     // what it would take; -1: unknown
  uint64_t tag = 0;        // the caller's
  Time started = -1, ended = -1;  // -1: not yet
};

// The last operations of a communicator. Guarded by the lock of its engine.
class FlightRing {
 public:
  static constexpr size_t kRecords = 64;

  // The number of a new record, after which `record` is overwritten.
  uint64_t Add(const FlightRecord& record) {
    FlightRecord& added = Next();
    const uint64_t number = added.number;
    added = record;
    return added.number = number;
  }
  // The place of a new record, numbered; the rest is of an old one.
  FlightRecord& Next() {
    const size_t place = static_cast<size_t>(added_ % kRecords);
    if (records_.size() <= place) records_.resize(place + 1);
    records_[place].number = ++added_;
    return records_[place];
  }
  // The last record is of an operation that will not be.
  void TakeBack() { records_[(--added_) % kRecords].number = 0; }
  // Null when it is no longer kept.
  FlightRecord* Find(uint64_t number) {
    if (number == 0 || number > added_ || number + kRecords <= added_) return nullptr;
    FlightRecord& record = records_[(number - 1) % kRecords];
    return record.number == number ? &record : nullptr;
  }
  uint64_t added() const { return added_; }

 private:
  std::vector<FlightRecord> records_;
  uint64_t added_ = 0;
};

}  // namespace ccl

#endif  // CCL_EXEC_FLIGHT_H_
