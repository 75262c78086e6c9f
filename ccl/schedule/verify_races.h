#ifndef CCL_SCHEDULE_VERIFY_RACES_H_
#define CCL_SCHEDULE_VERIFY_RACES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "ccl/schedule/program.h"

namespace ccl {

// Finds two accesses to one location of one rank, at least one a write, that the rank does not
// order: batches of one lane are ordered, batches of different lanes are when dependencies say so,
// steps of one batch are not. An access lasts from the issue of its batch to the batch's end.
//
// Batches are announced in an order that respects the dependencies. Each gets a number of its rank,
// its epoch, and a clock: how many batches of every lane had ended when it was issued. A location
// keeps its last write and the reads since, which is enough since order is transitive.
class RaceDetector {
 public:
  RaceDetector(int ranks, uint32_t lanes, uint32_t locations);

  // The accesses that follow are those of this batch.
  void Begin(int rank, uint32_t lane, uint32_t batch, absl::Span<const Dep> deps);

  // False when the access races; Conflict() then tells with what.
  bool Read(uint32_t location, uint32_t step) {
    Access& access = accesses_[location];
    if (!After(access.write)) return Raced(access.write, "written");
    if (access.read == epoch_) {
      access.reader = kMany;
      return true;
    }
    if ((access.read & kSpilled) != 0 || !After(access.read)) return SpillRead(access, step);
    access.read = epoch_;
    access.reader = step;
    return true;
  }
  // `own`: the step reads this very location as the operand of this very chunk.
  bool Write(uint32_t location, uint32_t step, bool own) {
    Access& access = accesses_[location];
    if (!After(access.write)) return Raced(access.write, "written");
    if ((access.read & kSpilled) != 0) {
      if (!AfterSpilled(access, step, own)) return false;
    } else if (access.read == epoch_ ? !own || access.reader != step : !After(access.read)) {
      return Raced(access.read, "read");
    }
    access.write = epoch_;
    access.read = 0;
    return true;
  }
  std::string Conflict() const;

 private:
  static constexpr uint32_t kSpilled = uint32_t{1} << 31;
  static constexpr uint32_t kMany = ~uint32_t{0};

  struct Access {
    uint32_t write = 0;   // epoch; 0: never
    uint32_t read = 0;    // epoch, or kSpilled | index of several that are not ordered
    uint32_t reader = 0;  // the step that read in epoch `read`, or kMany
  };
  struct Batch {
    uint32_t lane = 0;
    uint32_t batch = 0;
  };
  struct Lane {
    std::vector<uint32_t> clock;
    // The clock as it was from these batches on.
    std::vector<uint32_t> changed_at;
    std::vector<uint32_t> clocks;
  };

  // The accesses of an earlier epoch of this rank have ended.
  bool After(uint32_t epoch) const {
    if (epoch == epoch_) return false;
    if (lanes_ == 1 || epoch == 0) return true;
    const Batch& batch = (*epochs_)[epoch];
    return batch.lane == lane_ || batch.batch < (*clock_)[batch.lane];
  }
  bool Raced(uint32_t epoch, const char* did) {
    raced_with_ = epoch;
    did_ = did;
    return false;
  }
  bool SpillRead(Access& access, uint32_t step);
  bool AfterSpilled(const Access& access, uint32_t step, bool own);

  const uint32_t lanes_;
  std::vector<Access> accesses_;
  std::vector<std::vector<uint32_t>> spilled_;
  std::vector<uint32_t> issued_;  // by rank, when it has one lane: of epochs only the number counts
  std::vector<std::vector<Batch>> epochs_of_rank_;
  std::vector<Lane> lanes_of_rank_;  // rank * lanes + lane

  uint32_t lane_ = 0, epoch_ = 0;
  const std::vector<Batch>* epochs_ = nullptr;
  const std::vector<uint32_t>* clock_ = nullptr;
  uint32_t raced_with_ = 0;
  const char* did_ = "";
};

}  // namespace ccl

#endif  // CCL_SCHEDULE_VERIFY_RACES_H_
