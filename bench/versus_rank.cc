#include "bench/versus_rank.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/c_calls.h"
#include "bench/pattern.h"
#include "ccl/base/status.h"

namespace ccl {
namespace {

// Of one kind.
class Memory {
 public:
  Memory() = default;
  ~Memory() {
    if (allocated_) {
      cclMemFree(data_);
    } else {
      std::free(data_);
    }
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  absl::Status Take(size_t bytes, bool allocated) {
    const size_t size = (std::max<size_t>(bytes, 64) + 63) / 64 * 64;
    allocated_ = allocated;
    if (allocated) {
      CCL_RETURN_IF_ERROR(ToStatus(cclMemAlloc(&data_, size)));
    } else {
      data_ = std::aligned_alloc(64, size);
      if (data_ == nullptr) return absl::ResourceExhaustedError("no memory for the buffers");
    }
    std::memset(data_, 1, size);
    return absl::OkStatus();
  }
  float* data() const { return static_cast<float*>(data_); }

 private:
  bool allocated_ = false;
  void* data_ = nullptr;
};

}  // namespace

VersusCall CallsOf(cclComm_t comm, const std::string& algorithm) {
  return [comm, algorithm](const mpi::Call& call) {
    cclCallConfig_t config = CCL_CALL_CONFIG_INITIALIZER;
    config.algorithm = algorithm.c_str();
    config.forceAlgorithm = 1;
    const cclCallConfig_t* with = algorithm.empty() ? nullptr : &config;
    const void* const in = call.in;
    void* const out = call.out;
    const size_t count = call.count;
    cclResult_t result = cclInvalidArgument;
    switch (call.collective) {
      case Collective::kAllReduce:
        result = cclAllReduceConfig(in, out, count, cclFloat, cclSum, comm, nullptr, with);
        break;
      case Collective::kReduce:
        result = cclReduceConfig(in, out, count, cclFloat, cclSum, call.root, comm, nullptr, with);
        break;
      case Collective::kReduceScatter:
        result = cclReduceScatterConfig(in, out, count, cclFloat, cclSum, comm, nullptr, with);
        break;
      case Collective::kAllGather:
        result = cclAllGatherConfig(in, out, count, cclFloat, comm, nullptr, with);
        break;
      case Collective::kAllToAll:
        result = cclAlltoAllConfig(in, out, count, cclFloat, comm, nullptr, with);
        break;
      case Collective::kBroadcast:
        result = cclBroadcastConfig(in, out, count, cclFloat, call.root, comm, nullptr, with);
        break;
      case Collective::kGather:
        result = cclGatherConfig(in, out, count, cclFloat, call.root, comm, nullptr, with);
        break;
      case Collective::kScatter:
        result = cclScatterConfig(in, out, count, cclFloat, call.root, comm, nullptr, with);
        break;
      case Collective::kBarrier:
        result = cclBarrierConfig(comm, nullptr, with);
        break;
      default:
        return absl::UnimplementedError(absl::StrCat("versus does not compare ", Name(call.collective)));
    }
    if (result == cclSuccess) result = cclCommSynchronize(comm);
    return ToStatus(result);
  };
}

struct VersusRank::Buffers {
  Memory in, out;
  size_t in_floats = 0, out_floats = 0;
};

VersusRank::VersusRank(const VersusWork& work, int rank)
    : work_(work), rank_(rank), buffers_(std::make_unique<Buffers>()) {}
VersusRank::~VersusRank() = default;

absl::StatusOr<std::unique_ptr<VersusRank>> VersusRank::Make(const VersusWork& work, int rank) {
  std::unique_ptr<VersusRank> made(new VersusRank(work, rank));
  Buffers& b = *made->buffers_;
  b.in_floats = InputElements(work.collective, work.count, work.ranks, work.root, rank);
  b.out_floats = OutputElements(work.collective, work.count, work.ranks, work.root, rank);
  CCL_RETURN_IF_ERROR(b.in.Take(b.in_floats * sizeof(float), work.allocated));
  CCL_RETURN_IF_ERROR(b.out.Take(b.out_floats * sizeof(float), work.allocated));
  return made;
}

absl::StatusOr<double> VersusRank::Batch(const VersusCall& call, int calls, bool other) {
  const Buffers& b = *buffers_;
  float* const in = b.in.data();
  float* const out = b.out.data();
  const mpi::Call what{work_.collective, work_.count, work_.root, in, out, other};
  const double begin = Seconds();
  for (int i = 0; i < calls; ++i) {
    if (!work_.untouched) {
      const float value = static_cast<float>(rank_ + i % 8);
      for (size_t k = 0; k < b.in_floats; ++k) in[k] = value;
    }
    CCL_RETURN_IF_ERROR(call(what));
    if (!work_.untouched) {
      float sum[16] = {};
      size_t k = 0;
      for (; k + 16 <= b.out_floats; k += 16) {
        for (size_t j = 0; j < 16; ++j) sum[j] += out[k + j];
      }
      for (; k < b.out_floats; ++k) sum[0] += out[k];
      for (float s : sum) read_ = read_ + s;
    }
  }
  return Seconds() - begin;
}

absl::StatusOr<int64_t> VersusRank::Verify(const VersusCall& call, bool one_buffer) {
  const Buffers& b = *buffers_;
  const Request request{work_.collective, DataType::kFloat32, ReduceOp::kSum, work_.count, work_.root};
  FillInput(request, work_.ranks, rank_, b.in.data());
  if (b.out_floats > 0) std::memset(b.out.data(), 0x5a, b.out_floats * sizeof(float));
  CCL_RETURN_IF_ERROR(call({work_.collective, work_.count, work_.root, b.in.data(), b.out.data(), false}));
  const bool same = one_buffer && work_.collective == Collective::kBroadcast && rank_ == work_.root;
  return CountWrong(request, work_.ranks, rank_, same ? b.in.data() : b.out.data());
}

}  // namespace ccl
