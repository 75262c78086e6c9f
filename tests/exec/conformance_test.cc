// Every collective by every algorithm against a slow reference, on real bytes of an emulated world.
// Values are small integers, exact in every type, so that results do not depend on the order.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "ccl/backend/compute.h"
#include "ccl/base/elements.h"
#include "tests/exec/world.h"

namespace ccl {
namespace {

using Bytes = std::vector<char>;

double Load(DataType type, const Bytes& bytes, size_t i) {
  return WithType(type, [&](auto element) {
    std::memcpy(&element, bytes.data() + i * sizeof element, sizeof element);
    return ToDouble(element);
  });
}

void Store(DataType type, Bytes& bytes, size_t i, double value) {
  WithType(type, [&](auto element) {
    element = FromDouble<decltype(element)>(value);
    std::memcpy(bytes.data() + i * sizeof element, &element, sizeof element);
  });
}

// What rank `rank` contributes as element `i` of its input. Products stay small: mostly ones. What
// has 3 bits of mantissa sums zeros and ones.
double Input(DataType type, ReduceOp op, int rank, size_t i) {
  if (op == ReduceOp::kProd) return (rank * 7 + i * 3) % 11 == 0 ? 2 : 1;
  if (SizeOf(type) == 1 && !IsInteger(type)) return static_cast<double>((rank + i) % 2);
  return static_cast<double>((rank * 5 + i * 3 + (i >> 3)) % 4);
}

struct Case {
  Collective collective;
  int ranks;
  int root;
  uint64_t count;
  DataType type;
  ReduceOp op;
  bool in_place;
};

class Conformance {
 public:
  Conformance(World& world, const Case& c) : world_(world), c_(c) {}

  void Run(const std::shared_ptr<const Program>& program) {
    const int n = c_.ranks;
    const size_t size = SizeOf(c_.type);
    std::vector<Bytes> in(n), out(n);
    std::vector<Request> requests(n);
    const ProgramInfo& info = program->info();
    for (int r = 0; r < n; ++r) {
      const size_t in_elements = Elements(InputWindow(info, r));
      const size_t out_elements = Elements(OutputWindow(info, r));
      in[r].resize(in_elements * size);
      out[r].assign(out_elements * size, 0x5a);
      for (size_t i = 0; i < in_elements; ++i) Store(c_.type, in[r], i, Input(c_.type, c_.op, r, i));
      requests[r] = {c_.collective, c_.type, c_.op, c_.count, c_.root, in[r].data(), out[r].data()};
      if (c_.in_place) Alias(r, in[r], out[r], requests[r]);
    }
    world_.Run(program, requests);
    ASSERT_TRUE(world_.status.ok());
    for (int r = 0; r < n; ++r) {
      const Bytes& bytes = c_.in_place && InIsLarger() ? in[r] : out[r];
      const size_t first = c_.in_place && c_.collective == Collective::kReduceScatter
                               ? r * c_.count
                               : 0;
      const size_t elements = Elements(OutputWindow(info, r));
      for (size_t i = 0; i < elements; ++i) {
        ASSERT_NEAR(Load(c_.type, bytes, first + i), Expected(r, i), Tolerance())
            << info.name << " " << Name(c_.collective) << " n=" << n << " root=" << c_.root
            << " count=" << c_.count << " " << Name(c_.type) << " " << Name(c_.op)
            << (c_.in_place ? " in place" : "") << " rank " << r << " element " << i;
      }
      if (!c_.in_place) {
        for (size_t i = 0; i < in[r].size() / size; ++i) {
          ASSERT_EQ(Load(c_.type, in[r], i), Input(c_.type, c_.op, r, i)) << info.name << ": input changed";
        }
      }
    }
  }

 private:
  size_t Elements(BlockWindow window) const {
    if (window.blocks == 0) return 0;
    return CountIsPerRank(c_.collective)
               ? (window.blocks == 1 && c_.ranks > 1 ? c_.count : c_.count * c_.ranks)
               : c_.count;
  }
  bool InIsLarger() const { return c_.collective == Collective::kReduceScatter; }

  // The in-place forms of NCCL: the smaller buffer lies inside the larger one.
  void Alias(int r, Bytes& in, Bytes& out, Request& request) {
    const size_t block = r * c_.count * SizeOf(c_.type);
    switch (c_.collective) {
      case Collective::kReduceScatter:
        request.out = in.data() + block;
        break;
      case Collective::kAllGather:
        std::copy(in.begin(), in.end(), out.begin() + static_cast<ptrdiff_t>(block));
        request.in = out.data() + block;
        break;
      default:  // allreduce, broadcast, reduce where the rank has both
        if (in.size() != out.size()) break;
        out = in;
        request.in = out.data();
        request.out = out.data();
    }
  }

