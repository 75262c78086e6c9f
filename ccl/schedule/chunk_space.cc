#include "ccl/schedule/chunk_space.h"

#include <utility>

namespace ccl {
namespace {

uint64_t CeilDiv(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

// floor(a * b / c) without overflow for the counts the library accepts.
uint64_t MulDiv(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t product;
  if (!__builtin_mul_overflow(a, b, &product)) return product / c;
  return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b / c);
}

}  // namespace

ChunkSpace ChunkSpace::Split(uint32_t blocks, uint32_t slices) {
  ChunkSpace space;
  space.blocks_ = blocks;
  space.slices_ = slices;
  return space;
}

ChunkSpace ChunkSpace::Weighted(std::vector<uint32_t> bounds, uint32_t slices) {
  ChunkSpace space = Split(static_cast<uint32_t>(bounds.size() - 1), slices);
  space.bounds_ = std::move(bounds);
  return space;
}

ChunkSpace ChunkSpace::PerBlock(uint32_t blocks, uint32_t slices) {
  ChunkSpace space = Split(blocks, slices);
  space.kind_ = Kind::kPerBlock;
  return space;
}

ChunkSpace ChunkSpace::Ragged(uint32_t blocks, uint32_t slices) {
  ChunkSpace space = Split(blocks, slices);
  space.kind_ = Kind::kRagged;
  return space;
}

ChunkSpace ChunkSpace::Pairs(uint32_t blocks, uint32_t slices) {
  ChunkSpace space = Split(blocks, slices);
  space.kind_ = Kind::kPairs;
  return space;
}

ChunkSpace ChunkSpace::WithSlices(uint32_t slices) const {
  ChunkSpace space = *this;
  space.slices_ = slices;
  return space;
}

uint64_t ChunkSpace::Boundary(uint32_t block, uint64_t length) const {
  if (bounds_.empty()) {
    return blocks_ == 1 ? (block == 0 ? 0 : length) : MulDiv(length, block, blocks_);
  }
  return bounds_.back() == 0 ? 0 : MulDiv(length, bounds_[block], bounds_.back());
}

uint64_t ChunkSpace::Offset(uint32_t chunk, uint64_t count) const {
  const uint32_t slice = slices_ == 1 ? 0 : chunk / blocks_;
  const uint32_t block = slices_ == 1 ? chunk : chunk % blocks_;
  if (per_block()) return block * count + MulDiv(count, slice, slices_);
  if (slices_ == 1) return Boundary(block, count);
  const uint64_t begin = MulDiv(count, slice, slices_);
  return begin + Boundary(block, MulDiv(count, slice + 1, slices_) - begin);
}

uint64_t ChunkSpace::Length(uint32_t chunk, uint64_t count) const {
  return LengthOfRun(chunk, 1, count);
}

uint64_t ChunkSpace::LengthOfRun(uint32_t first, uint32_t n, uint64_t count) const {
  const uint32_t slice = slices_ == 1 ? 0 : first / blocks_;
  const uint32_t block = slices_ == 1 ? first : first % blocks_;
  uint64_t length = count;
  if (slices_ != 1) length = MulDiv(count, slice + 1, slices_) - MulDiv(count, slice, slices_);
  if (per_block()) return length * n;
  return Boundary(block + n, length) - Boundary(block, length);
}

uint64_t ChunkSpace::BlockOffset(uint32_t block, uint64_t count) const {
  return per_block() ? block * count : Boundary(block, count);
}

bool ChunkSpace::EvenFor(uint64_t count) const {
  if (uneven()) return false;
  if (per_block() || blocks_ == 1) return true;
  return bounds_.empty() && count % (uint64_t{blocks_} * slices_) == 0;
}

uint64_t ChunkSpace::WindowStride(uint32_t first_block, uint32_t n, uint64_t count) const {
  const uint64_t length = CeilDiv(count, slices_);
  if (per_block()) return length * n;
  if (bounds_.empty()) return CeilDiv(length * n, blocks_);
  if (bounds_.back() == 0) return 0;
  return CeilDiv(length * (bounds_[first_block + n] - bounds_[first_block]), bounds_.back());
}

}  // namespace ccl
