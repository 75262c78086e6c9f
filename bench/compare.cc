#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bench/calibrated.h"
#include "bench/commands.h"
#include "bench/paired.h"
#include "bench/record.h"
#include "ccl/plan/cost.h"
#include "fabric/description.h"

namespace ccl {
namespace {

struct CompareOptions {
  std::string collective, fabric = "cloudmatrix384", sizes = "1KiB:1GiB:x4", algorithms, json, csv;
  std::string type = "float", real_up_to = "64KiB";
  int ranks = 0, root = 0, seeds = 0;
  std::vector<std::string> sets, events;
  std::string engine;
  bool whole = false;
};

std::string SizeText(uint64_t bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB"};
  int unit = 0;
  double value = static_cast<double>(bytes);
  while (value >= 1024 && unit < 3) value /= 1024, ++unit;
  char text[32];
  std::snprintf(text, sizeof text, value == static_cast<uint64_t>(value) ? "%.0f %s" : "%.1f %s",
                value, units[unit]);
  return text;
}

// Slices that a pipelining algorithm does best with are part of the comparison.
std::vector<AlgorithmSpec> Competitors(const Shape& shape, const Topology& topology) {
  // Lowered to messages, slices of group operations only cost.
  const bool groups = topology.levels.back().group_bandwidth > 0;
  std::vector<AlgorithmSpec> specs;
  for (const AlgorithmSpec& spec : Candidates(shape)) {
    specs.push_back(spec);
    if (spec.name == "chain" || spec.name == "double_binary_tree" ||
        (spec.name == "group_two_shot" && groups)) {
      specs.back().slices = 16;
    } else if (spec.name == "hier") {
      specs.push_back(spec);
      specs.back().slices = 4;
    }
  }
  return specs;
}

// Runs a trial in the world, or once for each seed in one of its own.
class Course {
 public:
  Course(const CompareOptions& o, bool afresh) : o_(o), afresh_(afresh) {}

  absl::StatusOr<std::vector<double>> Run(Job& job, const Trial& trial, Record& record) const {
    std::vector<double> seconds;
    for (int seed = 1; seed <= std::max(1, o_.seeds); ++seed) {
      std::unique_ptr<Job> own;
      if (afresh_) {
        std::vector<std::string> sets = o_.sets;
        if (o_.seeds > 0) sets.push_back(absl::StrCat("noise.seed=", seed));
        Options options;
        options.phantom = job.world().phantom();
        options.backend = FabricUrl(o_.fabric, o_.engine, sets, o_.events, o_.whole);
        auto opened = Job::Open(options, o_.ranks);
        if (!opened.ok()) return opened.status();
        own = *std::move(opened);
      }
      auto outcome = (own == nullptr ? job : *own).Run(trial);
      if (!outcome.ok()) {
        return absl::Status(outcome.status().code(),
                            absl::StrCat(trial.algorithm, ": ", outcome.status().message()));
      }
      seconds.push_back(outcome->seconds);
      record.wrong = seed == 1 ? outcome->wrong : std::max(record.wrong, outcome->wrong);
      record.actors = outcome->actors;
    }
    return seconds;
  }