  // Of all ranks, or the first of them.
  double Reduced(size_t i) const { return Reduced(i, c_.ranks); }
  double Reduced(size_t i, int ranks) const {
    double value = Input(c_.type, c_.op, 0, i);
    for (int r = 1; r < ranks; ++r) {
      const double next = Input(c_.type, c_.op, r, i);
      switch (c_.op) {
        case ReduceOp::kProd: value *= next; break;
        case ReduceOp::kMax: value = std::max(value, next); break;
        case ReduceOp::kMin: value = std::min(value, next); break;
        case ReduceOp::kBand: value = Integer(value) & Integer(next); break;
        case ReduceOp::kBor: value = Integer(value) | Integer(next); break;
        case ReduceOp::kBxor: value = Integer(value) ^ Integer(next); break;
        default: value += next;
      }
    }
    if (c_.op != ReduceOp::kAvg) return value;
    Bytes one(SizeOf(c_.type));
    Store(c_.type, one, 0, IsInteger(c_.type) ? std::trunc(value / c_.ranks)
                                                       : Quotient(value));
    return Load(c_.type, one, 0);
  }
  static int Integer(double value) { return static_cast<int>(value); }
  // Of an average whose contributions are scaled and rounded first: a rounding for each and for each
  // addition, of values up to the largest input.
  double Tolerance() const {
    if (c_.op != ReduceOp::kAvg || !Reduces(c_.collective) || !AveragesByFactor(c_.type)) return 0;
    const double unit = c_.type == DataType::kFloat16      ? 0x1p-11
                        : c_.type == DataType::kFloat8E4M3 ? 0x1p-4
                                                           : 0x1p-3;
    return 3 * (c_.ranks + 1) * unit;
  }
  double Quotient(double value) const {
    if (c_.type == DataType::kFloat64) return value / c_.ranks;
    return static_cast<float>(value) / static_cast<float>(c_.ranks);
  }

  double Expected(int rank, size_t i) const {
    switch (c_.collective) {
      case Collective::kAllReduce:
      case Collective::kReduce:
        return Reduced(i);
      case Collective::kScan:
        return Reduced(i, rank + 1);
      case Collective::kExscan:
        return Reduced(i, rank);
      case Collective::kReduceScatter:
        return Reduced(rank * c_.count + i);
      case Collective::kBroadcast:
        return Input(c_.type, c_.op, c_.root, i);
      case Collective::kScatter:
        return Input(c_.type, c_.op, c_.root, rank * c_.count + i);
      case Collective::kAllGather:
      case Collective::kGather:
        return Input(c_.type, c_.op, static_cast<int>(i / c_.count), i % c_.count);
      case Collective::kAllToAll:
        return Input(c_.type, c_.op, static_cast<int>(i / c_.count), rank * c_.count + i % c_.count);
      default:
        return 0;
    }
  }

