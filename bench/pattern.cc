#include "bench/pattern.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "ccl/backend/compute.h"
#include "ccl/base/elements.h"

namespace ccl {
namespace {

uint32_t Hash(uint64_t i) {
  uint64_t h = i * 0x9e3779b97f4a7c15u;
  return static_cast<uint32_t>(h >> 40);
}

// Narrow types hold the sum of few small values only: of so many ones, from so many ranks, where
// all ranks' values would be too many. Partial sums are exact in whatever order.
int Ones(DataType type, int ranks) {
  if (SizeOf(type) == 1 && !IsInteger(type)) return 8;
  return SizeOf(type) <= 2 && ranks > 32 ? 100 : 0;
}

int64_t Value(DataType type, ReduceOp op, int ranks, int rank, uint64_t i) {
  const uint32_t h = Hash(i);
  switch (op) {
    case ReduceOp::kProd:
      return (h + static_cast<uint32_t>(rank)) % static_cast<uint32_t>(ranks) == 0 ? 2 : 1;
    case ReduceOp::kSum:
    case ReduceOp::kAvg:
      if (const int ones = Ones(type, ranks); ones > 0) {
        return (h + static_cast<uint32_t>(rank)) % static_cast<uint32_t>(ranks) <
                       static_cast<uint32_t>(ones)
                   ? 1
                   : 0;
      }
      [[fallthrough]];
    default:
      return (h + static_cast<uint32_t>(rank)) & 3;
  }
}

// Reductions depend on the element through h mod kPeriods at most.
class Expected {
 public:
  Expected(const Request& request, int ranks) : request_(request), ranks_(ranks) {}

  // Of the first `ranks` ranks.
  double Reduced(uint64_t i, int ranks) const {
    double total = static_cast<double>(Value(0, i));
    for (int r = 1; r < ranks; ++r) total = Fold(total, static_cast<double>(Value(r, i)));
    if (request_.op != ReduceOp::kAvg) return total;
    if (IsInteger(request_.type)) return std::trunc(total / ranks_);
    return request_.type == DataType::kFloat64
               ? total / ranks_
               : static_cast<double>(static_cast<float>(total) / static_cast<float>(ranks_));
  }

  double Reduced(uint64_t i) const {
    int64_t total = request_.op == ReduceOp::kProd ? 1 : Value(0, i);
    switch (request_.op) {
      case ReduceOp::kProd:
        return 2;
      case ReduceOp::kSum:
      case ReduceOp::kAvg:
        if (const int ones = Ones(request_.type, ranks_); ones > 0) {
          total = std::min(ranks_, ones);
        } else {
          // Four consecutive ranks contribute 0 + 1 + 2 + 3.
          total = 6 * static_cast<int64_t>(ranks_ / 4);
          for (int r = ranks_ / 4 * 4; r < ranks_; ++r) total += Value(r, i);
        }
        break;
      case ReduceOp::kMax:
        for (int r = 1; r < ranks_ && r < 4; ++r) total = std::max(total, Value(r, i));
        break;
      case ReduceOp::kBand:
      case ReduceOp::kBor:
      case ReduceOp::kBxor:
        // Ranks repeat after four: of two that are alike, exclusive or keeps nothing.
        for (int r = 1; r < ranks_ && (r < 4 || request_.op == ReduceOp::kBxor); ++r) {
          total = request_.op == ReduceOp::kBand  ? total & Value(r, i)
                  : request_.op == ReduceOp::kBor ? total | Value(r, i)
                                                  : total ^ Value(r, i);
        }
        break;
      case ReduceOp::kMin:
        for (int r = 1; r < ranks_ && r < 4; ++r) total = std::min(total, Value(r, i));
        break;
    }
    if (request_.op == ReduceOp::kAvg) {
      if (IsInteger(request_.type)) {
        const int64_t rounded = total / ranks_;
        return static_cast<double>(rounded);
      }
      return request_.type == DataType::kFloat64
                 ? static_cast<double>(total) / ranks_
                 : static_cast<double>(static_cast<float>(total) / static_cast<float>(ranks_));
    }
    return static_cast<double>(total);
  }

