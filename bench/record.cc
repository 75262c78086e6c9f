#include "bench/record.h"

#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ccl/base/log.h"
#include "ccl/base/status.h"
#include "ccl/dumps.h"
#include "nlohmann/json.hpp"

namespace ccl {

double Record::busbw() const {
  const double n = ranks;
  if (collective == "allreduce") return algbw() * 2 * (n - 1) / n;
  for (absl::string_view whole : {"broadcast", "reduce", "sendrecv", "scan", "exscan"}) {
    if (collective == whole) return algbw();
  }
  return algbw() * (n - 1) / n;
}

std::string Record::AlgorithmText() const {
  if (actors.whole != Whole::kFolded) return algorithm;
  return absl::StrCat(algorithm, ", ", actors.ranks, actors.ranks == 1 ? " rank for " : " ranks for ",
                      ranks);
}

double Reached(double bound_seconds, double seconds) {
  return seconds > 0 ? bound_seconds / seconds : 1;
}

absl::Status WriteJson(const std::string& path, World& world, const std::string& url,
                       const std::vector<Record>& records) {
  nlohmann::json results = nlohmann::json::array();
  for (const Record& r : records) {
    nlohmann::json row = {{"collective", r.collective}, {"algorithm", r.algorithm},
                          {"ranks", r.ranks},           {"bytes", r.bytes},
                          {"count", r.count},           {"type", r.type},
                          {"op", r.op},                 {"payload", r.phantom ? "phantom" : "real"},
                          {"time_us", r.seconds * 1e6}, {"algbw_GBps", r.algbw()},
                          {"busbw_GBps", r.busbw()}};
    row["bound_us"] = r.bound_seconds > 0 ? nlohmann::json(r.bound_seconds * 1e6) : nullptr;
    row["bound_fraction"] = r.bound_seconds > 0 && r.seconds > 0
                                ? nlohmann::json(r.bound_seconds / r.seconds)
                                : nullptr;
    row["bound_constraint"] = r.constraint.empty() ? nlohmann::json(nullptr) : nlohmann::json(r.constraint);
    row["simulated_ranks"] = r.actors.ranks;
    row["simulated_whole_because"] = r.phantom && r.actors.whole != Whole::kFolded
                                         ? nlohmann::json(std::string(Describe(r.actors.whole)))
                                         : nlohmann::json(nullptr);
    row["extrapolated"] = r.extrapolated.empty() ? nlohmann::json(nullptr)
                                                 : nlohmann::json(r.extrapolated);
    row["wrong"] = r.wrong < 0 ? nlohmann::json(nullptr) : nlohmann::json(r.wrong);
    if (r.seeds > 0) {
      row["seeds"] = {{"count", r.seeds},
                      {"wins", r.wins},
                      {"time_us_min", r.least_seconds * 1e6},
                      {"time_us_max", r.most_seconds * 1e6}};
    }
    results.push_back(std::move(row));
  }
  nlohmann::json levels = nlohmann::json::array();
  for (const Level& level : world.topology().levels) {
    levels.push_back({{"name", level.name},
                      {"groups", level.grouping.groups()},
                      {"latency_ps", level.latency},
                      {"bandwidth_Bps", level.bandwidth}});
  }
  const std::string engine(world.engine().fabric_engine());
  const nlohmann::json file = {{"tool", "cclbench"},
                               {"version", "0.1.0"},
                               {"fabric", {{"ranks", world.topology().ranks}, {"levels", levels}}},
                               {"backend", WithoutSecret(url)},
                               {"engine", engine.empty() ? nlohmann::json(nullptr)
                                                         : nlohmann::json(engine)},
                               {"results", results}};
  return WriteFile(path, file.dump(1) + "\n");
}

absl::Status WriteCsv(const std::string& path, const std::vector<Record>& records) {
  std::ofstream out(path);
  out << "collective,algorithm,ranks,bytes,count,type,op,payload,time_us,algbw_GBps,busbw_GBps,"
         "bound_us,bound_constraint,wrong,extrapolated\n";
  for (const Record& r : records) {
    out << absl::StrCat(r.collective, ",", r.algorithm, ",", r.ranks, ",", r.bytes, ",", r.count, ",",
                        r.type, ",", r.op, ",", r.phantom ? "phantom" : "real", ",", r.seconds * 1e6,
                        ",", r.algbw(), ",", r.busbw(), ",", r.bound_seconds * 1e6, ",",
                        r.constraint, ",", r.wrong, ",", r.extrapolated.empty() ? 0 : 1, "\n");
  }
  out.flush();
  if (!out) return absl::UnavailableError(absl::StrCat("cannot write '", path, "'"));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint64_t>> ParseSizes(absl::string_view text) {
  std::vector<uint64_t> sizes;
  const std::vector<absl::string_view> range = absl::StrSplit(text, ':');
  if (range.size() == 1) {
    for (absl::string_view item : absl::StrSplit(text, ',')) {
      CCL_ASSIGN_OR_RETURN(uint64_t size, ParseSize(item));
      sizes.push_back(size);
    }
    return sizes;
  }
  if (range.size() > 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("sizes '", text, "': write FROM:TO:xFACTOR or a comma list"));
  }
  uint32_t factor = 4;
  if (range.size() == 3 && (range[2].empty() || range[2][0] != 'x' ||
                            !absl::SimpleAtoi(range[2].substr(1), &factor) || factor < 2)) {
    return absl::InvalidArgumentError(
        absl::StrCat("sizes '", text, "': the factor is written x2, x4, ..."));
  }
  CCL_ASSIGN_OR_RETURN(uint64_t from, ParseSize(range[0]));
  CCL_ASSIGN_OR_RETURN(uint64_t to, ParseSize(range[1]));
  if (from == 0 || from > to || to > (uint64_t{1} << 50)) {
    return absl::InvalidArgumentError(absl::StrCat("sizes '", text, "': need 0 < FROM <= TO"));
  }
  for (uint64_t size = from; size <= to; size *= factor) sizes.push_back(size);
  return sizes;
}

}  // namespace ccl
