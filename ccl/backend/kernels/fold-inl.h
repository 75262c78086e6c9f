// The loops over vectors, and the table rows made of them. Included once for every target.
//
// Every loop has the same shape: some vectors of the first operand are decoded into registers, the other
// operands are folded into them there, and the result is encoded and stored: each byte is read once and
// written once. What is left at the end, less than a vector, is done in a masked or copied vector.
#if defined(CCL_BACKEND_KERNELS_FOLD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CCL_BACKEND_KERNELS_FOLD_INL_H_
#undef CCL_BACKEND_KERNELS_FOLD_INL_H_
#else
#define CCL_BACKEND_KERNELS_FOLD_INL_H_
#endif

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "ccl/backend/kernels/combine-inl.h"
#include "ccl/backend/kernels/kernels.h"
#include "ccl/backend/kernels/lanes-inl.h"
#include "ccl/backend/kernels/scalar.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ccl::kernels::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

template <typename T, class Op>
constexpr FoldKernel FoldFor() {
  return scalar::Fold<T, Op>;
}
template <typename T>
void Scale(void* dst, const void* src, size_t count, const Factor& factor) {
  scalar::Scale<T>(dst, src, count, factor);
}
template <typename T>
void Divide(void* data, size_t count, int ranks) {
  scalar::Divide<T>(data, count, ranks);
}

#else

inline constexpr size_t kVector = HWY_MAX_BYTES;

// How a loop goes to memory. What a processor fetches ahead by itself does not last when several operands
// are folded, least where folding takes instructions: so it is told.
enum class Memory { kInCache, kBeyondCache, kPastCache };
constexpr size_t kAhead = 2048, kLine = 64;
template <Memory kMemory>
HWY_INLINE void FetchAhead(const uint8_t* from, size_t bytes) {
  if constexpr (kMemory != Memory::kInCache) {
    HWY_UNROLL(8)
    for (size_t i = 0; i < bytes; i += kLine) hwy::Prefetch(from + kAhead + i);
  }
}

// `bytes` of them, less than a vector; the rest is zero.
HWY_INLINE VBytes LoadSome(const uint8_t* from, size_t bytes) {
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN uint8_t whole[kVector] = {};
  std::memcpy(whole, from, bytes);
  return hn::Load(DBytes(), whole);
#else
  return hn::MaskedLoad(hn::FirstN(DBytes(), bytes), DBytes(), from);
#endif
}
HWY_INLINE void StoreSome(VBytes value, uint8_t* to, size_t bytes) {
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN uint8_t whole[kVector];
  hn::Store(value, DBytes(), whole);
  std::memcpy(to, whole, bytes);
#else
  hn::BlendedStore(value, hn::FirstN(DBytes(), bytes), DBytes(), to);
#endif
}

template <class L, class Op>
HWY_INLINE void Into(typename L::Decoded& folded, const typename L::Decoded& next) {
  HWY_UNROLL(4)
  for (int i = 0; i < L::kParts; ++i) {
    folded.part[i] = Combine(Op(), folded.part[i], next.part[i]);
  }
}

// What is folded into the first operand: the other ones, or the same number everywhere.
template <class L, class Op>
class Others {
 public:
  explicit Others(absl::Span<const void* const> operands)
      : others_(operands.data() + 1), count_(operands.size() - 1) {}

  template <size_t kVectors, Memory kMemory>
  HWY_INLINE void Fold(typename L::Decoded* folded, size_t at) const {
    for (size_t k = 0; k < count_; ++k) {
      const uint8_t* const from = static_cast<const uint8_t*>(others_[k]) + at;
      FetchAhead<kMemory>(from, kVectors * kVector);
      HWY_UNROLL(8)
      for (size_t i = 0; i < kVectors; ++i) {
        Into<L, Op>(folded[i], L::Decode(hn::LoadU(DBytes(), from + i * kVector)));
      }
    }
  }
  HWY_INLINE void FoldSome(typename L::Decoded& folded, size_t at, size_t bytes) const {
    for (size_t k = 0; k < count_; ++k) {
      const uint8_t* const from = static_cast<const uint8_t*>(others_[k]) + at;
      Into<L, Op>(folded, L::Decode(LoadSome(from, bytes)));
    }
  }

