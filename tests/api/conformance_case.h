// Cases of collectives through the C API: what every rank passes, and what it should get. Values are
// small integers, exact in every type, so that results do not depend on the order of a fold.
#ifndef TESTS_API_CONFORMANCE_CASE_H_
#define TESTS_API_CONFORMANCE_CASE_H_

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "ccl/base/elements.h"
#include "ccl/ccl.h"

namespace ccl_test {

// Reductions: those of cclRedOp_t, and three that a communicator's user makes.
enum Fold { kPreMulSum = cclNumOps, kAddCallback, kFirstCallback, kFolds };

struct Case {
  cclCollective_t collective;
  cclDataType_t type;
  int fold;  // cclRedOp_t or Fold
  size_t count;
  bool in_place;
  bool apart;  // of a v-form: displacements, with gaps, last block first
  int root = -1;  // -1: the last rank
};

inline bool IsReduction(cclCollective_t c) {
  return c == cclCollAllReduce || c == cclCollReduce || c == cclCollReduceScatter || c == cclCollScan ||
         c == cclCollExscan || c == cclCollReduceScatterV;
}
inline bool IsV(cclCollective_t c) { return c >= cclCollAllGatherV; }
inline size_t SizeOf(cclDataType_t type) { return ccl::SizeOf(static_cast<ccl::DataType>(type)); }
inline bool IsInteger(cclDataType_t type) { return ccl::IsInteger(static_cast<ccl::DataType>(type)); }

inline double Load(cclDataType_t type, const char* at) {
  return ccl::WithType(static_cast<ccl::DataType>(type), [&](auto element) {
    std::memcpy(&element, at, sizeof element);
    return ccl::ToDouble(element);
  });
}
inline void Store(cclDataType_t type, char* at, double value) {
  ccl::WithType(static_cast<ccl::DataType>(type), [&](auto element) {
    element = ccl::FromDouble<decltype(element)>(value);
    std::memcpy(at, &element, sizeof element);
  });
}

// One block of a buffer: elements from `offset` on.
struct Span {
  int block;
  size_t offset, length;
};
inline size_t EndOf(const std::vector<Span>& spans) {
  size_t end = 0;
  for (const Span& span : spans) end = std::max(end, span.offset + span.length);
  return end;
}

// A case as one of `ranks` ranks sees it.
class View {
 public:
  View(const Case& c, int ranks, int rank) : c_(c), ranks_(ranks), rank_(rank) {
    in_ = Lay(Blocks(true), true);
    out_ = Lay(Blocks(false), false);
  }

  int root() const { return c_.root < 0 ? ranks_ - 1 : c_.root; }
  const std::vector<Span>& in() const { return in_; }
  const std::vector<Span>& out() const { return out_; }

  // Elements that go from one rank to another, or of a block.
  size_t Length(int from, int to) const {
    if (!IsV(c_.collective)) return c_.count;
    const int turn = c_.collective == cclCollAlltoAllV ? 3 * from + to : to + 1;
    return c_.count * static_cast<size_t>(turn % 4) / 2;
  }

  double Input(int rank, int block, size_t k) const {
    const int i = block * 13 + static_cast<int>(k % 97);
    if (c_.fold == cclProd) return (rank * 7 + i * 3) % 11 == 0 ? 2 : 1;
    const bool narrow = SizeOf(c_.type) == 1 && !IsInteger(c_.type);
    return narrow ? (rank + i) % 2 : (rank * 5 + i * 3 + (i >> 3)) % 4;
  }

  // What element `k` of a block of the output is.
  double Expected(const Span& span, size_t k) const {
    switch (c_.collective) {
      case cclCollAllReduce:
      case cclCollReduce: return Folded(ranks_, 0, k);
      case cclCollScan: return Folded(rank_ + 1, 0, k);
      case cclCollExscan: return Folded(rank_, 0, k);
      case cclCollReduceScatter:
      case cclCollReduceScatterV: return Folded(ranks_, rank_, k);
      case cclCollBroadcast: return Input(root(), 0, k);
      case cclCollScatter:
      case cclCollScatterV: return Input(root(), rank_, k);
      case cclCollAlltoAll:
      case cclCollAlltoAllV: return Input(span.block, rank_, k);
      default: return Input(span.block, 0, k);  // gathers
    }
  }

  // Of averages: what is scaled or divided is rounded.
  double Tolerance() const {
    if (c_.fold != cclAvg || IsInteger(c_.type)) return 0;
    const double unit = c_.type == cclFloat16      ? 0x1p-11
                        : c_.type == cclBfloat16   ? 0x1p-8
                        : c_.type == cclFloat8e4m3 ? 0x1p-4
                        : c_.type == cclFloat8e5m2 ? 0x1p-3
                                                   : 0x1p-22;
    return 3 * (ranks_ + 1) * unit;
  }

