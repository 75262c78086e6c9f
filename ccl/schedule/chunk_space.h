#ifndef CCL_SCHEDULE_CHUNK_SPACE_H_
#define CCL_SCHEDULE_CHUNK_SPACE_H_

#include <cstdint>
#include <vector>

namespace ccl {

// How the elements of one collective are cut into chunks, for every element count at once.
//
// A program has one chunk space; every buffer (input, output, each scratch slot) is a window on it.
// The space is `blocks` x `slices`; the chunk of (slice, block) has index slice * blocks + block.
//
//   split:      one vector of `count` elements (allreduce, broadcast, reduce), cut into slices
//               first and each slice into blocks in proportion to the blocks' weights:
//               a boundary lies at floor(length * weight_before / weight_total).
//   per block:  `blocks` blocks of `count` elements each (reduce-scatter, allgather, all-to-all,
//               gather, scatter), each block cut evenly into slices.
//   ragged:     blocks of lengths of their own, each cut evenly into slices (the v-forms). What a
//               block's number stands for has one length on all ranks.
//   pairs:      likewise, but the block b of a rank's input is what it sends to rank b, and block b of
//               its output what it gets from there: lengths go with pairs of ranks (all-to-all-v).
//
// Functions that take a count are for the first two: of the others a Binding knows the lengths.
// A value; cheap to copy when no weights are given.
class ChunkSpace {
 public:
  ChunkSpace() = default;
  static ChunkSpace Split(uint32_t blocks, uint32_t slices = 1);
  // `bounds` are cumulative weights: bounds[0] == 0, non-decreasing, blocks + 1 of them.
  static ChunkSpace Weighted(std::vector<uint32_t> bounds, uint32_t slices = 1);
  static ChunkSpace PerBlock(uint32_t blocks, uint32_t slices = 1);
  static ChunkSpace Ragged(uint32_t blocks, uint32_t slices = 1);
  static ChunkSpace Pairs(uint32_t blocks, uint32_t slices = 1);

  ChunkSpace WithSlices(uint32_t slices) const;

  uint32_t blocks() const { return blocks_; }
  uint32_t slices() const { return slices_; }
  uint32_t chunks() const { return blocks_ * slices_; }
  enum class Kind : uint8_t { kSplit, kPerBlock, kRagged, kPairs };
  Kind kind() const { return kind_; }
  bool per_block() const { return kind_ == Kind::kPerBlock; }
  // Ragged or pairs.
  bool uneven() const { return kind_ >= Kind::kRagged; }

  // Elements of the whole vector.
  uint64_t Total(uint64_t count) const { return per_block() ? count * blocks_ : count; }
  // First element of a chunk within the whole vector, and the chunk's number of elements.
  uint64_t Offset(uint32_t chunk, uint64_t count) const;
  uint64_t Length(uint32_t chunk, uint64_t count) const;
  // Elements of the chunks [first, first + n), which lie in one slice.
  uint64_t LengthOfRun(uint32_t first, uint32_t n, uint64_t count) const;
  // First element of block `block` (of slice 0) when nothing is sliced: where a window begins.
  uint64_t BlockOffset(uint32_t block, uint64_t count) const;
  // True when all chunks of a slice have one length for this count.
  bool EvenFor(uint64_t count) const;

  // Scratch slots store the window [first, first + n) blocks slice by slice at this stride:
  // an upper bound of the window's elements in any one slice.
  uint64_t WindowStride(uint32_t first_block, uint32_t n, uint64_t count) const;

 private:
  uint64_t Boundary(uint32_t block, uint64_t length) const;

  uint32_t blocks_ = 1;
  uint32_t slices_ = 1;
  Kind kind_ = Kind::kSplit;
  std::vector<uint32_t> bounds_;  // empty: equal weights
};

}  // namespace ccl

#endif  // CCL_SCHEDULE_CHUNK_SPACE_H_
