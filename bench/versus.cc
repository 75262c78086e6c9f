// cclbench versus: this library and the collectives of the MPI that started it, in one process and one
// launch, alternately: figures of two launches cannot be compared, because the cores that a launch gets
// may share a cache or nothing, and change.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bench/commands.h"
#include "bench/paired.h"
#include "bench/pattern.h"
#include "bench/record.h"
#include "bench/versus_target.h"
#include "ccl/base/status.h"
#include "ccl/ccl.h"
#include "nlohmann/json.hpp"
#include "transports/mpi/load.h"

namespace ccl {
namespace {

struct VersusOptions {
  std::vector<std::string> collectives = {"allreduce", "reduce_scatter", "allgather", "broadcast",
                                          "alltoall"};
  std::string sizes = "8,1KiB,8KiB,64KiB,256KiB,1MiB,16MiB", json, buffers = "ordinary", algorithm;
  int np = 0, repetitions = 15, root = 0;
  bool tuned = false, untouched = false;
};

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

// A line of the table, the times over the ranks' slowest.
struct Cell {
  Collective collective;
  uint64_t bytes = 0;
  double peer_us = 0, ccl_us = 0, ratio = 0, low = 0, high = 0, ping_pong_ns = 0;
  int64_t wrong = 0;
};

class Versus {
 public:
  Versus(const VersusOptions& options, const mpi::Collectives& peer)
      : o_(options), peer_(peer), rank_(peer.rank()), ranks_(peer.ranks()) {}
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

  absl::StatusOr<Cell> Measure(Collective collective, uint64_t size) {
    Cell cell{collective};
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
    if (collective == Collective::kReduceScatter) CCL_RETURN_IF_ERROR(ChooseReduceScatter());
    CCL_ASSIGN_OR_RETURN(cell.ping_pong_ns, peer_.ping_pong_ns());
    // Batches of half a millisecond are too short to be hit by what else the machine does.
    CCL_ASSIGN_OR_RETURN(double once, Batch(peer_side_, 3));
    std::vector<double> most = {once / 3};
    peer_.most(absl::MakeSpan(most));
    const int calls = std::clamp(static_cast<int>(0.5e-3 / std::max(most[0], 1e-8)), 1, 2000);
    const int repetitions = most[0] > 0.05 ? std::max(3, o_.repetitions / 3) : o_.repetitions;
    std::vector<double> peer, ours;
    for (int i = -1; i < repetitions; ++i) {
      for (const bool ccl : {i % 2 == 0, i % 2 != 0}) {
        CCL_ASSIGN_OR_RETURN(const double taken, Batch(ccl ? ccl_side_ : peer_side_, calls));
        if (i >= 0) (ccl ? ours : peer).push_back(taken / calls);
      }
    }
    peer_.most(absl::MakeSpan(peer));
    peer_.most(absl::MakeSpan(ours));
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
    peer_.barrier();
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
    // MPI's broadcast leaves the root's receive buffer alone.
    const bool same = !ccl && collective_ == Collective::kBroadcast && rank_ == o_.root;
    std::vector<double> wrong = {static_cast<double>(
        CountWrong(request, ranks_, rank_, same ? in_->data() : out_->data()))};
    peer_.most(absl::MakeSpan(wrong));
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
    peer_.most(absl::MakeSpan(medians));
    peer_side_.other = medians[1] < medians[0];
    return absl::OkStatus();
  }

