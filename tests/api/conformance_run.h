// One rank's part in a case of a collective: it makes the buffers, calls, and compares.
#ifndef TESTS_API_CONFORMANCE_RUN_H_
#define TESTS_API_CONFORMANCE_RUN_H_

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

#include "tests/api/check.h"
#include "tests/api/conformance_case.h"

namespace ccl_test {

inline void Add(const void* left, const void* right, void* result, size_t count, cclDataType_t type, void*) {
  for (size_t i = 0; i < count; ++i) {
    if (type == cclInt32) {
      static_cast<int*>(result)[i] = static_cast<const int*>(left)[i] + static_cast<const int*>(right)[i];
    } else {
      static_cast<double*>(result)[i] =
          static_cast<const double*>(left)[i] + static_cast<const double*>(right)[i];
    }
  }
}
// The contribution of the lowest rank: does not commute.
inline void First(const void* left, const void*, void* result, size_t count, cclDataType_t type, void*) {
  std::memmove(result, left, count * SizeOf(type));
}

// One rank's part in one case.
class Run {
 public:
  Run(const Case& c, int ranks, int rank, cclComm_t comm, cclStream_t stream = nullptr)
      : c_(c), ranks_(ranks), rank_(rank), comm_(comm), stream_(stream), view_(c, ranks, rank) {
    const size_t size = SizeOf(c.type);
    in_.assign(EndOf(view_.in()) * size + kGuard, kUntouched);
    out_.assign(EndOf(view_.out()) * size + kGuard, kUntouched);
    for (const Span& span : view_.in()) {
      // A block of a reduction or of what goes to a rank has its number; other inputs have none.
      const int block = view_.in().size() > 1 ? span.block : 0;
      for (size_t k = 0; k < span.length; ++k) {
        Store(c.type, in_.data() + (span.offset + k) * size, view_.Input(rank, block, k));
      }
    }
    send_ = in_.data(), receive_ = out_.data();
    if (c.in_place) Alias(size);
    before_ = in_;
  }

  void Call() {
    cclRedOp_t op = static_cast<cclRedOp_t>(c_.fold);
    if (c_.fold >= kPreMulSum) MakeFold(op);
    CHECK_CCL(Queue(op));
    if (c_.fold >= kPreMulSum) CHECK_CCL(cclRedOpDestroy(op, comm_));
  }

  // How many elements are wrong. The first is printed.
  int Wrong() const {
    const size_t size = SizeOf(c_.type);
    int wrong = 0;
    std::vector<bool> written(larger_is_in_ ? before_.size() : out_.size());
    for (const Span& span : view_.out()) {
      for (size_t k = 0; k < span.length; ++k) {
        const char* at = static_cast<const char*>(receive_) + (span.offset + k) * size;
        const double got = Load(c_.type, at), wanted = view_.Expected(span, k);
        if (!(std::abs(got - wanted) <= view_.Tolerance()) && wrong++ == 0) Say(span, k, got, wanted);
        const char* base = larger_is_in_ ? in_.data() : out_.data();
        std::fill_n(written.begin() + (at - base), size, true);
      }
    }
    if (!c_.in_place) {
      if (in_ != before_ && wrong++ == 0) Say({-1, 0, 0}, 0, 0, 0);
      for (size_t i = 0; i < out_.size(); ++i) {
        if (!written[i] && out_[i] != kUntouched && wrong++ == 0) Say({-2, i, 0}, 0, out_[i], kUntouched);
      }
    }
    return wrong;
  }

 private:
  static constexpr char kUntouched = 0x5a;
  static constexpr size_t kGuard = 16;

  // The in-place forms: the smaller buffer lies inside the larger one, or both are one.
  void Alias(size_t size) {
    if (view_.in().empty() || view_.out().empty()) return;
    if (view_.in().size() > view_.out().size()) {
      receive_ = in_.data() + view_.Own(view_.in()) * size;
      larger_is_in_ = true;
      return;
    }
    const size_t own = view_.out().size() > 1 ? view_.Own(view_.out()) * size : 0;
    std::memcpy(out_.data() + own, in_.data(), in_.size() - kGuard);
    send_ = out_.data() + own;
  }