  // The block of this rank within its larger buffer, in elements.
  size_t Own(const std::vector<Span>& spans) const {
    for (const Span& span : spans) {
      if (span.block == rank_) return span.offset;
    }
    return 0;
  }

 private:
  double Folded(int ranks, int block, size_t k) const {
    double value = Input(0, block, k);
    if (c_.fold == kFirstCallback) return value;
    for (int r = 1; r < ranks; ++r) {
      const double next = Input(r, block, k);
      const int a = static_cast<int>(value), b = static_cast<int>(next);
      switch (c_.fold) {
        case cclProd: value *= next; break;
        case cclMax: value = std::max(value, next); break;
        case cclMin: value = std::min(value, next); break;
        case cclBand: value = a & b; break;
        case cclBor: value = a | b; break;
        case cclBxor: value = a ^ b; break;
        case kPreMulSum: value += next * (r % 2 + 1); break;
        default: value += next;
      }
    }
    if (c_.fold != cclAvg) return value;
    return IsInteger(c_.type) ? std::trunc(value / ranks_) : value / ranks_;
  }

  // (block, length) of what the rank has on a side.
  std::vector<Span> Blocks(bool input) const {
    std::vector<Span> all;
    for (int b = 0; b < ranks_; ++b) all.push_back({b, 0, input ? Length(rank_, b) : Length(b, rank_)});
    const Span one = {0, 0, Length(0, 0)}, own = {rank_, 0, Length(rank_, rank_)};
    const bool is_root = rank_ == root();
    switch (c_.collective) {
      case cclCollBarrier: return {};
      case cclCollAllReduce:
      case cclCollScan: return {one};
      case cclCollExscan: return input || rank_ > 0 ? std::vector<Span>{one} : std::vector<Span>{};
      case cclCollReduce: return input || is_root ? std::vector<Span>{one} : std::vector<Span>{};
      case cclCollBroadcast: return !input || is_root ? std::vector<Span>{one} : std::vector<Span>{};
      case cclCollAllGather:
      case cclCollAllGatherV: return input ? std::vector<Span>{own} : Gathered();
      case cclCollReduceScatter:
      case cclCollReduceScatterV: return input ? all : std::vector<Span>{own};
      case cclCollGather:
      case cclCollGatherV:
        if (input) return {own};
        return is_root ? Gathered() : std::vector<Span>{};
      case cclCollScatter:
      case cclCollScatterV:
        if (!input) return {own};
        return is_root ? all : std::vector<Span>{};
      default: return all;
    }
  }
  std::vector<Span> Gathered() const {
    std::vector<Span> all;
    for (int b = 0; b < ranks_; ++b) all.push_back({b, 0, Length(b, b)});
    return all;
  }

  std::vector<Span> Lay(std::vector<Span> spans, bool) const {
    size_t at = 0;
    const bool apart = IsV(c_.collective) && c_.apart && spans.size() > 1;
    for (size_t i = 0; i < spans.size(); ++i) {
      Span& span = spans[apart ? spans.size() - 1 - i : i];
      span.offset = at;
      at += span.length + (apart ? 3 : 0);
    }
    return spans;
  }

  const Case c_;
  const int ranks_, rank_;
  std::vector<Span> in_, out_;
};

// All of them: every reduction of every type that has it, every collective, in place where it may be.
inline std::vector<Case> AllCases() {
  const size_t counts[] = {1, 7, 100, 0, 3};
  std::vector<Case> cases;
  for (int c = 0; c < cclNumColls; ++c) {
    const auto collective = static_cast<cclCollective_t>(c);
    const bool all_to_all = collective == cclCollAlltoAll || collective == cclCollAlltoAllV;
    for (int t = 0; t < cclNumTypes; ++t) {
      const auto type = static_cast<cclDataType_t>(t);
      for (int fold = 0; fold < kFolds; ++fold) {
        if (!IsReduction(collective) && fold > 0) continue;
        if (fold >= cclBand && fold <= cclBxor && !IsInteger(type)) continue;
        if (fold > kPreMulSum && type != cclInt32 && type != cclFloat64) continue;
        // A product of a scalar and a short float has to be exact too.
        if (fold == kPreMulSum && SizeOf(type) == 1 && !IsInteger(type)) continue;
        for (const bool in_place : {false, true}) {
          if (in_place && (all_to_all || collective == cclCollBarrier)) continue;
          const size_t turn = cases.size();
          cases.push_back({collective, type, fold, counts[turn % 5], in_place, turn % 3 != 0});
        }
      }
    }
  }
  return cases;
}

}  // namespace ccl_test

#endif  // TESTS_API_CONFORMANCE_CASE_H_
