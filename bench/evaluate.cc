#include "bench/evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bench/commands.h"
#include "bench/csv.h"
#include "bench/published.h"
#include "ccl/base/status.h"
#include "ccl/dumps.h"
#include "ccl/plan/cost.h"
#include "fabric/simulator.h"
#include "nlohmann/json.hpp"

namespace ccl {
namespace {

constexpr uint64_t kLong = uint64_t{1} << 30;  // what a bandwidth without a size is measured at

struct Result {
  Published row;
  std::string preset, algorithm;
  double predicted = 0;   // of the row's metric
  std::string why_not;    // it was not run; else empty

  double error() const { return predicted / row.value - 1; }
};

// Runs measurements; worlds are kept, since a table has many rows of each.
class Runner {
 public:
  explicit Runner(const std::vector<std::string>& sets) : sets_(sets) {}

  absl::Status Run(const Stand& stand, Result& result) {
    const uint64_t bytes = result.row.bytes == 0 && stand.message ? kLong : result.row.bytes;
    double seconds = 0;
    if (stand.message) {
      CCL_ASSIGN_OR_RETURN(seconds, Message(stand, bytes));
      result.algorithm = absl::StrCat("one ", stand.transfer);
    } else {
      CCL_ASSIGN_OR_RETURN(seconds, Collective(stand, bytes, result.algorithm));
    }
    result.predicted = MetricOf(result.row, bytes, seconds);
    return absl::OkStatus();
  }

 private:
  // Of one side, without a collective library: no launch.
  absl::StatusOr<double> Message(const Stand& stand, uint64_t bytes) {
    std::vector<std::string> sets = sets_;
    sets.push_back(absl::StrCat("transfer=", stand.transfer));
    auto description = fabric::Load(stand.preset, stand.endpoints, sets);
    if (!description.ok()) return description.status();
    auto simulator = fabric::Simulator::Create(*std::move(description));
    if (!simulator.ok()) return simulator.status();
    (*simulator)->Send(0, stand.peer, static_cast<int64_t>(bytes), 0);
    std::vector<fabric::Event> events;
    while ((*simulator)->Advance(events)) {
    }
    return static_cast<double>(events.back().time) * 1e-12;
  }

  absl::StatusOr<double> Collective(const Stand& stand, uint64_t bytes, std::string& algorithm) {
    std::unique_ptr<Job>& job = jobs_[{stand.preset, stand.endpoints}];
    if (job == nullptr) {
      Options options;
      options.backend = FabricUrl(stand.preset, "", sets_, {});
      options.phantom = true;
      CCL_ASSIGN_OR_RETURN(job, Job::Open(options, stand.endpoints));
    }
    const Topology& topology = job->world().topology();
    const Shape shape{stand.collective, job->ranks(), 0, 0, GroupingsOf(topology)};
    double least = 0;
    for (const std::string& text : stand.algorithms) {
      CCL_ASSIGN_OR_RETURN(const AlgorithmSpec spec, ParseAlgorithm(text));
      if (!BuildProgram(spec, shape, true).ok()) continue;
      const double time = PredictTime(spec, shape, bytes, topology);
      if (algorithm.empty() || time < least) algorithm = text, least = time;
    }
    if (algorithm.empty()) return absl::InvalidArgumentError("no algorithm of its library fits");
    Trial trial;
    trial.collective = stand.collective;
    trial.type = DataType::kInt8;
    trial.algorithm = algorithm;
    trial.check = false;
    trial.count = CountOf(trial, bytes, job->ranks(), true);
    CCL_ASSIGN_OR_RETURN(const Outcome outcome, job->Run(trial));
    return outcome.seconds;
  }

