#include "bench/heap.h"

#include <malloc.h>
#include <sys/mman.h>

#include <climits>
#include <cstdint>
#include <cstdlib>
#include <memory>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Of the sanitizers' allocators, whose header does not come with every compiler.
extern "C" size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace ccl {

void PrepareHeap(bool simulates) {
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that may be asked for
  if (!simulates) return;
  mallopt(M_MMAP_MAX, 0);  // everything from one heap
  mallopt(M_TOP_PAD, 16 << 20);
  // Addresses, not memory: they become the heap's free end, and their pages huge when they are touched.
  constexpr size_t kReserved = size_t{1} << 30, kHugePage = size_t{2} << 20;
  void* const reserved = std::malloc(kReserved);
  if (reserved == nullptr) return;
  void* begin = reserved;
  size_t left = kReserved;
  if (std::align(kHugePage, kHugePage, begin, left) != nullptr) {
    madvise(begin, left / kHugePage * kHugePage, MADV_HUGEPAGE);
  }
  std::free(reserved);
}

int64_t HeapInUse() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return static_cast<int64_t>(__sanitizer_get_current_allocated_bytes());
#else
  const struct mallinfo2 now = mallinfo2();
  return static_cast<int64_t>(now.uordblks + now.hblkhd);
#endif
}

}  // namespace ccl