 private:
  const CompareOptions& o_;
  const bool afresh_;
};

// Of each competitor, how it did on the draws that all had.
void PrintPaired(const std::vector<Record>& records, size_t first, size_t fastest,
                 const std::vector<std::vector<double>>& times) {
  for (size_t i = 0; i < times.size(); ++i) {
    const Record& r = records[first + i];
    std::printf("  %-36s median %12.3f us, %.3f to %.3f, fastest with %d of %d seeds", r.algorithm.c_str(),
                r.seconds * 1e6, r.least_seconds * 1e6, r.most_seconds * 1e6, r.wins, r.seeds);
    if (first + i == fastest) {
      std::printf("  <- best\n");
      continue;
    }
    const PairedDifference d = Difference(times[fastest - first], times[i]);
    std::printf("; %s beats it with %d of %d, by %.3f us (median)\n", records[fastest].algorithm.c_str(),
                d.faster, r.seeds, d.median * 1e6);
  }
}

absl::StatusOr<int> Compare(const CompareOptions& o) {
  Trial trial;
  if (absl::Status status = SetCollective(o.collective, trial); !status.ok()) return status;
  if (trial.sendrecv) return absl::InvalidArgumentError("compare takes a collective");
  auto type = ParseDataType(o.type);
  if (!type.ok()) return type.status();
  trial.type = *type;
  trial.root = o.root;
  auto sizes = ParseSizes(o.sizes);
  if (!sizes.ok()) return sizes.status();
  *sizes = SizesOf(trial, std::move(*sizes));
  auto real_up_to = ParseSize(o.real_up_to);
  if (!real_up_to.ok()) return real_up_to.status();
  Options options;
  options.backend = FabricUrl(o.fabric, o.engine, o.sets, o.events, o.whole);
  if (o.seeds < 0 || o.seeds > 100000) return absl::InvalidArgumentError("--seeds: 1 to 100000");
  auto description = fabric::Load(o.fabric, o.ranks, o.sets, o.events);
  if (!description.ok()) return description.status();
  // Where runs depend on the past, each has a world of its own, whose time begins at 0.
  const Course course(o, description->HasHistory());
  auto real = Job::Open(options, o.ranks);
  if (!real.ok()) return real.status();
  options.phantom = true;
  auto phantom = Job::Open(options, o.ranks);
  if (!phantom.ok()) return phantom.status();
  const int n = (*real)->ranks();
  const Topology& topology = (*real)->world().topology();
  const Shape shape{trial.collective, n, trial.root, 0, GroupingsOf(topology)};
  std::vector<AlgorithmSpec> specs;
  if (o.algorithms.empty()) {
    specs = Competitors(shape, topology);
  } else {
    for (absl::string_view text : absl::StrSplit(o.algorithms, ',', absl::SkipWhitespace())) {
      auto spec = ParseAlgorithm(text);
      if (!spec.ok()) return spec.status();
      if (auto program = BuildProgram(*spec, shape, true); !program.ok()) return program.status();
      specs.push_back(*std::move(spec));
    }
  }
  if (specs.empty()) return absl::InvalidArgumentError("--algorithms names no algorithm");
  std::printf("%s on %s, %d ranks, %s, engine %s\n", std::string(Name(trial.collective)).c_str(),
              o.fabric.c_str(), n, std::string(Name(trial.type)).c_str(),
              std::string((*real)->world().engine().fabric_engine()).c_str());
  std::printf("times in microseconds, busbw in GB/s; * results checked on real bytes, else phantom "
              "payload\n\n");
  const Calibrated calibrated = Calibrated::Of(options.backend, n);
  std::string said;  // why the sizes so far are extrapolated
  std::vector<Record> records;
  int64_t wrong = 0;
  const bool terminal = isatty(STDERR_FILENO);
  struct Best {
    uint64_t size;
    Record record;
  };
  std::vector<Best> best;
  for (uint64_t size : *sizes) {
    trial.count = CountOf(trial, size, n, true);
    Record row;
    row.collective = std::string(Name(trial.collective));
    row.ranks = n;
    row.bytes = SizeColumn(trial, trial.count, n);
    row.count = trial.count;
    row.type = std::string(Name(trial.type));
    row.op = Reduces(trial.collective) ? "sum" : "none";
    row.phantom = row.bytes > *real_up_to;
    const Bound bound = LowerBound(trial.collective, row.bytes, topology);
    row.bound_seconds = bound.time * 1e-12;
    row.constraint = std::string(bound.constraint);
    row.extrapolated = calibrated.Outside(row.bytes);
    if (!row.extrapolated.empty() && row.extrapolated != said) {
      std::printf("EXTRAPOLATED: %s\n", row.extrapolated.c_str());
    }
    said = row.extrapolated;
    std::printf("%s%s: lower bound %.3f us (%s)\n", SizeText(row.bytes).c_str(),
                row.phantom ? "" : " *", row.bound_seconds * 1e6, row.constraint.c_str());
    size_t fastest = records.size();
    std::vector<std::vector<double>> times;
    for (const AlgorithmSpec& spec : specs) {
      trial.algorithm = Format(spec);
      if (terminal) {
        std::fprintf(stderr, "\r\033[K  %s ...", trial.algorithm.c_str());
        std::fflush(stderr);
      }
      Record record = row;
      auto seconds = course.Run(row.phantom ? **phantom : **real, trial, record);
      if (terminal) std::fprintf(stderr, "\r\033[K");
      if (!seconds.ok()) return seconds.status();
      record.algorithm = trial.algorithm;
      record.seconds = Median(*seconds);
      record.least_seconds = *std::min_element(seconds->begin(), seconds->end());
      record.most_seconds = *std::max_element(seconds->begin(), seconds->end());
      record.seeds = o.seeds;
      times.push_back(*std::move(seconds));
      wrong += std::max<int64_t>(0, record.wrong);
      records.push_back(record);
      if (record.seconds < records[fastest].seconds) fastest = records.size() - 1;
    }
    const size_t first = records.size() - specs.size();
    const std::vector<int> wins = Wins(times);
    for (size_t i = 0; i < specs.size(); ++i) records[first + i].wins = wins[i];
    if (o.seeds > 0) PrintPaired(records, first, fastest, times);
    for (size_t i = first; o.seeds == 0 && i < records.size(); ++i) {
      const Record& r = records[i];
      std::printf("  %-36s %12.3f us %10.2f GB/s %6.1f %% of bound%s%s\n", r.algorithm.c_str(),
                  r.seconds * 1e6, r.busbw(), 100 * Reached(r.bound_seconds, r.seconds),
                  i == fastest ? "  <- best" : "", r.wrong > 0 ? "  WRONG" : "");
    }
    std::fflush(stdout);
    best.push_back({row.bytes, records[fastest]});
  }
  std::printf("\n%10s  %-36s %12s %12s %9s\n", "size", "best algorithm", "time (us)", "busbw", "of bound");
  for (const Best& b : best) {
    std::printf("%10s  %-36s %12.3f %12.2f %7.1f %%%s\n", SizeText(b.size).c_str(),
                b.record.algorithm.c_str(), b.record.seconds * 1e6, b.record.busbw(),
                100 * Reached(b.record.bound_seconds, b.record.seconds),
                b.record.extrapolated.empty() ? "" : "  EXTRAPOLATED");
  }
  const std::string small =
      best.size() == 1 ? "" : absl::StrCat(best.front().record.algorithm, " is fastest at ",
                                           SizeText(best.front().size), ", ");
  std::printf("In words: %s%s is fastest at %s, where it reaches %.0f %% of what the fabric allows; "
              "%s.\n",
              small.c_str(), best.back().record.algorithm.c_str(), SizeText(best.back().size).c_str(),
              100 * Reached(best.back().record.bound_seconds, best.back().record.seconds),
              wrong == 0 ? "no checked element was wrong" : "SOME ELEMENTS WERE WRONG");
  if (!o.json.empty()) {
    absl::Status status = WriteJson(o.json, (*real)->world(), options.backend, records);
    if (!status.ok()) return status;
  }
  if (!o.csv.empty()) {
    if (absl::Status status = WriteCsv(o.csv, records); !status.ok()) return status;
  }
  return wrong == 0 ? 0 : 1;
}

}  // namespace

void AddCompare(CLI::App& app, Command& run) {
  auto o = std::make_shared<CompareOptions>();
  CLI::App* sub = app.add_subcommand("compare", "Every algorithm on an emulated fabric, by size");
  sub->add_option("collective", o->collective, "allreduce, allgather, alltoall, ...")->required();
  sub->add_option("--fabric", o->fabric, "preset, see `cclbench list fabrics`")->capture_default_str();
  sub->add_option("--ranks", o->ranks, "endpoints; default: the fabric's");
  sub->add_option("--sizes", o->sizes, "FROM:TO:xFACTOR or a comma list, of the larger buffer")->capture_default_str();
  sub->add_option("--algorithms", o->algorithms, "comma list; default: all that apply");
  sub->add_option("--real-up-to", o->real_up_to, "move and check real bytes up to this size")->capture_default_str();
  sub->add_option("-d,--datatype", o->type, "element type")->capture_default_str();
  sub->add_option("-r,--root", o->root, "root");
  sub->add_option("--set", o->sets, "KEY=VALUE of the fabric, e.g. node.switch_latency=\"300 ns\"");
  sub->add_option("--seeds", o->seeds, "run each algorithm with the same N draws of the noise, and pair them");
  sub->add_option("--event", o->events, "what happens to it, e.g. at=20us,endpoint=3,down");
  sub->add_option("--engine", o->engine, "how messages share ports: fifo (default), fluid, packet");
  sub->add_flag("--whole", o->whole, "simulate every rank, though symmetry would spare most");
  sub->add_option("--json", o->json, "write results to a file");
  sub->add_option("--csv", o->csv, "write results to a file");
  sub->callback([o, &run] {
    run = [o] {
      auto status = Compare(*o);
      return status.ok() ? *status : Fail(status.status());
    };
  });
}

}  // namespace ccl