  const std::vector<std::string> sets_;
  std::map<std::pair<std::string, int>, std::unique_ptr<Job>> jobs_;
};

using Series = std::tuple<std::string, std::string, int, int, std::string, std::string, std::string>;

// Rows that differ in size only. What was derived from another row of the table belongs to it.
Series SeriesOf(const Result& r) {
  return {r.row.system, r.row.collective, r.row.ranks, r.row.nodes, r.row.library, r.row.metric,
          r.row.source};
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void PrintSeries(const std::vector<const Result*>& series, const std::string& source) {
  const Result& first = *series.front();
  std::printf("\n%s %s, %d ranks on %d node%s, %s, %s %s\n", first.row.system.c_str(),
              first.row.collective.c_str(), first.row.ranks, first.row.nodes,
              first.row.nodes == 1 ? "" : "s", first.row.library.c_str(), first.preset.c_str(),
              source.c_str());
  std::printf("%14s %12s %12s %8s  %s\n", "bytes", first.row.metric.c_str(), "predicted", "error",
              "algorithm");
  for (const Result* r : series) {
    std::printf("%14s %12.2f %12.2f %+6.1f %%  %s\n",
                r->row.bytes == 0 ? "long" : absl::StrCat(r->row.bytes).c_str(), r->row.value,
                r->predicted, 100 * r->error(), r->algorithm.c_str());
  }
}

struct Summary {
  std::string system;
  size_t rows = 0, series = 0, within = 0;  // series whose largest message is within 5 %
  double median = 0;
  const Result* largest = nullptr;          // the longest message of all
  double median_largest = 0;                // of the longest of each series
};

std::vector<Summary> Summarise(const std::vector<Result>& results) {
  std::map<std::string, std::vector<const Result*>> systems;
  for (const Result& r : results) {
    if (r.why_not.empty()) systems[r.row.system].push_back(&r);
  }
  std::vector<Summary> summaries;
  for (const auto& [system, rows] : systems) {
    Summary s{.system = system, .rows = rows.size()};
    std::vector<double> errors, ends;
    std::map<Series, const Result*> last;
    for (const Result* r : rows) {
      errors.push_back(std::abs(r->error()));
      const Result*& longest = last[SeriesOf(*r)];
      if (longest == nullptr || r->row.bytes >= longest->row.bytes) longest = r;
      if (s.largest == nullptr || r->row.bytes > s.largest->row.bytes) s.largest = r;
    }
    for (const auto& [series, r] : last) {
      ends.push_back(std::abs(r->error()));
      s.within += ends.back() <= 0.05 ? 1 : 0;
    }
    s.series = last.size();
    s.median = Median(std::move(errors));
    s.median_largest = Median(std::move(ends));
    summaries.push_back(s);
  }
  return summaries;
}

void Print(const std::vector<Result>& results, const std::vector<Summary>& summaries) {
  std::vector<std::string> sources;
  std::map<Series, std::vector<const Result*>> series;
  std::vector<Series> order;
  std::map<std::string, size_t> left_out;
  for (const Result& r : results) {
    if (!r.why_not.empty()) {
      ++left_out[absl::StrCat(r.row.system, " ", r.row.collective, ", ", r.row.library, ": ",
                              r.why_not)];
      continue;
    }
    std::vector<const Result*>& rows = series[SeriesOf(r)];
    if (rows.empty()) order.push_back(SeriesOf(r));
    rows.push_back(&r);
  }
  for (const Series& s : order) {
    const std::string& source = series[s].front()->row.source;
    size_t number = std::find(sources.begin(), sources.end(), source) - sources.begin();
    if (number == sources.size()) sources.push_back(source);
    PrintSeries(series[s], absl::StrCat("[", number + 1, "]"));
  }
  if (!sources.empty()) std::printf("\nSources\n");
  for (size_t i = 0; i < sources.size(); ++i) std::printf("[%zu] %s\n", i + 1, sources[i].c_str());
  if (!left_out.empty()) std::printf("\nNot evaluated\n");
  for (const auto& [what, rows] : left_out) {
    std::printf("%zu row%s of %s\n", rows, rows == 1 ? "" : "s", what.c_str());
  }
  std::printf("\n%-16s %5s %13s %26s %14s %18s\n", "system", "rows", "median error",
              "longest message of all", "of each series", "series within 5 %");
  for (const Summary& s : summaries) {
    std::printf("%-16s %5zu %11.1f %% %12lu B %+8.1f %% %12.1f %% %11zu of %zu\n", s.system.c_str(),
                s.rows, 100 * s.median, static_cast<unsigned long>(s.largest->row.bytes),
                100 * s.largest->error(), 100 * s.median_largest, s.within, s.series);
  }
}

absl::Status Write(const std::string& path, const std::vector<Result>& results,
                   const std::vector<Summary>& summaries) {
  nlohmann::json rows = nlohmann::json::array(), systems = nlohmann::json::array();
  for (const Result& r : results) {
    nlohmann::json row = {{"system", r.row.system},         {"collective", r.row.collective},
                          {"ranks", r.row.ranks},           {"nodes", r.row.nodes},
                          {"bytes", r.row.bytes},           {"metric", r.row.metric},
                          {"library", r.row.library},       {"source", r.row.source},
                          {"published", r.row.value}};
    if (r.why_not.empty()) {
      row["fabric"] = r.preset;
      row["algorithm"] = r.algorithm;
      row["predicted"] = r.predicted;
      row["error"] = r.error();
    } else {
      row["not_evaluated"] = r.why_not;
    }
    rows.push_back(std::move(row));
  }
  for (const Summary& s : summaries) {
    systems.push_back({{"system", s.system},
                       {"rows", s.rows},
                       {"median_error", s.median},
                       {"longest_bytes", s.largest->row.bytes},
                       {"longest_error", s.largest->error()},
                       {"series", s.series},
                       {"series_within_5_percent", s.within},
                       {"median_error_of_longest", s.median_largest}});
  }
  const nlohmann::json file = {{"tool", "cclbench calibrate --evaluate"},
                               {"systems", systems},
                               {"rows", rows}};
  // Names come from a file of any bytes.
  return WriteFile(path, file.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace

absl::StatusOr<int> Evaluate(const EvaluateOptions& o) {
  if (o.file.empty()) {
    return absl::InvalidArgumentError(
        "calibrate needs --evaluate FILE.csv, or the command fabric: see --help");
  }
  CCL_ASSIGN_OR_RETURN(const std::string text, ReadText(o.file));
  CCL_ASSIGN_OR_RETURN(const std::vector<Published> table, ParsePublished(text, o.file));
  std::map<std::string, std::string> maps;
  for (const std::string& map : o.maps) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(map, absl::MaxSplits('=', 1));
    if (parts.first.empty() || parts.second.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("--map '", map, "': write SYSTEM=PRESET"));
    }
    maps[parts.first] = parts.second;
  }
  Runner runner(o.sets);
  std::vector<Result> results;
  for (const Published& row : table) {
    if (!o.system.empty() && row.system != o.system) continue;
    Result result;
    result.row = row;
    auto stand = StandFor(row, maps[row.system]);
    absl::Status status = stand.status();
    if (stand.ok()) {
      result.preset = stand->preset;
      status = runner.Run(*stand, result);
    }
    if (!status.ok()) result.why_not = std::string(status.message());
    results.push_back(std::move(result));
  }
  if (results.empty()) {
    return absl::InvalidArgumentError(
        o.system.empty() ? absl::StrCat(o.file, ": has no rows")
                         : absl::StrCat(o.file, ": has no rows of system ", o.system));
  }
  const std::vector<Summary> summaries = Summarise(results);
  Print(results, summaries);
  if (!o.json.empty()) CCL_RETURN_IF_ERROR(Write(o.json, results, summaries));
  return 0;
}

}  // namespace ccl
