// One launch of cclbench versus: this library and another, alternately in one process, because figures of two
// launches cannot be compared: the cores that a launch gets may share a cache or nothing, and change.
#include "bench/versus.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "bench/c_calls.h"
#include "bench/commands.h"
#include "bench/paired.h"
#include "bench/pattern.h"
#include "bench/record.h"
#include "bench/versus_rank.h"
#include "bench/versus_threads.h"
#include "ccl/base/status.h"
#include "ccl/ccl.h"

namespace ccl {
namespace {

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
    if (WithThreads()) {
      if (rank_ > 0) return absl::OkStatus();
      CCL_ASSIGN_OR_RETURN(threads_, VersusThreads::Open(ranks_, o_.algorithm));
      return absl::OkStatus();
    }
    cclConfig_t config = CCL_CONFIG_INITIALIZER;
    config.backend = "mpi:";
    cclUniqueId id;
    std::memset(&id, 0, sizeof id);
    CCL_RETURN_IF_ERROR(ToStatus(cclCommInitRankConfig(&comm_, ranks_, id, rank_, &config)));
    ccl_ = CallsOf(comm_, o_.algorithm);
    return absl::OkStatus();
  }

  absl::StatusOr<VersusCell> Measure(Collective collective, uint64_t size) {
    VersusCell cell;
    cell.collective = collective;
    cell.ranks = ranks_;
    cell.bytes = size;
    VersusWork work{collective, std::max<uint64_t>(1, size / sizeof(float)), ranks_, o_.root,
                    o_.buffers == "allocated", o_.untouched};
    if (CountIsPerRank(collective)) work.count = std::max<size_t>(1, work.count / static_cast<size_t>(ranks_));
    CCL_ASSIGN_OR_RETURN(buffers_, VersusRank::Make(work, rank_));
    if (threads_ != nullptr) CCL_RETURN_IF_ERROR(threads_->Prepare(work));
    CCL_ASSIGN_OR_RETURN(cell.wrong, Verify());
    other_ = false;
    if (collective == Collective::kReduceScatter && peer_.two_ways) CCL_RETURN_IF_ERROR(ChooseReduceScatter());
    CCL_ASSIGN_OR_RETURN(cell.ping_pong_ns, mpi_.ping_pong_ns());
    // Batches of half a millisecond are too short to be hit by what else the machine does.
    CCL_ASSIGN_OR_RETURN(double once, OfPeer(3, false));
    std::vector<double> most = {once / 3};
    mpi_.most(absl::MakeSpan(most));
    const int calls = std::clamp(static_cast<int>(0.5e-3 / std::max(most[0], 1e-8)), 1, 2000);
    const int repetitions = most[0] > 0.05 ? std::max(3, o_.repetitions / 3) : o_.repetitions;
    std::vector<double> peer, ours;
    for (int i = -1; i < repetitions; ++i) {
      for (const bool ccl : {i % 2 == 0, i % 2 != 0}) {
        CCL_ASSIGN_OR_RETURN(const double taken, ccl ? Ours(calls) : OfPeer(calls, other_));
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
  bool WithThreads() const { return o_.buffers == "threads"; }

  // Seconds of so many calls on this rank.
  absl::StatusOr<double> OfPeer(int calls, bool other) {
    mpi_.barrier();
    return buffers_->Batch(peer_.run, calls, other);
  }
  // With threads, the first process runs all ranks; the others sleep until it is done, so that its threads have
  // their processors, and have taken no time.
  absl::StatusOr<double> Ours(int calls) {
    if (!WithThreads()) {
      mpi_.barrier();
      return buffers_->Batch(ccl_, calls);
    }
    absl::StatusOr<double> taken = 0.0;
    mpi_.barrier();
    if (threads_ != nullptr) taken = threads_->Batch(calls);
    mpi_.sleeping_barrier();
    return taken;
  }

  // Elements that are wrong on any rank, of both.
  absl::StatusOr<int64_t> Verify() {
    CCL_ASSIGN_OR_RETURN(const int64_t of_peer, buffers_->Verify(peer_.run, true));
    absl::StatusOr<int64_t> of_ours = 0;
    if (!WithThreads()) of_ours = buffers_->Verify(ccl_, false);
    if (threads_ != nullptr) of_ours = threads_->Verify();
    CCL_RETURN_IF_ERROR(of_ours.status());
    std::vector<double> wrong = {static_cast<double>(of_peer), static_cast<double>(*of_ours)};
    mpi_.most(absl::MakeSpan(wrong));
    return static_cast<int64_t>(wrong[0] + wrong[1]);
  }

  // MPI has two ways to ask for it, of which one may be much slower: the faster one is compared.
  absl::Status ChooseReduceScatter() {
    std::vector<double> taken[2];
    for (int i = 0; i < 5; ++i) {
      for (const bool other : {false, true}) {
        CCL_ASSIGN_OR_RETURN(const double t, OfPeer(3, other));
        taken[other ? 1 : 0].push_back(t);
      }
    }
    std::vector<double> medians = {Median(taken[0]), Median(taken[1])};
    mpi_.most(absl::MakeSpan(medians));
    other_ = medians[1] < medians[0];
    return absl::OkStatus();
  }

  const VersusOptions& o_;
  const mpi::Collectives& mpi_;
  const VersusPeer& peer_;
  const int rank_, ranks_;
  cclComm_t comm_ = nullptr;
  VersusCall ccl_;                           // of this process,
  std::unique_ptr<VersusThreads> threads_;   // or of threads of the first one
  std::unique_ptr<VersusRank> buffers_;
  bool other_ = false;  // way of asking MPI
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
