#ifndef BENCH_HEAP_H_
#define BENCH_HEAP_H_

namespace ccl {

// Keeps freed memory in the process and puts the heap's first gigabyte on huge pages: a simulated world
// is millions of small objects, whose page faults and TLB misses cost more than what is done with
// them, and scratch of one operation is that of the next. Called first, once. What the system refuses
// only costs time.
void PrepareHeap();

}  // namespace ccl

#endif  // BENCH_HEAP_H_