  World& world_;
  const Case c_;
};

bool MayBeInPlace(Collective c) {
  return c != Collective::kAllToAll && c != Collective::kGather && c != Collective::kScatter;
}

std::vector<AlgorithmSpec> Specs(const Shape& shape, bool sliced) {
  std::vector<AlgorithmSpec> specs = Candidates(shape);
  if (sliced) {
    const size_t n = specs.size();
    for (size_t i = 0; i < n; ++i) {
      specs.push_back(specs[i]);
      specs.back().slices = 3;
    }
  }
  return specs;
}

void RunAll(World& world, const Case& c, const std::vector<Grouping>& groupings, bool sliced,
            bool lower = true) {
  Shape shape{c.collective, c.ranks, c.root, 0, groupings};
  for (const AlgorithmSpec& spec : Specs(shape, sliced)) {
    auto program = BuildProgram(spec, shape, lower);
    ASSERT_TRUE(program.ok()) << program.status();
    if (!lower && (*program)->info().rank_groups == 0) continue;
    Conformance(world, c).Run(*program);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(Conformance, EveryAlgorithmAtSmallRanksAndCounts) {
  for (int n = 1; n <= 5; ++n) {
    World world(Crossbar(n));
    std::vector<std::vector<Grouping>> groupings = {{}};
    if (n >= 3) groupings.push_back({Grouping::Uniform(n, 2)});
    for (int k = 0; k < kCollectives; ++k) {
      const Collective collective = static_cast<Collective>(k);
      if (HasCounts(collective)) continue;  // tests/exec/uneven_test.cc
      for (int root : {0, n - 1}) {
        if (root > 0 && !HasRoot(collective)) continue;
        for (uint64_t count : {0, 1, 2, 3, 5, 7, 16, 17}) {
          for (bool in_place : {false, true}) {
            if (in_place && !MayBeInPlace(collective)) continue;
            for (const auto& grouping : groupings) {
              RunAll(world, {collective, n, root, count, DataType::kFloat32, ReduceOp::kSum, in_place},
                     grouping, true);
              if (HasFatalFailure()) return;
            }
          }
        }
      }
    }
  }
}

TEST(Conformance, EveryTypeAndOperation) {
  for (int n : {1, 2, 3, 5}) {
    World world(Crossbar(n));
    for (Collective collective : {Collective::kAllReduce, Collective::kReduceScatter,
                                  Collective::kReduce, Collective::kScan, Collective::kExscan}) {
      for (int type = 0; type < kDataTypes; ++type) {
        for (int op = 0; op < kReduceOps; ++op) {
          if (!Combines(static_cast<ReduceOp>(op), static_cast<DataType>(type))) continue;
          for (bool in_place : {false, true}) {
            RunAll(world, {collective, n, n - 1, 9, static_cast<DataType>(type),
                           static_cast<ReduceOp>(op), in_place},
                   {}, false);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

// The same results when the switches of the fabric reduce and replicate.
TEST(Conformance, GroupOperationsOfTheFabric) {
  for (int n : {2, 3, 5, 8}) {
    World world(Crossbar(n, "&set=switch.group_efficiency=0.5"));
    std::vector<std::vector<Grouping>> groupings = {{}};
    if (n >= 5) groupings.push_back({Grouping::Uniform(n, 2)});
    for (int k = 0; k < kCollectives; ++k) {
      const Collective collective = static_cast<Collective>(k);
      if (HasCounts(collective)) continue;  // tests/exec/uneven_test.cc
      for (ReduceOp op : {ReduceOp::kSum, ReduceOp::kAvg, ReduceOp::kMax}) {
        if (op != ReduceOp::kSum && !Reduces(collective)) continue;
        for (uint64_t count : {0, 1, 7, 100}) {
          for (bool in_place : {false, true}) {
            if (in_place && !MayBeInPlace(collective)) continue;
            for (const auto& grouping : groupings) {
              RunAll(world, {collective, n, 0, count, DataType::kFloat16, op, in_place}, grouping,
                     true, false);
              if (HasFatalFailure()) return;
            }
          }
        }
      }
    }
  }
}

TEST(Conformance, AwkwardRanksAndCountsUnevenGroups) {
  for (int n : {7, 8, 13, 16, 17}) {
    World world(Crossbar(n));
    const std::vector<std::vector<Grouping>> groupings = {
        {Grouping::Uniform(n, 4)}, {Grouping{{0, 1, 4, n}}}, {Grouping::Uniform(n, n)},
        {Grouping::Uniform(n, 1)}};
    int turn = 0;
    for (int k = 0; k < kCollectives; ++k) {
      const Collective collective = static_cast<Collective>(k);
      if (HasCounts(collective)) continue;  // tests/exec/uneven_test.cc
      for (int root : {0, 1, n - 1}) {
        if (root > 0 && !HasRoot(collective)) continue;
        for (uint64_t count : {n - 1, n, n + 1, 1009}) {
          const bool in_place = MayBeInPlace(collective) && turn % 2 == 1;
          const DataType type = turn % 3 == 0 ? DataType::kInt64 : DataType::kFloat32;
          RunAll(world, {collective, n, root, count, type, ReduceOp::kSum, in_place},
                 groupings[turn++ % groupings.size()], true);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(Conformance, ThreeLevels) {
  const int n = 24;
  World world(Crossbar(n));
  const std::vector<Grouping> nested = {Grouping::Uniform(n, 4), Grouping::Uniform(n, 12)};
  for (Collective collective : {Collective::kAllReduce, Collective::kReduceScatter,
                                Collective::kAllGather, Collective::kAllToAll}) {
    const char* text = collective == Collective::kAllReduce  ? "hier(two_shot+ring+nhr)*2"
                       : collective == Collective::kAllToAll ? "hier(direct+pairwise+bruck)"
                                                             : "hier(direct+ring+nhr)*2";
    auto program = BuildProgram(*ParseAlgorithm(text), Shape{collective, n, 0, 0, nested}, true);
    ASSERT_TRUE(program.ok()) << program.status();
    Conformance(world, {collective, n, 0, 101, DataType::kFloat32, ReduceOp::kSum, false})
        .Run(*program);
  }
}

}  // namespace
}  // namespace ccl