  double At(int rank, uint64_t i) const {
    const uint64_t count = request_.count;
    switch (request_.collective) {
      case Collective::kScan:
        return Reduced(i, rank + 1);
      case Collective::kExscan:
        return Reduced(i, rank);
      case Collective::kReduceScatterV:
        return Reduced(request_.blocks->in.displacements[static_cast<size_t>(rank)] + i);
      case Collective::kScatterV:
        return static_cast<double>(Value(request_.root, Before(request_.root, rank) + i));
      case Collective::kAllGatherV:
      case Collective::kGatherV:
      case Collective::kAllToAllV: {
        const std::vector<uint64_t>& first = request_.blocks->out.displacements;
        const auto block = std::upper_bound(first.begin(), first.end(), i) - first.begin() - 1;
        const int from = static_cast<int>(block);
        const uint64_t within = i - first[static_cast<size_t>(block)];
        const bool exchange = request_.collective == Collective::kAllToAllV;
        return static_cast<double>(Value(from, within + (exchange ? Before(from, rank) : 0)));
      }
      case Collective::kAllReduce:
      case Collective::kReduce:
        return Reduced(i);
      case Collective::kReduceScatter:
        return Reduced(static_cast<uint64_t>(rank) * count + i);
      case Collective::kBroadcast:
        return static_cast<double>(Value(request_.root, i));
      case Collective::kScatter:
        return static_cast<double>(Value(request_.root, static_cast<uint64_t>(rank) * count + i));
      case Collective::kAllGather:
      case Collective::kGather:
        return static_cast<double>(Value(static_cast<int>(i / count), i % count));
      case Collective::kAllToAll:
        return static_cast<double>(
            Value(static_cast<int>(i / count), static_cast<uint64_t>(rank) * count + i % count));
      case Collective::kBarrier:
        break;
    }
    return 0;
  }

