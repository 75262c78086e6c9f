// Every kernel, with every set of instructions that this processor has, against the scalar code that says
// what it means: bit by bit.
#include "ccl/backend/kernels/kernels.h"

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccl/backend/kernels/scalar.h"
#include "ccl/backend/kernels/targets.h"
#include "ccl/base/elements.h"
#include "gtest/gtest.h"
#include "hwy/targets.h"

namespace ccl::kernels {
namespace {

template <typename T>
FoldKernel ReferenceOf(ReduceOp op) {
  switch (op) {
    case ReduceOp::kProd: return scalar::Fold<T, Prod>;
    case ReduceOp::kMax: return scalar::Fold<T, Max>;
    case ReduceOp::kMin: return scalar::Fold<T, Min>;
    case ReduceOp::kSum:
    case ReduceOp::kAvg: return scalar::Fold<T, Sum>;
    default: break;
  }
  if constexpr (std::is_integral_v<T>) {
    if (op == ReduceOp::kBand) return scalar::Fold<T, Band>;
    if (op == ReduceOp::kBor) return scalar::Fold<T, Bor>;
    if (op == ReduceOp::kBxor) return scalar::Fold<T, Bxor>;
  }
  return nullptr;
}

// Numbers of all kinds: of floats, every exponent and sign, both zeros, infinities, NaNs, subnormals.
std::vector<uint8_t> AllKinds(size_t bytes, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> data(bytes);
  // Long ones repeat themselves, at a length that is no multiple of anything.
  constexpr size_t kPeriod = 65521;
  for (size_t i = 0; i < bytes; ++i) {
    if (i >= kPeriod) {
      data[i] = data[i - kPeriod];
      continue;
    }
    const uint32_t draw = random();
    data[i] = (draw & 0x300) == 0 ? 0 : (draw & 0x300) == 0x100 ? 0xff : static_cast<uint8_t>(draw);
  }
  return data;
}

template <typename T>
bool IsNan(const T& value) {
  if constexpr (std::is_integral_v<T>) return false;
  return std::isnan(static_cast<double>(static_cast<Accumulator<T>>(value)));
}

// Which of two NaNs a sum or a product is, and the sign of one that comes of none, is not said.
template <typename T>
bool Same(const T& a, const T& b, ReduceOp op) {
  if (std::memcmp(&a, &b, sizeof(T)) == 0) return true;
  return op != ReduceOp::kMax && op != ReduceOp::kMin && IsNan(a) && IsNan(b);
}

class Kernels : public testing::TestWithParam<int64_t> {
 protected:
  Kernels() {
    hwy::SetSupportedTargetsForTest(GetParam());
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    table_ = MakeTable();
  }
  ~Kernels() override {
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
  const Row& RowFor(DataType type) const { return table_[static_cast<size_t>(type)]; }

  // Folds `k` operands of `count` elements that begin `shift` elements behind aligned memory, into
  // memory of its own (into < 0) or into operand `into`.
  template <typename T>
  void CheckFold(DataType type, ReduceOp op, size_t k, size_t count, size_t shift, int into) {
    constexpr size_t kGuard = 64;
    const size_t bytes = count * sizeof(T), begin = kGuard + shift * sizeof(T);
    std::vector<std::vector<uint8_t>> memory;
    std::vector<const void*> operands;
    for (size_t i = 0; i < k + 1; ++i) {
      memory.push_back(AllKinds(begin + bytes + kGuard, static_cast<uint32_t>(1000 * k + 10 * count + i)));
    }
    for (size_t i = 0; i < k; ++i) operands.push_back(memory[i].data() + begin);
    std::vector<T> expected(count);
    ReferenceOf<T>(op)(expected.data(), operands, count);
    std::vector<uint8_t>& result = memory[into < 0 ? k : static_cast<size_t>(into)];
    const std::vector<uint8_t> before = result;
    RowFor(type).folds[static_cast<size_t>(op)](result.data() + begin, operands, count);
    const std::string what =
        absl::StrCat(Name(type), " ", Name(op), " of ", k, " x ", count, " shift ", shift, " into ", into);
    for (size_t i = 0; i < count; ++i) {
      T got;
      std::memcpy(&got, result.data() + begin + i * sizeof(T), sizeof(T));
      ASSERT_TRUE(Same(got, expected[i], op)) << what << ": element " << i;
    }
    ASSERT_EQ(std::memcmp(result.data(), before.data(), begin), 0) << what << ": wrote in front";
    ASSERT_EQ(std::memcmp(result.data() + begin + bytes, before.data() + begin + bytes, kGuard), 0)
        << what << ": wrote behind";
  }

  template <typename F>
  void ForEveryOp(F f) {
    for (int t = 0; t < kDataTypes; ++t) {
      const DataType type = static_cast<DataType>(t);
      for (int o = 0; o < kReduceOps; ++o) {
        const ReduceOp op = static_cast<ReduceOp>(o);
        if (!Combines(op, type)) continue;
        WithType(type, [&](auto zero) { f(type, op, zero); });
        if (HasFatalFailure()) return;
      }
    }
  }

  Table table_;
};

TEST_P(Kernels, FoldAnyNumberOfElementsAndOperands) {
  ForEveryOp([&](DataType type, ReduceOp op, auto zero) {
    for (size_t count = 0; count < 70 && !HasFatalFailure(); ++count) {
      CheckFold<decltype(zero)>(type, op, 2, count, count % 5, -1);
    }
    for (size_t k : {1, 2, 3, 4, 5, 8, 17}) {
      for (size_t count : {1, 67, 300, 1031}) {
        if (HasFatalFailure()) return;
        CheckFold<decltype(zero)>(type, op, k, count, k % 3, -1);
      }
    }
  });
}

TEST_P(Kernels, FoldIntoAnOperand) {
  ForEveryOp([&](DataType type, ReduceOp op, auto zero) {
    for (size_t k : {2, 3, 8}) {
      for (size_t into = 0; into < k && !HasFatalFailure(); ++into) {
        CheckFold<decltype(zero)>(type, op, k, 531, 1, static_cast<int>(into));
      }
    }
  });
}

// Past the cache, from and to memory that is aligned to elements alone.
TEST_P(Kernels, FoldWhatIsTooLargeForTheCache) {
  for (DataType type : {DataType::kInt8, DataType::kFloat16, DataType::kFloat32, DataType::kFloat64}) {
    WithType(type, [&](auto zero) {
      using T = decltype(zero);
      for (size_t shift : {0, 1, 3}) {
        CheckFold<T>(type, ReduceOp::kMax, 3, kCacheBytes / 4 / sizeof(T) + 77, shift, -1);
        CheckFold<T>(type, ReduceOp::kMax, 3, kCacheBytes / 4 / sizeof(T) + 77, shift, 1);
      }
    });
    if (HasFatalFailure()) return;
  }
  // Elements that are not aligned to their own size.
  const size_t count = kCacheBytes / 4 / sizeof(double) + 9;
  std::vector<uint8_t> in(count * sizeof(double) + 4), out(in.size());
  in = AllKinds(in.size(), 5);
  const std::vector<const void*> operands(3, in.data() + 3);
  RowFor(DataType::kFloat64).folds[static_cast<size_t>(ReduceOp::kMin)](out.data() + 3, operands, count);
  EXPECT_EQ(std::memcmp(in.data() + 3, out.data() + 3, count * sizeof(double)), 0);
}

TEST_P(Kernels, FoldEveryPairOfFloat8) {
  std::vector<uint8_t> a(65536), b(65536);
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = static_cast<uint8_t>(i);
    b[i] = static_cast<uint8_t>(i >> 8);
  }
  const std::vector<const void*> operands = {a.data(), b.data()};
  for (DataType type : {DataType::kFloat8E4M3, DataType::kFloat8E5M2}) {
    for (ReduceOp op : {ReduceOp::kSum, ReduceOp::kProd, ReduceOp::kMax, ReduceOp::kMin}) {
      WithType(type, [&](auto zero) {
        using T = decltype(zero);
        if constexpr (sizeof(T) == 1) {
          std::vector<T> expected(a.size()), got(a.size());
          ReferenceOf<T>(op)(expected.data(), operands, a.size());
          RowFor(type).folds[static_cast<size_t>(op)](got.data(), operands, a.size());
          for (size_t i = 0; i < a.size(); ++i) {
            ASSERT_TRUE(Same(got[i], expected[i], op))
                << Name(type) << " " << Name(op) << " of " << +a[i] << " and " << +b[i];
          }
        }
      });
    }
  }
}

// All 65,536 numbers: alone, which converts there and back, and with others, which rounds.
TEST_P(Kernels, FoldEveryNumberOf16Bits) {
  std::vector<uint16_t> all(65536), other(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  for (DataType type : {DataType::kFloat16, DataType::kBfloat16}) {
    const auto check = [&](ReduceOp op, const std::vector<const void*>& operands, uint32_t with) {
      WithType(type, [&](auto zero) {
        using T = decltype(zero);
        std::vector<T> expected(all.size()), got(all.size());
        if constexpr (sizeof(T) == 2) {
          ReferenceOf<T>(op)(expected.data(), operands, all.size());
          RowFor(type).folds[static_cast<size_t>(op)](got.data(), operands, all.size());
          for (size_t i = 0; i < all.size(); ++i) {
            ASSERT_TRUE(Same(got[i], expected[i], op))
                << Name(type) << " " << Name(op) << " of " << all[i] << " and " << with;
          }
        }
      });
    };
    check(ReduceOp::kMax, {all.data()}, 0);
    for (uint32_t with = 0; with < 65536; with += 257) {
      std::fill(other.begin(), other.end(), static_cast<uint16_t>(with));
      for (ReduceOp op : {ReduceOp::kSum, ReduceOp::kProd, ReduceOp::kMin}) {
        check(op, {all.data(), other.data()}, with);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// A NaN among numbers is the result's, bit by bit where the format holds its bits.
TEST_P(Kernels, KeepTheOnlyNan) {
  for (DataType type : {DataType::kFloat16, DataType::kBfloat16, DataType::kFloat32, DataType::kFloat64,
                        DataType::kFloat8E4M3, DataType::kFloat8E5M2}) {
    WithType(type, [&](auto zero) {
      using T = decltype(zero);
      std::vector<T> ones(64, FromDouble<T>(1)), nans(64), expected(64), got(64);
      std::vector<uint8_t> bits(64 * sizeof(T), 0xff);
      std::memcpy(nans.data(), bits.data(), bits.size());
      for (const std::vector<const void*>& operands :
           {std::vector<const void*>{nans.data(), ones.data()}, {ones.data(), nans.data()}}) {
        for (ReduceOp op : {ReduceOp::kSum, ReduceOp::kProd, ReduceOp::kMax, ReduceOp::kMin}) {
          ReferenceOf<T>(op)(expected.data(), operands, 64);
          RowFor(type).folds[static_cast<size_t>(op)](got.data(), operands, 64);
          EXPECT_TRUE(IsNan(got[63]));
          EXPECT_EQ(std::memcmp(got.data(), expected.data(), bits.size()), 0) << Name(type) << Name(op);
        }
      }
    });
  }
}

TEST_P(Kernels, ScaleAndDivide) {
  for (int t = 0; t < kDataTypes; ++t) {
    const DataType type = static_cast<DataType>(t);
    WithType(type, [&](auto zero) {
      using T = decltype(zero);
      for (size_t count : {0, 1, 63, 64, 333, 1031}) {
        const std::vector<uint8_t> bytes = AllKinds(count * sizeof(T), static_cast<uint32_t>(count + 1));
        std::vector<T> in(count), expected(count), got(count);
        if (count > 0) std::memcpy(in.data(), bytes.data(), bytes.size());
        Factor factor;
        factor.real = 1.0 / 3;
        factor.integer = static_cast<uint64_t>(-7);
        scalar::Scale<T>(expected.data(), in.data(), count, factor);
        RowFor(type).scale(got.data(), in.data(), count, factor);
        for (size_t i = 0; i < count; ++i) {
          ASSERT_TRUE(Same(got[i], expected[i], ReduceOp::kProd)) << Name(type) << " times, " << i;
        }
        got = in;
        RowFor(type).scale(got.data(), got.data(), count, factor);
        for (size_t i = 0; i < count; ++i) ASSERT_TRUE(Same(got[i], expected[i], ReduceOp::kProd));
        expected = got = in;
        scalar::Divide<T>(expected.data(), count, 384);
        RowFor(type).divide(got.data(), count, 384);
        for (size_t i = 0; i < count; ++i) {
          ASSERT_TRUE(Same(got[i], expected[i], ReduceOp::kProd)) << Name(type) << " divided, " << i;
        }
      }
    });
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Kernels, testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& info) { return std::string(hwy::TargetName(info.param)); });

}  // namespace
}  // namespace ccl::kernels
