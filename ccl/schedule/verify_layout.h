#ifndef CCL_SCHEDULE_VERIFY_LAYOUT_H_
#define CCL_SCHEDULE_VERIFY_LAYOUT_H_

#include <cstdint>
#include <vector>

#include "ccl/schedule/program.h"

namespace ccl {

// Numbers every chunk of every buffer of every rank: a location. Consecutive chunks of a run have
// consecutive locations. In place, the input and the output are one area.
class Layout {
 public:
  Layout(const Program& program, bool in_place);

  uint32_t locations() const { return locations_; }
  // Scratch chunks of the rank that has most.
  uint64_t most_scratch() const { return most_scratch_; }

  // Where the run begins. False when it is empty, leaves its buffer's window or crosses a slice.
  bool Locate(int rank, const Ref& ref, uint32_t& location) const {
    const RankAreas& areas = ranks_[static_cast<size_t>(rank)];
    const Area* area = &areas.user[0];
    if (ref.buffer == Buffer::kOut) area = &areas.user[1];
    if (ref.buffer == Buffer::kScratch) {
      if (ref.slot >= areas.slots) return false;
      area = &scratch_[areas.first_slot + ref.slot];
    }
    const uint32_t slice = slices_ == 1 ? 0 : ref.first / blocks_;
    const uint32_t block = ref.first - slice * blocks_;
    location = area->base + slice * area->stride + block;
    const uint64_t end = uint64_t{block} + ref.count;
    return ref.count > 0 && slice < slices_ && block >= area->first && end <= area->end;
  }
  // The reference to one location of a rank: for messages.
  Ref Name(int rank, uint32_t location) const;

 private:
  // base + slice * stride + block, the blocks being [first, end). base may have wrapped around.
  struct Area {
    uint32_t base = 0;
    uint32_t stride = 0;
    uint32_t first = 0;
    uint32_t end = 0;
  };
  struct RankAreas {
    Area user[2];  // In, Out
    uint32_t first_slot = 0;
    uint32_t slots = 0;
  };
  // Room for a window, and the area that shows it.
  Area Place(BlockWindow window);

  const uint32_t blocks_, slices_;
  uint32_t locations_ = 0;
  uint64_t most_scratch_ = 0;
  std::vector<RankAreas> ranks_;
  std::vector<Area> scratch_;
};

}  // namespace ccl

#endif  // CCL_SCHEDULE_VERIFY_LAYOUT_H_
