#ifndef CCL_SCHEDULE_VERIFY_VALUES_H_
#define CCL_SCHEDULE_VERIFY_VALUES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"

// What the verifier computes with instead of numbers.
namespace ccl {

// A set of ranks; equal sets have equal names. Cyclic intervals, which is what rings, trees and
// halvings make, are their own name: start << 16 | length. Any other set is a number with the top
// bit set, of a bitset that RankSets keeps.
using RankSet = uint32_t;

class RankSets {
 public:
  static constexpr int kMaxRanks = 32767;
  static constexpr RankSet kOverlap = ~RankSet{0};

  explicit RankSets(int ranks);

  RankSet All() const { return ranks_; }
  // Whether the set has one member.
  static bool IsSingle(RankSet set) { return (set & kBitset) == 0 && (set & 0xffff) == 1; }
  RankSet Only(int rank) const { return Interval(static_cast<uint32_t>(rank), 1); }
  // Ranks 0 .. ranks - 1; there is one at least.
  RankSet Below(int ranks) const { return Interval(0, static_cast<uint32_t>(ranks)); }
  // kOverlap when a rank is in both.
  RankSet DisjointUnion(RankSet a, RankSet b) {
    if (((a | b) & kBitset) == 0) {
      const uint32_t a_first = a >> 16, a_length = a & 0xffff;
      const uint32_t b_first = b >> 16, b_length = b & 0xffff;
      const uint32_t to_b = b_first >= a_first ? b_first - a_first : b_first + ranks_ - a_first;
      const uint32_t to_a = to_b == 0 ? 0 : ranks_ - to_b;
      if (to_b < a_length || to_a < b_length) return kOverlap;
      if (to_b == a_length) return Interval(a_first, a_length + b_length);
      if (to_a == b_length) return Interval(b_first, a_length + b_length);
    }
    if (a == last_a_ && b == last_b_) return last_union_;
    return Memoised(a, b);
  }
  RankSet Union(RankSet a, RankSet b);
  std::string ToString(RankSet set) const;  // "{0..3,7}"

 private:
  static constexpr RankSet kBitset = RankSet{1} << 31;

  RankSet Interval(uint32_t first, uint32_t length) const {
    return length == ranks_ ? length : first << 16 | length;
  }
  RankSet Memoised(RankSet a, RankSet b);
  RankSet Intern(absl::Span<const uint64_t> words);
  void AddTo(RankSet set, absl::Span<uint64_t> words) const;

  const uint32_t ranks_;
  const size_t words_;
  std::vector<uint64_t> bitsets_;  // words_ each
  std::vector<uint64_t> left_, right_;
  absl::flat_hash_map<uint64_t, RankSet> interned_;  // by hash; a collision takes the next hash
  absl::flat_hash_map<uint64_t, RankSet> unions_;    // of a << 32 | b
  RankSet last_a_ = 0, last_b_ = 0, last_union_ = 0;
};

inline constexpr uint32_t kUndefined = ~uint32_t{0};

// The content of a chunk: which input chunk it is, whose contributions it has, and in which order
// they were folded. Data that only moves has one contributor, the rank it comes from.
struct Value {
  uint32_t chunk = kUndefined;
  RankSet ranks = 0;
  uint64_t order = 0;  // hash of the fold tree; kFoldedOnce
};

// Of an order, not part of the hash: contributions were folded in one step, and rounded once.
inline constexpr uint64_t kFoldedOnce = 1;

inline uint64_t MixOrder(uint64_t x) {
  x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
  x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
  return x ^ (x >> 32);
}
inline uint64_t OrderOfRank(int rank) {
  return MixOrder(static_cast<uint64_t>(rank) + 1) & ~kFoldedOnce;
}
inline uint64_t OrderOfFold(uint64_t left, uint64_t right) {
  return MixOrder((left & ~kFoldedOnce) * 0x9e3779b97f4a7c15u + (right & ~kFoldedOnce)) &
         ~kFoldedOnce;
}

}  // namespace ccl

#endif  // CCL_SCHEDULE_VERIFY_VALUES_H_
