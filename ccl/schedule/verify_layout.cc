#include "ccl/schedule/verify_layout.h"

#include <algorithm>

namespace ccl {

Layout::Layout(const Program& program, bool in_place)
    : blocks_(program.info().space.blocks()), slices_(program.info().space.slices()) {
  const ProgramInfo& info = program.info();
  ranks_.resize(static_cast<size_t>(info.ranks));
  ScratchAreas areas;
  for (int rank = 0; rank < info.ranks; ++rank) {
    RankAreas& own = ranks_[static_cast<size_t>(rank)];
    const BlockWindow in = InputWindow(info, rank), out = OutputWindow(info, rank);
    if (in_place && in.blocks > 0 && out.blocks > 0) {
      // Of two windows of one rank, one holds the other.
      const Area both = Place(in.blocks >= out.blocks ? in : out);
      own.user[0] = {both.base, both.stride, in.first, in.first + in.blocks};
      own.user[1] = {both.base, both.stride, out.first, out.first + out.blocks};
    } else {
      own.user[0] = Place(in);
      own.user[1] = Place(out);
    }
    own.first_slot = static_cast<uint32_t>(scratch_.size());
    const uint32_t before = locations_;
    areas.clear();
    program.Scratch(rank, areas);
    for (const ScratchArea& area : areas) {
      for (uint32_t slot = 0; slot < area.slots; ++slot) {
        scratch_.push_back(Place({area.first_block, area.blocks}));
      }
    }
    own.slots = static_cast<uint32_t>(scratch_.size()) - own.first_slot;
    most_scratch_ = std::max<uint64_t>(most_scratch_, locations_ - before);
  }
}

Layout::Area Layout::Place(BlockWindow window) {
  const Area area{locations_ - window.first, window.blocks, window.first,
                  window.first + window.blocks};
  locations_ += window.blocks * slices_;
  return area;
}

Ref Layout::Name(int rank, uint32_t location) const {
  const RankAreas& areas = ranks_[static_cast<size_t>(rank)];
  Ref ref;
  const auto holds = [&](const Area& area) {
    for (uint32_t slice = 0; slice < slices_; ++slice) {
      const uint32_t block = location - area.base - slice * area.stride;
      if (block < area.first || block >= area.end) continue;
      ref.first = slice * blocks_ + block;
      return true;
    }
    return false;
  };
  ref.buffer = Buffer::kIn;
  if (holds(areas.user[0])) return ref;
  ref.buffer = Buffer::kOut;
  if (holds(areas.user[1])) return ref;
  ref.buffer = Buffer::kScratch;
  for (uint32_t slot = 0; slot < areas.slots; ++slot) {
    ref.slot = static_cast<uint16_t>(slot);
    if (holds(scratch_[areas.first_slot + slot])) return ref;
  }
  return ref;
}

}  // namespace ccl
