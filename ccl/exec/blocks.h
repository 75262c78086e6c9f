#ifndef CCL_EXEC_BLOCKS_H_
#define CCL_EXEC_BLOCKS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"

namespace ccl {

struct Request;

// Where the blocks of one buffer lie, in elements: block i of the buffer's window is counts[i] of them
// from displacements[i] on.
struct BlockList {
  std::vector<uint64_t> counts, displacements;

  // One behind the other.
  static BlockList Dense(std::vector<uint64_t> counts);
  uint64_t Total() const;
  // The elements that lie before the end of the last block.
  uint64_t End() const;
};

// The blocks of one rank's request of a v-form; empty lists where the rank has no such buffer. What a
// rank can know: of allgather-v the output and of reduce-scatter-v the input have the counts of all
// ranks; of the others a rank has its own rows and columns only.
struct Blocks {
  BlockList in, out;
};

// OK, or what is wrong with the blocks and buffers of a v-form: sums beyond `most` elements, blocks of
// the output that overlap, a rank's own block with two lengths, null buffers, buffers that overlap
// and are not in place.
absl::Status CheckBlocks(const Request& request, int rank, uint64_t most);

}  // namespace ccl

#endif  // CCL_EXEC_BLOCKS_H_
