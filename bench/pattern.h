#ifndef BENCH_PATTERN_H_
#define BENCH_PATTERN_H_

#include <cstdint>
#include <memory>

#include "ccl/exec/binding.h"

namespace ccl {

// What a rank of a v-form asks for when blocks have `count` elements on average: a half, the whole and
// one and a half of it in turn. Null for other collectives.
std::shared_ptr<const Blocks> BlocksFor(Collective collective, uint64_t count, int ranks, int root,
                                        int rank);

// Elements of a rank's input and output buffer.
uint64_t InputElements(Collective collective, uint64_t count, int ranks, int root, int rank);
uint64_t OutputElements(Collective collective, uint64_t count, int ranks, int root, int rank);

// Writes what `rank` contributes: values that depend on rank and element, and whose reductions are
// exact in every type, so that a result is right or wrong whatever the order of the fold.
void FillInput(const Request& request, int ranks, int rank, void* data);

// Elements of the output that are not what the collective promises.
uint64_t CountWrong(const Request& request, int ranks, int rank, const void* data);

}  // namespace ccl

#endif  // BENCH_PATTERN_H_
