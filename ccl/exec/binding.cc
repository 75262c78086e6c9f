#include "ccl/exec/binding.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace ccl {
namespace {

constexpr uint64_t kAlignment = 64;
constexpr uint64_t kHugePage = uint64_t{2} << 20;

// Large scratch is used once: on huge pages its first touch costs a five-hundredth of the faults.
char* Allocate(uint64_t bytes) {
  const uint64_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
  const uint64_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) throw std::bad_alloc();
  if (alignment == kHugePage) madvise(memory, rounded, MADV_HUGEPAGE);  // a hint
  return static_cast<char*>(memory);
}

}  // namespace

uint64_t PlanBytes(const Request& request, int ranks) {
  const uint64_t bytes = request.count * SizeOf(request.type);
  return CountIsPerRank(request.collective) ? bytes * static_cast<uint64_t>(ranks) : bytes;
}

Binding::Binding(const Program& program, int rank, const Request& request)
    : space_(program.info().space),
      count_(request.count),
      size_(SizeOf(request.type)),
      in_(static_cast<char*>(const_cast<void*>(request.in))),
      out_(static_cast<char*>(request.out)),
      phantom_(request.phantom) {
  const BlockWindow in = InputWindow(program.info(), rank), out = OutputWindow(program.info(), rank);
  in_first_ = space_.BlockOffset(in.first, count_);
  out_first_ = space_.BlockOffset(out.first, count_);
  in_elements_ = space_.BlockOffset(in.first + in.blocks, count_) - in_first_;
  out_elements_ = space_.BlockOffset(out.first + out.blocks, count_) - out_first_;
  if (phantom_) return;
  std::vector<ScratchArea> areas;
  program.Scratch(rank, areas);
  for (const ScratchArea& area : areas) {
    const uint64_t stride =
        area.blocks == 0 ? 0 : space_.WindowStride(area.first_block, area.blocks, count_);
    for (uint32_t i = 0; i < area.slots; ++i) {
      slots_.push_back({scratch_bytes_, area.first_block, area.blocks, stride});
      const uint64_t bytes = stride * space_.slices() * size_;
      scratch_bytes_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    }
  }
  if (scratch_bytes_ > 0) scratch_.reset(Allocate(scratch_bytes_));
}

void Binding::Free::operator()(char* memory) const { std::free(memory); }

uint64_t Binding::Bytes(absl::Span<const Ref> refs) const {
  uint64_t elements = 0;
  for (const Ref& ref : refs) {
    if (ref.repeat == 1 || space_.per_block()) {
      elements += Elements(ref) * ref.repeat;
      continue;
    }
    for (uint32_t i = 0; i < ref.repeat; ++i) {
      elements += space_.LengthOfRun(ref.first + i * ref.stride, ref.count, count_);
    }
  }
  return elements * size_;
}

void* Binding::Address(const Ref& ref) const {
  switch (ref.buffer) {
    case Buffer::kIn:
      return in_ + (space_.Offset(ref.first, count_) - in_first_) * size_;
    case Buffer::kOut:
      return out_ + (space_.Offset(ref.first, count_) - out_first_) * size_;
    case Buffer::kScratch:
      break;
  }
  const Slot& slot = slots_[ref.slot];
  const uint32_t slice = ref.first / space_.blocks();
  const uint32_t window = slice * space_.blocks() + slot.first_block;
  const uint64_t before =
      ref.first > window ? space_.LengthOfRun(window, ref.first - window, count_) : 0;
  return scratch_.get() + slot.offset + (slice * slot.stride + before) * size_;
}

void Binding::Pieces(absl::Span<const Ref> refs, std::vector<Piece>& out) const {
  if (phantom_) return;
  const size_t begin = out.size();  // what was there belongs to somebody else
  const auto append = [&](const Ref& ref) {
    const uint64_t bytes = Elements(ref) * size_;
    if (bytes == 0) return;
    char* const address = static_cast<char*>(Address(ref));
    if (out.size() > begin && static_cast<char*>(out.back().data) + out.back().bytes == address) {
      out.back().bytes += bytes;
    } else {
      out.push_back({address, bytes});
    }
  };
  for (const Ref& ref : refs) {
    // The slices of a block lie together, so a run of blocks of one slice does not.
    const bool scattered =
        space_.per_block() && space_.slices() > 1 && ref.buffer != Buffer::kScratch;
    for (uint32_t repeated = 0; repeated < ref.repeat; ++repeated) {
      Ref run = ref;
      run.first += repeated * ref.stride;
      if (!scattered) {
        append(run);
        continue;
      }
      run.count = 1;
      for (uint32_t i = 0; i < ref.count; ++i, ++run.first) append(run);
    }
  }
}

}  // namespace ccl
