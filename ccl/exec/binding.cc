#include "ccl/exec/binding.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <numeric>

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
  if (request.blocks != nullptr) {
    const uint64_t elements = request.collective == Collective::kAllGatherV ? request.blocks->out.Total()
                              : request.collective == Collective::kReduceScatterV
                                  ? request.blocks->in.Total()
                                  : 0;
    return elements * SizeOf(request.type);
  }
  const uint64_t bytes = request.count * SizeOf(request.type);
  return CountIsPerRank(request.collective) ? bytes * static_cast<uint64_t>(ranks) : bytes;
}

uint64_t OwnBytes(const Request& request, int ranks) {
  if (request.blocks == nullptr) return PlanBytes(request, ranks);
  return std::max(request.blocks->in.Total(), request.blocks->out.Total()) * SizeOf(request.type);
}

bool OrderMatters(const Request& request) {
  if (!Reduces(request.collective)) return false;
  const bool function = request.custom != nullptr && request.custom->function;
  return function || !IsInteger(request.type);
}

Binding::Binding(const Program& program, int rank, const Request& request)
    : space_(program.info().space),
      count_(request.count),
      size_(SizeOf(request.type)),
      in_(static_cast<char*>(const_cast<void*>(request.in))),
      out_(static_cast<char*>(request.out)),
      phantom_(request.phantom),
      blocks_(request.blocks) {
  const BlockWindow in = InputWindow(program.info(), rank), out = OutputWindow(program.info(), rank);
  in_block_ = in.first;
  out_block_ = out.first;
  if (blocks_ != nullptr) {
    in_elements_ = blocks_->in.Total();
    out_elements_ = blocks_->out.Total();
    AddScratch(program, rank);
    return;
  }
  in_first_ = space_.BlockOffset(in.first, count_);
  out_first_ = space_.BlockOffset(out.first, count_);
  in_elements_ = space_.BlockOffset(in.first + in.blocks, count_) - in_first_;
  out_elements_ = space_.BlockOffset(out.first + out.blocks, count_) - out_first_;
  AddScratch(program, rank);
}

void Binding::AddScratch(const Program& program, int rank) {
  if (phantom_) return;
  ScratchAreas areas;
  program.Scratch(rank, areas);
  for (const ScratchArea& area : areas) {
    const uint64_t stride = area.blocks == 0     ? 0
                            : blocks_ != nullptr ? LayUneven(area)
                                                 : space_.WindowStride(area.first_block, area.blocks,
                                                                       count_);
    for (uint32_t i = 0; i < area.slots; ++i) {
      slots_.push_back({scratch_bytes_, area.first_block, area.blocks, stride});
      const uint64_t bytes = stride * (blocks_ != nullptr ? 1 : space_.slices()) * size_;
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
      Ref run = ref;
      run.first += i * ref.stride;
      elements += Elements(run);
    }
  }
  return elements * size_;
}

const BlockList& Binding::ListOf(Buffer buffer) const {
  if (buffer == Buffer::kIn) return blocks_->in;
  if (buffer == Buffer::kOut) return blocks_->out;
  return blocks_->in.counts.size() > blocks_->out.counts.size() ? blocks_->in : blocks_->out;
}

uint64_t Binding::UnevenElements(const Ref& ref) const {
  const std::vector<uint64_t>& counts = ListOf(ref.buffer).counts;
  const uint32_t slice = ref.first / space_.blocks(), slices = space_.slices();
  uint32_t block = ref.first % space_.blocks();
  if (ref.buffer != Buffer::kScratch) block -= ref.buffer == Buffer::kIn ? in_block_ : out_block_;
  uint64_t elements = 0;
  for (uint32_t i = 0; i < ref.count; ++i, ++block) {
    elements += counts[block] * (slice + 1) / slices - counts[block] * slice / slices;
  }
  return elements;
}

// The slices of a block lie together, in scratch too.
void* Binding::UnevenAddress(const Ref& ref) const {
  const uint32_t slice = ref.first / space_.blocks(), block = ref.first % space_.blocks();
  if (ref.buffer == Buffer::kScratch) {
    const Slot& slot = slots_[ref.slot];
    const uint64_t begin = before_[block] - before_[slot.first_block] +
                           ListOf(ref.buffer).counts[block] * slice / space_.slices();
    return scratch_.get() + slot.offset + begin * size_;
  }
  const bool in = ref.buffer == Buffer::kIn;
  const BlockList& list = ListOf(ref.buffer);
  const uint32_t i = block - (in ? in_block_ : out_block_);
  return (in ? in_ : out_) + (list.displacements[i] + list.counts[i] * slice / space_.slices()) * size_;
}

// Elements of a slot, all slices.
uint64_t Binding::LayUneven(const ScratchArea& area) {
  if (before_.empty()) {
    const std::vector<uint64_t>& counts = ListOf(Buffer::kScratch).counts;
    before_.resize(counts.size() + 1);
    std::partial_sum(counts.begin(), counts.end(), before_.begin() + 1);
  }
  return before_[area.first_block + area.blocks] - before_[area.first_block];
}

void* Binding::Address(const Ref& ref) const {
  if (blocks_ != nullptr) return UnevenAddress(ref);
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
    const bool scattered = Scattered(ref);
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