 private:
  const void* const* const others_;
  const size_t count_;
};
template <class L, class Op>
class Number {
 public:
  explicit Number(hn::TFromD<typename L::D> number) : number_(hn::Set(typename L::D(), number)) {}

  template <size_t kVectors, Memory>
  HWY_INLINE void Fold(typename L::Decoded* folded, size_t) const {
    HWY_UNROLL(8)
    for (size_t i = 0; i < kVectors; ++i) FoldSome(folded[i], 0, kVector);
  }
  HWY_INLINE void FoldSome(typename L::Decoded& folded, size_t, size_t) const {
    HWY_UNROLL(4)
    for (int i = 0; i < L::kParts; ++i) folded.part[i] = Combine(Op(), folded.part[i], number_);
  }

 private:
  const hn::Vec<typename L::D> number_;
};

template <class L, class Rest>
class Loop {
 public:
  HWY_INLINE Loop(void* dst, const void* first, const Rest& rest)
      : dst_(static_cast<uint8_t*>(dst)), first_(static_cast<const uint8_t*>(first)), rest_(rest) {}

  // `operands` of so many bytes, elements of `element`; `apart`: the result is none of them.
  HWY_INLINE void Run(size_t bytes, size_t element, size_t operands, bool apart) const {
    size_t at = 0;
    // Stores that do not cross lines; vectors that begin within an element could not be aligned.
    const size_t head = -reinterpret_cast<uintptr_t>(dst_) % kVector;
    const bool aligned = bytes >= kLeastAligned && head % element == 0;
    if (aligned && head != 0) {
      Some(0, head);
      at = head;
    }
    if (bytes * (operands + 1) >= kCacheBytes) {
      at = aligned && apart ? Blocks<kMost, Memory::kPastCache>(at, bytes)
                            : Blocks<kMost, Memory::kBeyondCache>(at, bytes);
      hwy::FlushStream();
    }
    at = Blocks<kFew, Memory::kInCache>(at, bytes);
    at = Blocks<1, Memory::kInCache>(at, bytes);
    if (at < bytes) Some(at, bytes - at);
  }

 private:
  // Vectors of one operand at a time: what registers hold decoded; in the cache, two lines.
  static constexpr size_t kMost = L::kParts == 1 ? 4 : 2;
  static constexpr size_t kFew = 2;
  static constexpr size_t kLeastAligned = 64 * kVector;

  template <size_t kCount, Memory kMemory>
  HWY_INLINE size_t Blocks(size_t at, size_t bytes) const {
    for (; at + kCount * kVector <= bytes; at += kCount * kVector) Block<kCount, kMemory>(at);
    return at;
  }
  template <size_t kCount, Memory kMemory>
  HWY_INLINE void Block(size_t at) const {
    typename L::Decoded folded[kCount];
    FetchAhead<kMemory>(first_ + at, kCount * kVector);
    HWY_UNROLL(8)
    for (size_t i = 0; i < kCount; ++i) {
      folded[i] = L::Decode(hn::LoadU(DBytes(), first_ + at + i * kVector));
    }
    rest_.template Fold<kCount, kMemory>(folded, at);
    HWY_UNROLL(8)
    for (size_t i = 0; i < kCount; ++i) {
      uint8_t* const to = dst_ + at + i * kVector;
      if constexpr (kMemory == Memory::kPastCache) {
        hn::Stream(L::Encode(folded[i]), DBytes(), to);
      } else {
        hn::StoreU(L::Encode(folded[i]), DBytes(), to);
      }
    }
  }
  HWY_INLINE void Some(size_t at, size_t bytes) const {
    typename L::Decoded folded = L::Decode(LoadSome(first_ + at, bytes));
    rest_.FoldSome(folded, at, bytes);
    StoreSome(L::Encode(folded), dst_ + at, bytes);
  }

