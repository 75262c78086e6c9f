#ifndef TRANSPORTS_SHM_RUNS_H_
#define TRANSPORTS_SHM_RUNS_H_

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "ccl/backend/backend.h"

namespace ccl::shm {

// Calls f with the memory of `pieces` between two offsets, run by run.
template <typename P, typename F>
void ForRuns(const std::vector<P>& pieces, uint64_t begin, uint64_t bytes, F f) {
  for (const P& piece : pieces) {
    if (bytes == 0) return;
    if (begin >= piece.bytes) {
      begin -= piece.bytes;
      continue;
    }
    const uint64_t run = std::min<uint64_t>(bytes, piece.bytes - begin);
    using Byte = std::conditional_t<std::is_same_v<P, Piece>, std::byte, const std::byte>;
    f(static_cast<Byte*>(piece.data) + begin, run);
    bytes -= run;
    begin = 0;
  }
}

}  // namespace ccl::shm

#endif  // TRANSPORTS_SHM_RUNS_H_
