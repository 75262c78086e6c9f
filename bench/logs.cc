#include "bench/logs.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "bench/csv.h"
#include "ccl/algorithms/algorithm.h"
#include "ccl/base/status.h"

namespace ccl {
namespace {

constexpr size_t kLongestLine = 4096;  // of a table; what is longer is none of it

template <typename... Parts>
absl::Status Wrong(absl::string_view path, const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", parts...));
}

// "all_reduce", "alltoall", "sendrecv"; false: none.
bool SetName(absl::string_view name, Sample& sample) {
  if (name == "sendrecv") return sample.sendrecv = true;
  const auto collective = ParseCollective(name);
  if (!collective.ok()) return false;
  sample.collective = *collective;
  return true;
}

// The program whose name ends in `suffix`, "_perf" or "_test", if the line has one.
absl::string_view ProgramOf(absl::string_view line, absl::string_view suffix) {
  for (size_t at = line.find(suffix); at != absl::string_view::npos;
       at = line.find(suffix, at + 1)) {
    size_t begin = at;
    while (begin > 0 && (absl::ascii_isalnum(line[begin - 1]) || line[begin - 1] == '_')) --begin;
    Sample sample;
    const absl::string_view name = line.substr(begin, at - begin);
    if (SetName(name, sample)) return name;
  }
  return "";
}

bool Plausible(double bytes, double us) {
  return std::isfinite(us) && us > 0 && us < 1e12 && bytes >= 1 && bytes < 1e15;
}

// size count type [redop [root]] time algbw busbw ...: the time is what makes the bandwidth of the size.
bool NcclRow(const std::vector<absl::string_view>& words, double& bytes, double& us, double& ratio) {
  uint64_t size = 0, count = 0;
  if (words.size() < 6 || !absl::SimpleAtoi(words[0], &size) ||
      !absl::SimpleAtoi(words[1], &count)) {
    return false;
  }
  bytes = static_cast<double>(size);
  for (size_t i = 3; i + 2 < words.size() && i <= 5; ++i) {
    double algbw = 0, busbw = 0;
    if (!absl::SimpleAtod(words[i], &us) || !absl::SimpleAtod(words[i + 1], &algbw) ||
        !absl::SimpleAtod(words[i + 2], &busbw) || !Plausible(bytes, us)) {
      continue;
    }
    const double expected = bytes / us / 1e3;
    if (std::abs(algbw - expected) > std::max(0.011, 0.02 * expected)) continue;
    ratio = algbw >= 1 ? busbw / algbw : 0;
    return true;
  }
  return false;
}

struct Known {
  std::string collective;
  int ranks = 0;
};

// What a line says about the run: nccl-tests' header, our own, a command line.
void Learn(absl::string_view line, absl::string_view suffix, Known& known, int& listed) {
  const absl::string_view program = ProgramOf(line, suffix);
  if (!program.empty()) known.collective = std::string(program);
  const std::vector<absl::string_view> words =
      absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    int number = 0;
    if (!absl::SimpleAtoi(words[i + 1], &number) || number < 1) continue;
    if (words[i] == "nRanks" || (absl::StrContains(line, "mpirun") &&
                                 (words[i] == "-n" || words[i] == "-np"))) {
      known.ranks = number;
    }
    if (words[0] == "#" && words[i] == "Rank") listed = std::max(listed, number + 1);
  }
  if (absl::StartsWith(line, "#  Rank  0 ")) listed = std::max(listed, 1);
}

absl::Status Complete(absl::string_view path, const LogHints& hints, const Known& known,
                      Sample& sample) {
  const std::string name = hints.collective.empty() ? known.collective : hints.collective;
  if (name.empty()) {
    return Wrong(path, "does not say which collective it measured; --collective NAME does");
  }
  if (!SetName(name, sample)) return Wrong(path, "\"", name, "\" is not a collective");
  sample.ranks = hints.ranks > 0 ? hints.ranks : known.ranks;
  if (sample.ranks < 2 || sample.ranks > (1 << 20)) {
    return Wrong(path, sample.ranks == 0 ? "does not say" : "has no sensible answer to",
                 " how many ranks it measured; --ranks N does");
  }
  return absl::OkStatus();
}

// The number of ranks that makes busbw of algbw, where the collective has such a factor.
int RanksFrom(const Sample& sample, double ratio) {
  if (sample.sendrecv || ratio <= 0) return 0;
  switch (sample.collective) {
    case Collective::kAllReduce:
      return ratio < 2 ? static_cast<int>(std::lround(2 / (2 - ratio))) : 0;
    case Collective::kBroadcast:
    case Collective::kReduce:
    case Collective::kBarrier:
      return 0;
    default:
      return ratio < 1 ? static_cast<int>(std::lround(1 / (1 - ratio))) : 0;
  }
}

absl::StatusOr<std::vector<Sample>> ParseTable(absl::string_view text, absl::string_view path,
                                               const LogHints& hints, bool hccl) {
  std::vector<Sample> samples;
  Known known;
  int listed = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (line.size() > kLongestLine) continue;
    const absl::string_view separators = hccl ? " \t\r|" : " \t\r";
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(separators), absl::SkipEmpty());
    double bytes = 0, us = 0, ratio = 0, bandwidth = 0;
    bool row = false;
    if (!hccl) {
      row = NcclRow(words, bytes, us, ratio);
    } else if (words.size() >= 3 && absl::StrContains(line, "|")) {
      row = absl::SimpleAtod(words[0], &bytes) && absl::SimpleAtod(words[1], &us) &&
            absl::SimpleAtod(words[2], &bandwidth) && Plausible(bytes, us) &&
            std::abs(bandwidth - bytes / us / 1e3) <= std::max(0.011, 0.02 * bandwidth);
    }
    if (!row) {
      Learn(line, hccl ? "_test" : "_perf", known, listed);
      continue;
    }
    Known here = known;
    Sample sample;
    if (here.ranks == 0) here.ranks = listed;
    const std::string& name = hints.collective.empty() ? here.collective : hints.collective;
    if (here.ranks == 0 && SetName(name, sample)) here.ranks = RanksFrom(sample, ratio);
    sample = Sample();
    CCL_RETURN_IF_ERROR(Complete(path, hints, here, sample));
    sample.bytes = static_cast<uint64_t>(bytes);
    const bool blocks = !sample.sendrecv && (sample.collective == Collective::kAllGather ||
                                             sample.collective == Collective::kReduceScatter);
    if (hccl && blocks) sample.bytes *= static_cast<uint64_t>(sample.ranks);
    sample.seconds = us * 1e-6;
    sample.library = hccl ? "HCCL" : "NCCL";
    // Behind the last column of our own table stands the algorithm.
    constexpr size_t kAlgorithm = 13;
    if (!hccl && words.size() > kAlgorithm) {
      const absl::string_view name = absl::StripSuffix(words[kAlgorithm], ",");
      const auto spec = ParseAlgorithm(name);
      if (spec.ok() && (spec->name == "hier" || FindAlgorithm(spec->name) != nullptr)) {
        sample.algorithm = std::string(name);
      }
    }
    samples.push_back(std::move(sample));
  }
  if (samples.empty()) {
    return Wrong(path, "has no line of a table of ", hccl ? "hccl_test" : "nccl-tests",
                 hccl ? " (data_size | aveg_time | alg_bandwidth)"
                      : " (size, count, type, .., time, algbw, busbw), and is no CSV file");
  }
  return samples;
}