  uint8_t* const dst_;
  const uint8_t* const first_;
  const Rest& rest_;
};

// T: the type of the elements or another with the same effect on them, which shares the code.
template <typename T, class Op>
HWY_NOINLINE void FoldBytes(void* dst, absl::Span<const void* const> operands, size_t bytes,
                            size_t element) {
  using L = Lanes<T>;
  const Others<L, Op> others(operands);
  const bool apart = std::find(operands.begin(), operands.end(), dst) == operands.end();
  Loop<L, Others<L, Op>>(dst, operands[0], others).Run(bytes, element, operands.size(), apart);
}
template <typename T, typename Shared, class Op>
void Fold(void* dst, absl::Span<const void* const> operands, size_t count) {
  FoldBytes<Shared, Op>(dst, operands, count * sizeof(T), sizeof(T));
}

// Sums and products modulo a power of two have no sign, and bits have no type.
template <typename T, class Op>
constexpr FoldKernel FoldFor() {
  if constexpr (!std::is_integral_v<T>) {
    return Fold<T, T, Op>;
  } else if constexpr (std::is_same_v<Op, Sum> || std::is_same_v<Op, Prod>) {
    return Fold<T, std::make_unsigned_t<T>, Op>;
  } else if constexpr (std::is_same_v<Op, Max> || std::is_same_v<Op, Min>) {
    return Fold<T, T, Op>;
  } else {
    return Fold<T, uint64_t, Op>;
  }
}

template <typename T, class Op>
HWY_NOINLINE void WithNumber(void* dst, const void* src, size_t bytes,
                             hn::TFromD<typename Lanes<T>::D> number) {
  using L = Lanes<T>;
  const Number<L, Op> rest(number);
  Loop<L, Number<L, Op>>(dst, src, rest).Run(bytes, sizeof(T), 1, dst != src);
}

template <typename T>
void Scale(void* dst, const void* src, size_t count, const Factor& factor) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    WithNumber<U, Prod>(dst, src, count * sizeof(T), static_cast<U>(factor.integer));
  } else {
    WithNumber<T, Prod>(dst, src, count * sizeof(T), static_cast<Accumulator<T>>(factor.real));
  }
}
template <typename T>
void Divide(void* data, size_t count, int ranks) {
  if constexpr (std::is_integral_v<T>) {
    scalar::Divide<T>(data, count, ranks);  // no vector divides integers
  } else {
    WithNumber<T, Quotient>(data, data, count * sizeof(T), static_cast<Accumulator<T>>(ranks));
  }
}

#endif  // HWY_TARGET == HWY_SCALAR

// An average folds as a sum.
template <typename T>
Row RowOf() {
  Row row;
  row.folds[static_cast<size_t>(ReduceOp::kSum)] = FoldFor<T, Sum>();
  row.folds[static_cast<size_t>(ReduceOp::kAvg)] = FoldFor<T, Sum>();
  row.folds[static_cast<size_t>(ReduceOp::kProd)] = FoldFor<T, Prod>();
  row.folds[static_cast<size_t>(ReduceOp::kMax)] = FoldFor<T, Max>();
  row.folds[static_cast<size_t>(ReduceOp::kMin)] = FoldFor<T, Min>();
  if constexpr (std::is_integral_v<T>) {
    row.folds[static_cast<size_t>(ReduceOp::kBand)] = FoldFor<T, Band>();
    row.folds[static_cast<size_t>(ReduceOp::kBor)] = FoldFor<T, Bor>();
    row.folds[static_cast<size_t>(ReduceOp::kBxor)] = FoldFor<T, Bxor>();
  }
  row.scale = Scale<T>;
  row.divide = Divide<T>;
  return row;
}

}  // namespace ccl::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CCL_BACKEND_KERNELS_FOLD_INL_H_
