#include "fabric/pool.h"

#include <sys/mman.h>

#include <cstdlib>

namespace fabric {
namespace {

constexpr size_t kAlignment = 64, kHugePage = size_t{2} << 20;

}  // namespace

void* AllocateSlab(size_t bytes) {
  const bool huge = bytes > kHugePage / 2;
  const size_t alignment = huge ? kHugePage : kAlignment;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* const slab = std::aligned_alloc(alignment, rounded);
  if (slab == nullptr) throw std::bad_alloc();
  if (huge) madvise(slab, rounded, MADV_HUGEPAGE);  // a hint
  return slab;
}

void FreeSlab(void* slab) { std::free(slab); }

}  // namespace fabric
