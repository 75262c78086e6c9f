#ifndef CCL_ALGORITHMS_RECIPE_H_
#define CCL_ALGORITHMS_RECIPE_H_

#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "ccl/algorithms/algorithm.h"
#include "ccl/schedule/program.h"

// What the recipe files share: rank arithmetic, references to chunks, and the constructors that
// the catalogue lists. A recipe describes one slice; slices.h multiplies it.
namespace ccl {

// a mod n in 0..n-1, for any a > -n * 2^20.
inline int Mod(int64_t a, int n) {
  const int64_t m = a % n;
  return static_cast<int>(m < 0 ? m + n : m);
}
inline int CeilLog2(int n) { return n <= 1 ? 0 : std::bit_width(static_cast<unsigned>(n - 1)); }
inline bool IsPowerOfTwo(int n) { return std::has_single_bit(static_cast<unsigned>(n)); }

inline Ref In(int first, int count = 1) {
  return {Buffer::kIn, 0, static_cast<uint32_t>(first), static_cast<uint32_t>(count)};
}
inline Ref Out(int first, int count = 1) {
  return {Buffer::kOut, 0, static_cast<uint32_t>(first), static_cast<uint32_t>(count)};
}
inline Ref Scratch(int slot, int first, int count = 1) {
  return {Buffer::kScratch, static_cast<uint16_t>(slot), static_cast<uint32_t>(first),
          static_cast<uint32_t>(count)};
}

// A batch is written anew at every call, and takes no memory for it: long lists are the StepList's to
// lend, and the children of a tree are few.
using Refs = std::vector<Ref>;
using Ranks = absl::InlinedVector<int, 32>;

inline ProgramInfo MakeInfo(absl::string_view name, const Shape& shape, ChunkSpace space,
                            uint32_t lanes, uint32_t channels) {
  ProgramInfo info;
  info.name = std::string(name);
  info.collective = shape.collective;
  info.ranks = shape.ranks;
  info.root = HasRoot(shape.collective) ? shape.root : 0;
  info.space = std::move(space);
  info.lanes = lanes;
  info.channels = channels;
  return info;
}

// One constructor per recipe file; what each does stands in its file.
using Recipe = std::unique_ptr<Program> (*)(const Shape& shape);
std::unique_ptr<Program> MakeRing(const Shape& shape);
std::unique_ptr<Program> MakeBidirectionalRing(const Shape& shape);
std::unique_ptr<Program> MakeRecursiveDoubling(const Shape& shape);
std::unique_ptr<Program> MakeRabenseifner(const Shape& shape);
std::unique_ptr<Program> MakeNhr(const Shape& shape);
std::unique_ptr<Program> MakeOneShot(const Shape& shape);
std::unique_ptr<Program> MakeTwoShot(const Shape& shape);
std::unique_ptr<Program> MakeDirect(const Shape& shape);
std::unique_ptr<Program> MakePairwise(const Shape& shape);
std::unique_ptr<Program> MakeBruck(const Shape& shape);
std::unique_ptr<Program> MakeKnomial(const Shape& shape);
std::unique_ptr<Program> MakeChain(const Shape& shape);
std::unique_ptr<Program> MakeDoubleBinaryTree(const Shape& shape);
std::unique_ptr<Program> MakeScanChain(const Shape& shape);
std::unique_ptr<Program> MakeScanDirect(const Shape& shape);
std::unique_ptr<Program> MakeScanDoubling(const Shape& shape);
std::unique_ptr<Program> MakeDissemination(const Shape& shape);
std::unique_ptr<Program> MakeGroupOneShot(const Shape& shape);
std::unique_ptr<Program> MakeGroupTwoShot(const Shape& shape);
std::unique_ptr<Program> MakeGroupDirect(const Shape& shape);
// Any collective on one rank: a copy.
std::unique_ptr<Program> MakeLocal(const Shape& shape);

}  // namespace ccl

#endif  // CCL_ALGORITHMS_RECIPE_H_
