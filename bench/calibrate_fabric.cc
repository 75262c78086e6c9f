#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/calibrate.h"
#include "bench/commands.h"
#include "bench/csv.h"
#include "bench/fit.h"
#include "bench/published.h"
#include "ccl/base/status.h"
#include "ccl/dumps.h"

namespace ccl {
namespace {

// Times of this job's own ranks: neighbours, and algorithms whose formulas are exact.
absl::StatusOr<std::vector<Sample>> Measure(Job& job) {
  std::vector<Sample> samples;
  const struct {
    const char* collective;
    const char* algorithm;
  } kinds[] = {{"sendrecv", ""}, {"allreduce", "ring"}, {"allgather", "ring"},
               {"alltoall", "pairwise"}};
  for (const auto& kind : kinds) {
    for (uint64_t size = 64; size <= (uint64_t{4} << 20); size *= 4) {
      Trial trial;
      CCL_RETURN_IF_ERROR(SetCollective(kind.collective, trial));
      trial.algorithm = kind.algorithm;
      trial.iterations = 20;
      trial.warmup = 3;
      trial.check = false;
      trial.count = CountOf(trial, size, job.ranks(), true);
      CCL_ASSIGN_OR_RETURN(const Outcome outcome, job.Run(trial));
      if (outcome.seconds <= 0) continue;
      Sample sample;
      sample.sendrecv = trial.sendrecv;
      sample.collective = trial.collective;
      sample.algorithm = kind.algorithm;
      sample.ranks = job.ranks();
      sample.bytes = SizeColumn(trial, trial.count, job.ranks());
      sample.seconds = outcome.seconds;
      samples.push_back(std::move(sample));
    }
  }
  return samples;
}

absl::StatusOr<Point> PointOf(Sample sample, const CalibrateOptions& o,
                              const fabric::Description* base) {
  Point point;
  if (!sample.algorithm.empty()) {
    point.algorithms = {sample.algorithm};
  } else if (!sample.sendrecv) {
    const std::string& library = o.library.empty() ? sample.library : o.library;
    if (library.empty()) {
      return absl::InvalidArgumentError(
          "which algorithms ran is not known: give --library NCCL or HCCL, or an algorithm column");
    }
    // Switches that reduce belong to whom fills their domain.
    const bool filled = base != nullptr && base->tiers[0].group_efficiency > 0 &&
                        sample.ranks == base->tiers[0].group_size;
    CCL_ASSIGN_OR_RETURN(point.algorithms,
                         AlgorithmsOf(library, sample.collective,
                                      filled ? Where::kFilledNode : Where::kNode));
  }
  point.sample = std::move(sample);
  return point;
}

std::string NameOf(const Sample& sample) {
  return sample.sendrecv ? "sendrecv" : std::string(Name(sample.collective));
}

// Runs the points that were held out on the fabric that was written.
absl::Status PrintHeldOut(const std::vector<Point>& points, const fabric::Description& d,
                          const std::string& path) {
  std::map<int, std::unique_ptr<Job>> jobs;
  std::vector<double> errors;
  std::printf("\npoints that the fit did not see, on the fabric it made\n%-15s %6s %12s %14s %14s %8s\n",
              "collective", "ranks", "bytes", "measured (us)", "predicted (us)", "error");
  for (const Point& point : points) {
    if (!point.held_out) continue;
    const Sample& sample = point.sample;
    std::unique_ptr<Job>& job = jobs[sample.ranks];
    if (job == nullptr) {
      Options options;
      options.backend = absl::StrCat("emulated:", path);
      options.phantom = true;
      CCL_ASSIGN_OR_RETURN(job, Job::Open(options, sample.ranks));
    }
    Trial trial;
    trial.sendrecv = sample.sendrecv;
    trial.collective = sample.collective;
    trial.type = DataType::kInt8;
    trial.check = false;
    trial.count = CountOf(trial, sample.bytes, sample.ranks, true);
    double least = -1;
    for (const std::string& algorithm : point.algorithms) {
      Point one = point;
      one.algorithms = {algorithm};
      const double predicted = PredictPoint(one, d);
      if (predicted < 0 || (least >= 0 && predicted >= least)) continue;
      least = predicted;
      trial.algorithm = algorithm;
    }
    CCL_ASSIGN_OR_RETURN(const Outcome outcome, job->Run(trial));
    const double error = outcome.seconds / sample.seconds - 1;
    errors.push_back(std::abs(error));
    std::printf("%-15s %6d %12lu %14.2f %14.2f %+6.1f %%\n", NameOf(sample).c_str(), sample.ranks,
                static_cast<unsigned long>(sample.bytes), sample.seconds * 1e6,
                outcome.seconds * 1e6, 100 * error);
  }
  std::sort(errors.begin(), errors.end());
  if (!errors.empty()) {
    std::printf("median error %.1f %%, largest %.1f %%\n", 100 * errors[errors.size() / 2],
                100 * errors.back());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int> CalibrateFabric(const CalibrateOptions& o) {
  if (o.live == !o.from.empty()) {
    return absl::InvalidArgumentError("calibrate fabric needs --from LOG..., or --live under mpirun");
  }
  if (o.name.empty()) return absl::InvalidArgumentError("--name needs a name");
  for (char c : o.name) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '_') continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--name ", o.name, ": letters, digits, - and _ make a name"));
  }
  std::unique_ptr<fabric::Description> base;
  if (!o.like.empty()) {
    auto loaded = fabric::Load(o.like);
    if (!loaded.ok()) return loaded.status();
    if (!loaded->links.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("--like ", o.like, ": is a graph, without tiers"));
    }
    base = std::make_unique<fabric::Description>(*std::move(loaded));
  }
  const std::string path = o.out.empty() ? absl::StrCat(o.name, ".toml") : o.out;
  if (!absl::EndsWith(path, ".toml")) {
    return absl::InvalidArgumentError(absl::StrCat("-o ", path, ": a fabric file ends in .toml"));
  }
  std::vector<Sample> samples;
  std::string source;
  std::unique_ptr<Job> job;
  if (o.live) {
    CCL_ASSIGN_OR_RETURN(job, Job::Open(Options(), 0));
    if (job->virtual_time() || job->ranks() < 2) {
      return absl::InvalidArgumentError(
          "--live measures two real ranks or more: mpirun -n N cclbench calibrate fabric --live");
    }
    CCL_ASSIGN_OR_RETURN(samples, Measure(*job));
    if (!job->speaks()) return 0;
    source = absl::StrCat(job->ranks(), " ranks over ", job->world().engine().backend_name());
  }
  for (const std::string& file : o.from) {
    CCL_ASSIGN_OR_RETURN(const std::string text, ReadText(file));
    CCL_ASSIGN_OR_RETURN(std::vector<Sample> parsed, ParseLog(text, file, o.hints));
    samples.insert(samples.end(), parsed.begin(), parsed.end());
    absl::StrAppend(&source, source.empty() ? "" : ", ", file);
  }
  std::vector<Point> points;
  for (Sample& sample : samples) {
    CCL_ASSIGN_OR_RETURN(Point point, PointOf(std::move(sample), o, base.get()));
    points.push_back(std::move(point));
  }
  HoldOut(points);
  CCL_ASSIGN_OR_RETURN(Fit fit, FitFabric(points, base.get()));
  const size_t held = std::count_if(points.begin(), points.end(),
                                    [](const Point& p) { return p.held_out; });
  const std::string counts = absl::StrCat(points.size(), " measured times, ", held,
                                          " of them held out: ", source);
  CCL_RETURN_IF_ERROR(WriteFile(path, FileOf(fit, o.name, o.like, {absl::StrCat("Fitted by: ", o.command), counts})));
  std::printf("%s\n", counts.c_str());
  std::printf("%d protocol%s at tier %s; median error by the planner's formulas %.1f %% of the points "
              "that were fitted, %.1f %% of the others\n",
              fit.protocols, fit.protocols == 1 ? "" : "s", fit.tier.c_str(),
              100 * fit.fitted_error, 100 * fit.held_error);
  if (held > 0) CCL_RETURN_IF_ERROR(PrintHeldOut(points, fit.description, path));
  std::printf("\nwrote %s; use it as --fabric %s\n", path.c_str(), path.c_str());
  return 0;
}

}  // namespace ccl
