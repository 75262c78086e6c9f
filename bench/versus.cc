// One launch of cclbench versus: this library and another, alternately in one process, because figures of two
// launches cannot be compared: the cores that a launch gets may share a cache or nothing, and change.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/commands.h"
#include "bench/paired.h"
#include "bench/pattern.h"
#include "bench/record.h"
#include "bench/versus.h"
#include "ccl/base/status.h"
#include "ccl/ccl.h"

namespace ccl {
namespace {

absl::Status Check(cclResult_t result) {
  if (result == cclSuccess) return absl::OkStatus();
  return absl::InternalError(cclGetLastError(nullptr));
}

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Memory of one kind.
class Buffer {
 public:
  static absl::StatusOr<std::unique_ptr<Buffer>> Of(size_t bytes, bool allocated) {
    std::unique_ptr<Buffer> buffer(new Buffer(allocated));
    if (allocated) {
      CCL_RETURN_IF_ERROR(Check(cclMemAlloc(&buffer->data_, std::max<size_t>(bytes, 64))));
    } else {
      buffer->data_ = std::aligned_alloc(64, (std::max<size_t>(bytes, 64) + 63) / 64 * 64);
      if (buffer->data_ == nullptr) return absl::ResourceExhaustedError("no memory for the buffers");
    }
    std::memset(buffer->data_, 1, bytes);
    return buffer;
  }
  ~Buffer() {
    if (allocated_) {
      cclMemFree(data_);
    } else {
      std::free(data_);
    }
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  void* data() const { return data_; }

 private:
  explicit Buffer(bool allocated) : allocated_(allocated) {}
  const bool allocated_;
  void* data_ = nullptr;
};

class Versus {
 public:
  Versus(const VersusOptions& options, const mpi::Collectives& mpi, const VersusPeer& peer)
      : o_(options), mpi_(mpi), peer_(peer), rank_(mpi.rank()), ranks_(mpi.ranks()) {}
  ~Versus() {
    if (comm_ != nullptr) cclCommDestroy(comm_);
  }
  Versus(const Versus&) = delete;
  Versus& operator=(const Versus&) = delete;

  absl::Status Open() {
    cclConfig_t config = CCL_CONFIG_INITIALIZER;
    config.backend = "mpi:";
    cclUniqueId id;
    std::memset(&id, 0, sizeof id);
    return Check(cclCommInitRankConfig(&comm_, ranks_, id, rank_, &config));
  }

