#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bench/calibrated.h"
#include "bench/commands.h"
#include "bench/in_turn.h"
#include "bench/record.h"

namespace ccl {
namespace {

struct PerfOptions {
  std::string collective, begin = "32M", end = "32M", step, op = "sum", type = "float";
  int factor = 2, iterations = 20, warmup = 1, check = 1, root = 0, ranks = 0;
  std::string backend, fabric, algorithm, json;
  std::vector<std::string> sets, events;
  std::string engine;
  bool predict = false, best = false;
  bool phantom = false, sensitivity = false, whole = false;
};

// Half a row: "  time  algbw  busbw  #wrong".
void PrintHalf(const Record& record) {
  const double us = record.seconds * 1e6;
  std::printf(us >= 10000 ? "  %7.0f" : us >= 100 ? "  %7.1f" : "  %7.2f", us);
  std::printf("  %6.2f  %6.2f", record.algbw(), record.busbw());
  if (record.wrong < 0) {
    std::printf("  %6s", "N/A");
  } else {
    std::printf("  %6g", static_cast<double>(record.wrong));
  }
}

// What the planner thought it would take, and how many times what it took.
void PrintPredicted(World& world, const Trial& trial, const Record& record) {
  if (!trial.sendrecv) {
    const auto plan = world.planner().Choose(trial.collective, record.bytes, trial.root, trial.algorithm);
    if (plan.ok() && std::isfinite((*plan)->predicted) && record.seconds > 0) {
      const double us = (*plan)->predicted / 1e6;
      std::printf("  %.2f  %.2f", us, us / (record.seconds * 1e6));
      return;
    }
  }
  std::printf("  N/A  N/A");
}

absl::StatusOr<std::vector<uint64_t>> Sizes(const PerfOptions& o) {
  auto begin = ParseSize(o.begin);
  if (!begin.ok()) return begin.status();
  auto end = ParseSize(o.end);
  if (!end.ok()) return end.status();
  uint64_t step = 0;
  if (!o.step.empty()) {
    auto parsed = ParseSize(o.step);
    if (!parsed.ok()) return parsed.status();
    step = *parsed;
    if (step == 0) return absl::InvalidArgumentError("-i: the step must not be 0");
  } else if (o.factor < 2) {
    return absl::InvalidArgumentError("-f: the factor must be 2 or more");
  }
  if (*begin > *end) {
    return absl::InvalidArgumentError(absl::StrCat("-b ", o.begin, " is above -e ", o.end));
  }
  std::vector<uint64_t> sizes;
  for (uint64_t size = *begin; size <= *end && sizes.size() < 100000;) {
    sizes.push_back(size);
    if (step > 0) {
      size += step;
    } else if (size == 0) {
      break;
    } else {
      size *= static_cast<uint64_t>(o.factor);
    }
  }
  return sizes;
}

absl::StatusOr<int> Perf(const PerfOptions& o) {
  Trial trial;
  if (absl::Status status = SetCollective(o.collective, trial); !status.ok()) return status;
  auto type = ParseDataType(o.type);
  if (!type.ok()) return type.status();
  auto op = ParseReduceOp(o.op);
  if (!op.ok()) return op.status();
  auto sizes = Sizes(o);
  if (!sizes.ok()) return sizes.status();
  *sizes = SizesOf(trial, std::move(*sizes));
  trial.type = *type;
  trial.op = *op;
  trial.root = o.root;
  trial.algorithm = o.algorithm;
  trial.iterations = std::max(1, o.iterations);
  trial.warmup = std::max(0, o.warmup);
  trial.check = o.check != 0;
  Options options;
  options.phantom = o.phantom;
  options.backend = o.backend;
  if (o.fabric.empty() && !(o.sets.empty() && o.events.empty() && o.engine.empty() && !o.whole)) {
    return absl::InvalidArgumentError(
        "--set, --event, --engine and --whole go with --fabric; a --backend says such things in its URL");
  }
  if (o.best && (trial.sendrecv || !o.algorithm.empty())) {
    return absl::InvalidArgumentError("--best compares the planner's choice: of a collective, not forced");
  }
  if (o.fabric.empty() && o.sensitivity) {
    return absl::InvalidArgumentError("--sensitivity is to the parameters of an emulated --fabric");
  }
  if (!o.fabric.empty()) options.backend = FabricUrl(o.fabric, o.engine, o.sets, o.events, o.whole);
  auto opened = Job::Open(options, o.ranks);
  if (!opened.ok()) return opened.status();
  Job& job = **opened;
  const int n = job.ranks();
  const bool speaks = job.speaks();
  const std::string program = absl::StrCat(CollectiveName(trial), "_perf");
  const std::string backend = std::string(job.world().engine().backend_name());
  const std::string engine(job.world().engine().fabric_engine());
  if (speaks) {
    std::printf("# Collective test starting: %s\n", program.c_str());
    std::printf("# nRanks %d minBytes %s maxBytes %s step: %s warmup iters: %d iters: %d "
                "validation: %d\n", n, o.begin.c_str(), o.end.c_str(),
                o.step.empty() ? absl::StrCat(o.factor, "(factor)").c_str() : o.step.c_str(),
                trial.warmup, trial.iterations, o.check);
    std::printf("#\n# Using devices\n#  %s%s, %d ranks%s\n#\n", backend.c_str(),
                engine.empty() ? "" : absl::StrCat(", engine ", engine).c_str(), n,
                job.virtual_time() ? ", virtual time" : "");
    std::printf("# %60s  %32s\n", "out-of-place", "in-place");
    std::printf("#%11s  %12s  %8s  %6s  %6s  %7s  %6s  %6s  %6s  %7s  %6s  %6s  %6s  %s\n", "size",
                "count", "type", "redop", "root", "time", "algbw", "busbw", "#wrong", "time", "algbw",
                "busbw", "#wrong", o.predict ? "algorithm, predicted (us), over measured" : "algorithm");
    std::printf("#%11s  %12s  %8s  %6s  %6s  %7s  %6s  %6s  %6s  %7s  %6s  %6s  %6s\n", "(B)",
                "(elements)", "", "", "", "(us)", "(GB/s)", "(GB/s)", "", "(us)", "(GB/s)",
                "(GB/s)", "");
  }
  const Calibrated calibrated = Calibrated::Of(BackendOf(options), n);
  std::vector<std::string> reasons;  // that rows are extrapolated
  std::vector<Record> records;
  int64_t wrong = 0;
  double busbw = 0;
  bool zero = false;
  const bool in_place = !trial.sendrecv && EvenForm(trial.collective) != Collective::kAllToAll &&
                        trial.collective != Collective::kBarrier;
  for (uint64_t size : *sizes) {
    trial.count = CountOf(trial, size, n, false);
    Record record;
    record.collective = CollectiveName(trial);
    record.ranks = n;
    record.bytes = SizeColumn(trial, trial.count, n);
    record.count = trial.count;
    record.type = std::string(Name(trial.type));
    record.op = Reduces(trial.collective) && !trial.sendrecv ? std::string(Name(trial.op)) : "none";
    record.phantom = o.phantom;
    record.extrapolated = calibrated.Outside(record.bytes);
    zero = zero || (record.bytes == 0 && size > 0);
    Record halves[2] = {record, record};
    for (int half = 0; half < 2; ++half) {
      trial.in_place = half == 1;
      if (trial.in_place && !in_place) {
        halves[1] = halves[0];
        halves[1].wrong = -1;
        continue;
      }
      auto outcome = job.Run(trial);
      if (!outcome.ok()) return outcome.status();
      halves[half].seconds = outcome->seconds;
      halves[half].wrong = outcome->wrong;
      halves[half].algorithm = outcome->algorithm;
      halves[half].actors = outcome->actors;
      wrong += std::max<int64_t>(0, outcome->wrong);
      busbw += halves[half].busbw();
    }
    if (speaks) {
      const int root = HasRoot(trial.collective) && !trial.sendrecv ? trial.root : -1;
      std::printf("%12lu  %12lu  %8s  %6s  %6d", static_cast<unsigned long>(record.bytes),
                  static_cast<unsigned long>(record.count), record.type.c_str(), record.op.c_str(),
                  root);
      PrintHalf(halves[0]);
      PrintHalf(halves[1]);
      std::printf("  %s%s", halves[0].AlgorithmText().c_str(),
                  record.extrapolated.empty() ? "" : "  EXTRAPOLATED");
      if (o.predict) PrintPredicted(job.world(), trial, halves[0]);
      std::printf("\n");
      if (!record.extrapolated.empty() &&
          std::find(reasons.begin(), reasons.end(), record.extrapolated) == reasons.end()) {
        reasons.push_back(record.extrapolated);
      }
      std::fflush(stdout);
    }
    records.push_back(halves[0]);
    if (o.best) {
      trial.in_place = false;
      if (absl::Status status = PrintBest(job, trial); !status.ok()) return status;
    }
  }
  if (speaks) {
    const double rows = static_cast<double>(records.size()) * (in_place ? 2 : 1);
    std::printf("# Out of bounds values : %ld %s\n", static_cast<long>(wrong),
                wrong == 0 ? "OK" : "FAILED");
    std::printf("# Avg bus bandwidth    : %g\n#\n", rows > 0 ? busbw / rows : 0);
    for (const std::string& reason : reasons) std::printf("# EXTRAPOLATED: %s\n", reason.c_str());
    std::printf("# Collective test concluded: %s\n", program.c_str());
    if (zero) {
      std::fprintf(stderr, "warning: sizes below 16 bytes a rank were rounded down to 0, as "
                           "nccl-tests does; raise -b\n");
    }
    for (const Record& record : records) {
      if (!o.sensitivity) break;
      trial.count = record.count;
      trial.in_place = false;
      trial.algorithm = trial.sendrecv ? "" : record.algorithm;
      absl::Status status = PrintSensitivity(o.fabric, o.engine, o.sets, o.events, n, trial);
      if (!status.ok()) return status;
    }
    if (!o.json.empty()) {
      absl::Status status = WriteJson(o.json, job.world(), backend, records);
      if (!status.ok()) return status;
    }
  }
  return wrong == 0 ? 0 : 1;
}

}  // namespace

void AddPerf(CLI::App& app, Command& run) {
  auto o = std::make_shared<PerfOptions>();
  CLI::App* sub = app.add_subcommand("perf", "Time one collective, with nccl-tests' columns");
  sub->add_option("collective", o->collective, "allreduce, allgather, ..., barrier, sendrecv")->required();
  sub->add_option("-b,--minbytes", o->begin, "smallest size");
  sub->add_option("-e,--maxbytes", o->end, "largest size");
  sub->add_option("-i,--stepbytes", o->step, "add this much from size to size");
  sub->add_option("-f,--stepfactor", o->factor, "multiply from size to size");
  sub->add_option("-n,--iters", o->iterations, "timed iterations (real time)");
  sub->add_option("-w,--warmup_iters", o->warmup, "iterations before (real time)");
  sub->add_option("-c,--check", o->check, "0: do not check results");
  sub->add_option("-o,--op", o->op, "sum prod min max avg band bor bxor");
  sub->add_option("-d,--datatype", o->type, "float double half bfloat16 f8e4m3 int32 ...");
  sub->add_option("-r,--root", o->root, "root");
  sub->add_option("-g,--ranks", o->ranks, "emulated ranks");
  sub->add_option("--backend", o->backend, "backend URL; default: mpi: under mpirun, else emulated");
  sub->add_option("--fabric", o->fabric, "emulated fabric");
  sub->add_option("--set", o->sets, "KEY=VALUE of the fabric");
  sub->add_option("--event", o->events, "what happens to it, e.g. at=20us,endpoint=3,down");
  sub->add_option("--engine", o->engine, "how messages share ports: fifo (default), fluid, packet");
  sub->add_option("--algorithm", o->algorithm, "force an algorithm");
  sub->add_flag("--phantom", o->phantom, "sizes without bytes (emulated)");
  sub->add_flag("--predict", o->predict, "print what the planner predicted beside what was measured");
  sub->add_flag("--best", o->best,
                "run every algorithm in turn with the planner's choice, and name the fastest (real ranks)");
  sub->add_flag("--sensitivity", o->sensitivity,
                "elasticity of each row's time to every parameter of the fabric");
  sub->add_flag("--whole", o->whole, "simulate every rank, though symmetry would spare most");
  sub->add_option("--json", o->json, "write results to a file");
  sub->callback([o, &run] {
    run = [o] {
      auto status = Perf(*o);
      return status.ok() ? *status : Fail(status.status());
    };
  });
}

}  // namespace ccl
