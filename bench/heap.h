#ifndef BENCH_HEAP_H_
#define BENCH_HEAP_H_

#include <cstdint>

namespace ccl {

// Keeps freed memory in the process: scratch of one operation is that of the next. Where a world is
// simulated it also puts the heap's first gigabyte on huge pages: millions of small objects, whose
// page faults and TLB misses cost more than what is done with them. Called first, once. What the
// system refuses only costs time.
void PrepareHeap(bool simulates);

// Bytes that the program has from the allocator and has not given back, on all threads.
int64_t HeapInUse();

}  // namespace ccl

#endif  // BENCH_HEAP_H_