  absl::StatusOr<VersusCell> Measure(Collective collective, uint64_t size) {
    VersusCell cell;
    cell.collective = collective;
    cell.ranks = ranks_;
    const uint64_t elements = std::max<uint64_t>(1, size / sizeof(float));
    count_ = CountIsPerRank(collective) ? std::max<uint64_t>(1, elements / static_cast<uint64_t>(ranks_)) : elements;
    collective_ = collective;
    cell.bytes = size;
    const size_t in = InputElements(collective, count_, ranks_, o_.root, rank_) * sizeof(float);
    const size_t out = OutputElements(collective, count_, ranks_, o_.root, rank_) * sizeof(float);
    const bool allocated = o_.buffers == "allocated";
    CCL_ASSIGN_OR_RETURN(in_, Buffer::Of(in, allocated));
    CCL_ASSIGN_OR_RETURN(out_, Buffer::Of(out, allocated));
    in_floats_ = in / sizeof(float);
    out_floats_ = out / sizeof(float);
    for (Side* side : {&peer_side_, &ccl_side_}) {
      CCL_ASSIGN_OR_RETURN(const int64_t wrong, Verify(side->ccl));
      cell.wrong += wrong;
      side->other = false;
    }
    if (collective == Collective::kReduceScatter && peer_.two_ways) CCL_RETURN_IF_ERROR(ChooseReduceScatter());
    CCL_ASSIGN_OR_RETURN(cell.ping_pong_ns, mpi_.ping_pong_ns());
    // Batches of half a millisecond are too short to be hit by what else the machine does.
    CCL_ASSIGN_OR_RETURN(double once, Batch(peer_side_, 3));
    std::vector<double> most = {once / 3};
    mpi_.most(absl::MakeSpan(most));
    const int calls = std::clamp(static_cast<int>(0.5e-3 / std::max(most[0], 1e-8)), 1, 2000);
    const int repetitions = most[0] > 0.05 ? std::max(3, o_.repetitions / 3) : o_.repetitions;
    std::vector<double> peer, ours;
    for (int i = -1; i < repetitions; ++i) {
      for (const bool ccl : {i % 2 == 0, i % 2 != 0}) {
        CCL_ASSIGN_OR_RETURN(const double taken, Batch(ccl ? ccl_side_ : peer_side_, calls));
        if (i >= 0) (ccl ? ours : peer).push_back(taken / calls);
      }
    }
    mpi_.most(absl::MakeSpan(peer));
    mpi_.most(absl::MakeSpan(ours));
    std::vector<double> ratios;
    for (size_t i = 0; i < peer.size(); ++i) ratios.push_back(peer[i] / ours[i]);
    std::sort(ratios.begin(), ratios.end());
    cell.ratio = Median(ratios);
    cell.low = ratios[ratios.size() / 4];
    cell.high = ratios[ratios.size() - 1 - ratios.size() / 4];
    cell.peer_us = Median(peer) * 1e6;
    cell.ccl_us = Median(ours) * 1e6;
    return cell;
  }

 private:
  struct Side {
    bool ccl;
    bool other = false;  // way of asking MPI
  };

  absl::Status Call(const Side& side) {
    if (!side.ccl) {
      return peer_.run({collective_, count_, o_.root, in_->data(), out_->data(), side.other});
    }
    const void* in = in_->data();
    void* out = out_->data();
    cclCallConfig_t config = CCL_CALL_CONFIG_INITIALIZER;
    config.algorithm = o_.algorithm.c_str();
    config.forceAlgorithm = 1;
    const cclCallConfig_t* with = o_.algorithm.empty() ? nullptr : &config;
    cclResult_t result = cclInvalidArgument;
    switch (collective_) {
      case Collective::kAllReduce:
        result = cclAllReduceConfig(in, out, count_, cclFloat, cclSum, comm_, nullptr, with);
        break;
      case Collective::kReduce:
        result = cclReduceConfig(in, out, count_, cclFloat, cclSum, o_.root, comm_, nullptr, with);
        break;
      case Collective::kReduceScatter:
        result = cclReduceScatterConfig(in, out, count_, cclFloat, cclSum, comm_, nullptr, with);
        break;
      case Collective::kAllGather:
        result = cclAllGatherConfig(in, out, count_, cclFloat, comm_, nullptr, with);
        break;
      case Collective::kAllToAll:
        result = cclAlltoAllConfig(in, out, count_, cclFloat, comm_, nullptr, with);
        break;
      case Collective::kBroadcast:
        result = cclBroadcastConfig(in, out, count_, cclFloat, o_.root, comm_, nullptr, with);
        break;
      case Collective::kGather:
        result = cclGatherConfig(in, out, count_, cclFloat, o_.root, comm_, nullptr, with);
        break;
      case Collective::kScatter:
        result = cclScatterConfig(in, out, count_, cclFloat, o_.root, comm_, nullptr, with);
        break;
      case Collective::kBarrier:
        result = cclBarrierConfig(comm_, nullptr, with);
        break;
      default:
        return absl::UnimplementedError(absl::StrCat("versus does not compare ", Name(collective_)));
    }
    if (result == cclSuccess) result = cclCommSynchronize(comm_);
    return Check(result);
  }