absl::StatusOr<std::vector<Sample>> ParseColumns(absl::string_view text, absl::string_view path) {
  auto rows = ParseCsv(text, path, {"collective", "ranks", "bytes", "time_us"});
  if (!rows.ok()) return rows.status();
  std::vector<Sample> samples;
  for (const CsvRow& row : *rows) {
    Sample sample;
    CCL_ASSIGN_OR_RETURN(const double ranks, NumberOf(row, "ranks", path));
    CCL_ASSIGN_OR_RETURN(const double bytes, NumberOf(row, "bytes", path));
    CCL_ASSIGN_OR_RETURN(const double us, NumberOf(row, "time_us", path));
    const std::string& name = row.fields.at("collective");
    const auto algorithm = row.fields.find("algorithm");
    if (algorithm != row.fields.end()) sample.algorithm = algorithm->second;
    const std::string where = absl::StrCat(path, ":", row.line);
    CCL_RETURN_IF_ERROR(Complete(where, {name, static_cast<int>(std::min(ranks, 2e9))}, {}, sample));
    if (!Plausible(bytes, us)) return Wrong(where, "bytes and time_us must be above 0");
    sample.bytes = static_cast<uint64_t>(bytes);
    sample.seconds = us * 1e-6;
    samples.push_back(std::move(sample));
  }
  if (samples.empty()) return Wrong(path, "has no rows");
  return samples;
}

}  // namespace

absl::StatusOr<std::vector<Sample>> ParseLog(absl::string_view text, absl::string_view path,
                                             const LogHints& hints) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (line.empty() || line[0] == '#' || line.size() > kLongestLine) continue;
    if (absl::StrContains(line, "collective,") && absl::StrContains(line, "time_us")) {
      return ParseColumns(text, path);
    }
    break;
  }
  return ParseTable(text, path, hints, absl::StrContains(text, "data_size"));
}

}  // namespace ccl
