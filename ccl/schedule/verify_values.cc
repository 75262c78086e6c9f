#include "ccl/schedule/verify_values.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"

namespace ccl {

RankSets::RankSets(int ranks)
    : ranks_(static_cast<uint32_t>(ranks)),
      words_((ranks_ + 63) / 64),
      left_(words_),
      right_(words_) {}

void RankSets::AddTo(RankSet set, absl::Span<uint64_t> words) const {
  if ((set & kBitset) != 0) {
    const uint64_t* from = bitsets_.data() + (set & ~kBitset) * words_;
    for (size_t i = 0; i < words_; ++i) words[i] |= from[i];
    return;
  }
  uint32_t rank = set >> 16;
  for (uint32_t i = 0; i < (set & 0xffff); ++i, ++rank) {
    if (rank == ranks_) rank = 0;
    words[rank / 64] |= uint64_t{1} << rank % 64;
  }
}

RankSet RankSets::Memoised(RankSet a, RankSet b) {
  const auto [entry, absent] = unions_.try_emplace(uint64_t{a} << 32 | b, kOverlap);
  if (absent) {
    std::fill(left_.begin(), left_.end(), 0);
    std::fill(right_.begin(), right_.end(), 0);
    AddTo(a, absl::MakeSpan(left_));
    AddTo(b, absl::MakeSpan(right_));
    bool overlap = false;
    for (size_t i = 0; i < words_; ++i) {
      overlap |= (left_[i] & right_[i]) != 0;
      left_[i] |= right_[i];
    }
    if (!overlap) entry->second = Intern(left_);
  }
  last_a_ = a;
  last_b_ = b;
  last_union_ = entry->second;
  return last_union_;
}

RankSet RankSets::Union(RankSet a, RankSet b) {
  if (a == b) return a;
  std::fill(left_.begin(), left_.end(), 0);
  AddTo(a, absl::MakeSpan(left_));
  AddTo(b, absl::MakeSpan(left_));
  return Intern(left_);
}

RankSet RankSets::Intern(absl::Span<const uint64_t> words) {
  // A cyclic interval is a set with one member whose predecessor is not in it.
  uint64_t carry = words[(ranks_ - 1) / 64] >> (ranks_ - 1) % 64 & 1;
  uint32_t starts = 0, first = 0, size = 0;
  uint64_t hash = 0;
  for (size_t i = 0; i < words_; ++i) {
    const uint64_t begins = words[i] & ~(words[i] << 1 | carry);
    if (begins != 0) first = static_cast<uint32_t>(i * 64 + std::countr_zero(begins));
    starts += static_cast<uint32_t>(std::popcount(begins));
    size += static_cast<uint32_t>(std::popcount(words[i]));
    carry = words[i] >> 63;
    hash = OrderOfFold(hash, words[i]);
  }
  if (size == ranks_) return All();
  if (starts == 1) return Interval(first, size);
  const RankSet next = kBitset | static_cast<RankSet>(interned_.size());
  for (;; ++hash) {
    const auto [entry, absent] = interned_.try_emplace(hash, next);
    if (absent) {
      bitsets_.insert(bitsets_.end(), words.begin(), words.end());
      return next;
    }
    const uint64_t* found = bitsets_.data() + (entry->second & ~kBitset) * words_;
    if (std::equal(words.begin(), words.end(), found)) return entry->second;
  }
}

std::string RankSets::ToString(RankSet set) const {
  std::vector<uint64_t> words(words_);
  AddTo(set, absl::MakeSpan(words));
  const auto has = [&](uint32_t rank) {
    return rank < ranks_ && (words[rank / 64] >> rank % 64 & 1) != 0;
  };
  std::string text = "{";
  for (uint32_t rank = 0; rank < ranks_; ++rank) {
    if (!has(rank)) continue;
    uint32_t last = rank;
    while (has(last + 1)) ++last;
    absl::StrAppend(&text, text.size() > 1 ? "," : "", rank);
    if (last > rank) absl::StrAppend(&text, last > rank + 1 ? ".." : ",", last);
    rank = last;
  }
  return text + "}";
}

}  // namespace ccl