  // Seconds of so many calls on this rank, with the touching of the buffers unless it is not asked for.
  absl::StatusOr<double> Batch(const Side& side, int calls) {
    float* const in = static_cast<float*>(in_->data());
    const float* const out = static_cast<const float*>(out_->data());
    mpi_.barrier();
    const double begin = Seconds();
    for (int i = 0; i < calls; ++i) {
      if (!o_.untouched) {
        const float value = static_cast<float>(rank_ + i % 8);
        for (size_t k = 0; k < in_floats_; ++k) in[k] = value;
      }
      CCL_RETURN_IF_ERROR(Call(side));
      if (!o_.untouched) {
        float sum[16] = {};
        size_t k = 0;
        for (; k + 16 <= out_floats_; k += 16) {
          for (size_t j = 0; j < 16; ++j) sum[j] += out[k + j];
        }
        for (; k < out_floats_; ++k) sum[0] += out[k];
        for (float s : sum) read_ = read_ + s;
      }
    }
    return Seconds() - begin;
  }

  // Elements that are wrong on any rank.
  absl::StatusOr<int64_t> Verify(bool ccl) {
    Request request{collective_, DataType::kFloat32, ReduceOp::kSum, count_, o_.root};
    FillInput(request, ranks_, rank_, in_->data());
    if (out_floats_ > 0) std::memset(out_->data(), 0x5a, out_floats_ * sizeof(float));
    CCL_RETURN_IF_ERROR(Call({ccl}));
    // Others' broadcasts leave the root's receive buffer alone.
    const bool same = !ccl && collective_ == Collective::kBroadcast && rank_ == o_.root;
    std::vector<double> wrong = {static_cast<double>(
        CountWrong(request, ranks_, rank_, same ? in_->data() : out_->data()))};
    mpi_.most(absl::MakeSpan(wrong));
    return static_cast<int64_t>(wrong[0]);
  }

  // MPI has two ways to ask for it, of which one may be much slower: the faster one is compared.
  absl::Status ChooseReduceScatter() {
    std::vector<double> taken[2];
    for (int i = 0; i < 5; ++i) {
      for (const bool other : {false, true}) {
        CCL_ASSIGN_OR_RETURN(const double t, Batch({false, other}, 3));
        taken[other ? 1 : 0].push_back(t);
      }
    }
    std::vector<double> medians = {Median(taken[0]), Median(taken[1])};
    mpi_.most(absl::MakeSpan(medians));
    peer_side_.other = medians[1] < medians[0];
    return absl::OkStatus();
  }

  const VersusOptions& o_;
  const mpi::Collectives& mpi_;
  const VersusPeer& peer_;
  const int rank_, ranks_;
  cclComm_t comm_ = nullptr;
  Collective collective_ = Collective::kAllReduce;
  size_t count_ = 0, in_floats_ = 0, out_floats_ = 0;
  std::unique_ptr<Buffer> in_, out_;
  Side peer_side_{false}, ccl_side_{true};
  volatile float read_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<VersusCell>> MeasureVersus(const VersusOptions& o, const mpi::Collectives& mpi,
                                                      const VersusPeer& peer,
                                                      const std::function<void(const VersusCell&)>& each) {
  CCL_ASSIGN_OR_RETURN(const std::vector<uint64_t> sizes, ParseSizes(o.sizes));
  Versus versus(o, mpi, peer);
  CCL_RETURN_IF_ERROR(versus.Open());
  std::vector<VersusCell> cells;
  for (const std::string& name : o.collectives) {
    Trial trial;
    CCL_RETURN_IF_ERROR(SetCollective(name, trial));
    for (uint64_t size : SizesOf(trial, sizes)) {
      CCL_ASSIGN_OR_RETURN(VersusCell cell, versus.Measure(trial.collective, size));
      cell.peer = peer.name;
      cell.buffers = o.buffers;
      cell.touched = !o.untouched;
      cells.push_back(cell);
      each(cell);
    }
  }
  return cells;
}

}  // namespace ccl