  void MakeFold(cclRedOp_t& op) {
    if (c_.fold == kAddCallback) CHECK_CCL(cclRedOpCreate(&op, Add, nullptr, 1, comm_));
    if (c_.fold == kFirstCallback) CHECK_CCL(cclRedOpCreate(&op, First, nullptr, 0, comm_));
    if (c_.fold != kPreMulSum) return;
    char scalar[8];
    Store(c_.type, scalar, rank_ % 2 + 1);
    CHECK_CCL(cclRedOpCreatePreMulSum(&op, scalar, c_.type, cclScalarHostImmediate, comm_));
  }

  std::vector<size_t> Of(const std::vector<Span>& spans, bool lengths) const {
    std::vector<size_t> list(static_cast<size_t>(ranks_));
    for (const Span& span : spans) {
      list[static_cast<size_t>(span.block)] = lengths ? span.length : span.offset;
    }
    return list;
  }

  cclResult_t Queue(cclRedOp_t op) {
    const size_t count = c_.count;
    const int root = view_.root();
    const std::vector<size_t> sends = Of(view_.in(), true), receives = Of(view_.out(), true),
                              from = Of(view_.in(), false), to = Of(view_.out(), false);
    const size_t* sdispls = c_.apart ? from.data() : nullptr;
    const size_t* rdispls = c_.apart ? to.data() : nullptr;
    const size_t own = view_.Length(rank_, rank_);
    switch (c_.collective) {
      case cclCollAllReduce: return cclAllReduce(send_, receive_, count, c_.type, op, comm_, stream_);
      case cclCollBroadcast: return cclBroadcast(send_, receive_, count, c_.type, root, comm_, stream_);
      case cclCollReduce: return cclReduce(send_, receive_, count, c_.type, op, root, comm_, stream_);
      case cclCollAllGather: return cclAllGather(send_, receive_, count, c_.type, comm_, stream_);
      case cclCollReduceScatter:
        return cclReduceScatter(send_, receive_, count, c_.type, op, comm_, stream_);
      case cclCollAlltoAll: return cclAlltoAll(send_, receive_, count, c_.type, comm_, stream_);
      case cclCollGather: return cclGather(send_, receive_, count, c_.type, root, comm_, stream_);
      case cclCollScatter: return cclScatter(send_, receive_, count, c_.type, root, comm_, stream_);
      case cclCollBarrier: return cclBarrier(comm_, stream_);
      case cclCollScan: return cclScan(send_, receive_, count, c_.type, op, comm_, stream_);
      case cclCollExscan: return cclExscan(send_, receive_, count, c_.type, op, comm_, stream_);
      case cclCollAllGatherV:
        return cclAllGatherV(send_, own, receive_, receives.data(), rdispls, c_.type, comm_, stream_);
      case cclCollReduceScatterV:
        return cclReduceScatterV(send_, sends.data(), sdispls, receive_, own, c_.type, op, comm_, stream_);
      case cclCollAlltoAllV:
        return cclAlltoAllV(send_, sends.data(), sdispls, receive_, receives.data(), rdispls, c_.type,
                            comm_, stream_);
      case cclCollGatherV:
        return cclGatherV(send_, own, receive_, receives.data(), rdispls, c_.type, root, comm_, stream_);
      default:
        return cclScatterV(send_, sends.data(), sdispls, receive_, own, c_.type, root, comm_, stream_);
    }
  }

  void Say(const Span& span, size_t k, double got, double wanted) const {
    std::fprintf(stderr,
                 "rank %d of %d: collective %d, type %d, reduction %d, root %d, count %zu%s%s: block %d element %zu "
                 "is %g, not %g (block -1: the input has changed, -2: written beside the output)\n",
                 rank_, ranks_, c_.collective, c_.type, c_.fold, view_.root(), c_.count, c_.in_place ? ", in place" : "",
                 c_.apart ? ", apart" : "", span.block, k, got, wanted);
  }

  const Case c_;
  const int ranks_, rank_;
  const cclComm_t comm_;
  const cclStream_t stream_;
  const View view_;
  std::vector<char> in_, out_, before_;
  const void* send_ = nullptr;
  void* receive_ = nullptr;
  bool larger_is_in_ = false;
};

}  // namespace ccl_test

#endif  // TESTS_API_CONFORMANCE_RUN_H_