  const VersusOptions& o_;
  const mpi::Collectives& peer_;
  const int rank_, ranks_;
  cclComm_t comm_ = nullptr;
  Collective collective_ = Collective::kAllReduce;
  size_t count_ = 0, in_floats_ = 0, out_floats_ = 0;
  std::unique_ptr<Buffer> in_, out_;
  Side peer_side_{false}, ccl_side_{true};
  volatile float read_ = 0;
};

absl::Status WriteVersus(const VersusOptions& o, const std::string& library, int ranks,
                         const std::vector<Cell>& cells) {
  nlohmann::json results = nlohmann::json::array();
  for (const Cell& c : cells) {
    results.push_back({{"collective", std::string(Name(c.collective))},
                       {"bytes", c.bytes},
                       {"ranks", ranks},
                       {"buffers", o.buffers},
                       {"touched", !o.untouched},
                       {"peer", library},
                       {"peer_us", c.peer_us},
                       {"ccl_us", c.ccl_us},
                       {"ratio", c.ratio},
                       {"ratio_low", c.low},
                       {"ratio_high", c.high},
                       {"pingpong_ns", c.ping_pong_ns}});
  }
  std::ofstream file(o.json);
  file << nlohmann::json{{"results", results}}.dump(1) << "\n";
  if (!file.flush()) return absl::UnavailableError(absl::StrCat(o.json, ": cannot be written"));
  return absl::OkStatus();
}

// Becomes an mpirun of itself.
absl::Status Launch(const VersusOptions& o, int argc, char** argv) {
  std::vector<std::string> words = {"mpirun", "--allow-run-as-root"};
  if (o.np > static_cast<int>(std::thread::hardware_concurrency())) words.push_back("--oversubscribe");
  if (o.tuned) {
    const std::vector<const char*> best =
        o.np >= 8 ? std::vector<const char*>{"--mca", "coll_tuned_use_dynamic_rules", "1", "--mca",
                                             "coll_tuned_allreduce_algorithm", "1"}
                  : std::vector<const char*>{"--mca", "pml", "ucx", "--mca", "pml_ucx_tls", "any", "--mca",
                                             "pml_ucx_devices", "any"};
    words.insert(words.end(), best.begin(), best.end());
  }
  words.insert(words.end(), {"-np", absl::StrCat(o.np), "/proc/self/exe"});
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length > 0) words.back() = std::string(path, static_cast<size_t>(length));
  for (int i = 1; i < argc; ++i) {
    const absl::string_view word = argv[i];
    if (word == "--np") {
      ++i;
    } else if (word.substr(0, 5) != "--np=") {
      words.emplace_back(word);
    }
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execvp("mpirun", arguments.data());
  return absl::UnavailableError(absl::StrCat("mpirun cannot be started: ", std::strerror(errno)));
}

absl::StatusOr<int> RunVersus(const VersusOptions& o, int argc, char** argv) {
  if (o.np > 0) return Launch(o, argc, argv);
  CCL_ASSIGN_OR_RETURN(const mpi::Collectives* peer, MpiCollectives());
  CCL_RETURN_IF_ERROR(peer->start());
  CCL_ASSIGN_OR_RETURN(const std::vector<uint64_t> sizes, ParseSizes(o.sizes));
  const bool speaks = peer->rank() == 0;
  const int ranks = peer->ranks();
  std::string library = peer->library();
  library.resize(std::min(library.size(), library.find(',')));
  Versus versus(o, *peer);
  CCL_RETURN_IF_ERROR(versus.Open());
  if (speaks) {
    std::printf("# %s's time over ccl's, %d ranks on %u processors, float32 sum, %s buffers, %s%s\n",
                library.c_str(), ranks, std::thread::hardware_concurrency(), o.buffers.c_str(),
                o.untouched ? "untouched" : "touched", o.tuned ? ", tuned" : "");
    std::printf("# %-14s %10s %12s %12s %7s %15s %7s  %s\n", "collective", "bytes", "MPI us", "ccl us",
                "ratio", "middle half", "target", "one way of a line");
  }
  std::vector<Cell> cells;
  int64_t wrong = 0;
  int missed = 0;
  for (const std::string& name : o.collectives) {
    Trial trial;
    CCL_RETURN_IF_ERROR(SetCollective(name, trial));
    for (uint64_t size : SizesOf(trial, sizes)) {
      CCL_ASSIGN_OR_RETURN(const Cell cell, versus.Measure(trial.collective, size));
      wrong += cell.wrong;
      const Regime regime = RegimeOf(cell.ping_pong_ns);
      const double target = VersusTarget(cell.collective, ranks, cell.bytes, regime, o.tuned);
      const bool misses = cell.ratio < std::max(target, regime == Regime::kOneCore ? 0 : 0.95);
      missed += misses;
      if (speaks) {
        std::printf("  %-14s %10lu %12.2f %12.2f %7.2f %7.2f-%-7.2f %7s  %.0f ns, %s%s%s\n",
                    std::string(Name(cell.collective)).c_str(), static_cast<unsigned long>(cell.bytes),
                    cell.peer_us, cell.ccl_us, cell.ratio, cell.low, cell.high,
                    target > 0 ? absl::StrCat(target).c_str() : "-", cell.ping_pong_ns,
                    std::string(Name(regime)).c_str(), misses ? "  MISSED" : "",
                    cell.wrong > 0 ? "  WRONG RESULTS" : "");
        std::fflush(stdout);
      }
      cells.push_back(cell);
    }
  }
  if (speaks) {
    std::printf("# %zu cells, %d missed, %s\n", cells.size(), missed,
                wrong == 0 ? "all results right" : "WRONG RESULTS");
    if (!o.json.empty()) CCL_RETURN_IF_ERROR(WriteVersus(o, library, ranks, cells));
  }
  return wrong == 0 ? 0 : 1;
}

}  // namespace

void AddVersus(CLI::App& app, Command& run, int argc, char** argv) {
  auto o = std::make_shared<VersusOptions>();
  CLI::App* sub = app.add_subcommand(
      "versus", "Time this library and the MPI's own collectives alternately, in one launch");
  sub->add_option("collectives", o->collectives, "allreduce reduce_scatter allgather broadcast alltoall ...");
  sub->add_option("-s,--sizes", o->sizes, "bytes of a rank's larger buffer: 8,1KiB or 8:1MiB:x4");
  sub->add_option("--np", o->np, "start so many processes with mpirun; else they have been started");
  sub->add_option("-n,--repetitions", o->repetitions, "of a cell")->check(CLI::Range(3, 1000));
  sub->add_option("-r,--root", o->root, "root");
  sub->add_option("--buffers", o->buffers, "ordinary, or allocated by cclMemAlloc")
      ->check(CLI::IsMember({"ordinary", "allocated"}));
  sub->add_option("--algorithm", o->algorithm, "force an algorithm of this library");
  sub->add_flag("--untouched", o->untouched, "do not write and read the buffers between calls");
  sub->add_flag("--tuned", o->tuned, "against Open MPI's best documented setting; with --np");
  sub->add_option("--json", o->json, "write results to a file");
  sub->callback([o, &run, argc, argv] {
    run = [o, argc, argv] {
      auto status = RunVersus(*o, argc, argv);
      return status.ok() ? *status : Fail(status.status());
    };
  });
}

}  // namespace ccl