 private:
  double Fold(double a, double b) const {
    switch (request_.op) {
      case ReduceOp::kProd: return a * b;
      case ReduceOp::kMax: return std::max(a, b);
      case ReduceOp::kMin: return std::min(a, b);
      case ReduceOp::kBand: return static_cast<double>(static_cast<int>(a) & static_cast<int>(b));
      case ReduceOp::kBor: return static_cast<double>(static_cast<int>(a) | static_cast<int>(b));
      case ReduceOp::kBxor: return static_cast<double>(static_cast<int>(a) ^ static_cast<int>(b));
      default: return a + b;
    }
  }
  // Elements that `from` sends to ranks below `to`.
  uint64_t Before(int from, int to) const {
    if (from != from_ || to != to_) {
      const auto row = BlocksFor(request_.collective, request_.count, ranks_, from, from);
      from_ = from;
      to_ = to;
      before_ = row->in.displacements[static_cast<size_t>(to)];
    }
    return before_;
  }
  int64_t Value(int rank, uint64_t i) const {
    return ccl::Value(request_.type, request_.op, ranks_, rank, i);
  }
  const Request& request_;
  const int ranks_;
  mutable int from_ = -1, to_ = -1;  // of the last answer of Before
  mutable uint64_t before_ = 0;
};

// What an average may be off whose contributions are scaled and rounded first.
double Tolerance(const Request& request, int ranks) {
  if (request.op != ReduceOp::kAvg || !Reduces(request.collective) ||
      !AveragesByFactor(request.type)) {
    return 0;
  }
  const double unit = WithType(request.type, [](auto element) {
    for (double u = 0.5;; u /= 2) {
      if (ToDouble(FromDouble<decltype(element)>(1 + u)) == 1) return u;
    }
  });
  return 3 * (ranks + 1) * unit;
}

template <typename T>
bool Same(T a, T b) {
  // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): the same bits, of -0 and NaN too.
  return std::memcmp(&a, &b, sizeof a) == 0;
}

uint64_t Elements(Collective c, BlockWindow window, uint64_t count) {
  return CountIsPerRank(c) ? count * window.blocks : window.blocks > 0 ? count : 0;
}

ProgramInfo Whole(Collective collective, int ranks, int root) {
  ProgramInfo info;
  info.collective = collective;
  info.ranks = ranks;
  info.root = root;
  info.space = ChunkSpace::Split(static_cast<uint32_t>(ranks));
  return info;
}

}  // namespace

std::shared_ptr<const Blocks> BlocksFor(Collective c, uint64_t count, int ranks, int root, int rank) {
  if (!HasCounts(c)) return nullptr;
  const auto length = [&](int from, int to) {
    const int turn = c == Collective::kAllToAllV ? from + 2 * to : to;
    return count * static_cast<uint64_t>(1 + turn % 3) / 2;
  };
  const auto all = [&](auto of) {
    std::vector<uint64_t> counts(static_cast<size_t>(ranks));
    for (int r = 0; r < ranks; ++r) counts[static_cast<size_t>(r)] = of(r);
    return BlockList::Dense(std::move(counts));
  };
  const auto to_each = [&](int r) { return length(rank, r); };
  const auto from_each = [&](int r) { return c == Collective::kAllToAllV ? length(r, rank) : length(rank, r); };
  auto blocks = std::make_shared<Blocks>();
  const BlockList own = BlockList::Dense({length(rank, rank)});
  switch (c) {
    case Collective::kAllToAllV:
      blocks->in = all(to_each);
      blocks->out = all(from_each);
      break;
    case Collective::kReduceScatterV:
    case Collective::kScatterV:
      if (c == Collective::kReduceScatterV || rank == root) blocks->in = all(to_each);
      blocks->out = own;
      break;
    default:
      blocks->in = own;
      if (c == Collective::kAllGatherV || rank == root) blocks->out = all(from_each);
  }
  return blocks;
}

uint64_t InputElements(Collective c, uint64_t count, int ranks, int root, int rank) {
  if (HasCounts(c)) return BlocksFor(c, count, ranks, root, rank)->in.Total();
  return Elements(c, InputWindow(Whole(c, ranks, root), rank), count);
}
uint64_t OutputElements(Collective c, uint64_t count, int ranks, int root, int rank) {
  if (HasCounts(c)) return BlocksFor(c, count, ranks, root, rank)->out.Total();
  return Elements(c, OutputWindow(Whole(c, ranks, root), rank), count);
}

void FillInput(const Request& request, int ranks, int rank, void* data) {
  const uint64_t n =
      InputElements(request.collective, request.count, ranks, request.root, rank);
  WithType(request.type, [&](auto zero) {
    using T = decltype(zero);
    T* values = static_cast<T*>(data);
    for (uint64_t i = 0; i < n; ++i) {
      values[i] = FromDouble<T>(static_cast<double>(Value(request.type, request.op, ranks, rank, i)));
    }
  });
}

uint64_t CountWrong(const Request& request, int ranks, int rank, const void* data) {
  const uint64_t n =
      OutputElements(request.collective, request.count, ranks, request.root, rank);
  const Expected expected(request, ranks);
  const double tolerance = Tolerance(request, ranks);
  uint64_t wrong = 0;
  WithType(request.type, [&](auto zero) {
    using T = decltype(zero);
    const T* values = static_cast<const T*>(data);
    for (uint64_t i = 0; i < n; ++i) {
      const double wanted = expected.At(rank, i);
      if (tolerance == 0) {
        if (!Same(values[i], FromDouble<T>(wanted))) ++wrong;
      } else if (!(std::abs(ToDouble(values[i]) - wanted) <= tolerance)) ++wrong;
    }
  });
  return wrong;
}

}  // namespace ccl
