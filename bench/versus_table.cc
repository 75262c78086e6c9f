// What versus prints and writes, and how launches become one table.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "bench/paired.h"
#include "bench/versus.h"
#include "nlohmann/json.hpp"

namespace ccl {
namespace {

constexpr double kNoise = 0.95;  // of being as fast

double TargetOf(const VersusCell& cell, double ping_pong_ns, Against against) {
  return VersusTarget(cell.collective, cell.ranks, cell.bytes, RegimeOf(ping_pong_ns), against,
                      cell.buffers != "ordinary");
}

bool Slower(const VersusCell& cell, double ratio, double ping_pong_ns, Against against) {
  const double least = RegimeOf(ping_pong_ns) == Regime::kOneCore ? 0 : kNoise;
  return ratio < std::max(TargetOf(cell, ping_pong_ns, against), least);
}

int LaunchesThatMiss(const VersusCell& cell, Against against) {
  int count = 0;
  for (size_t i = 0; i < cell.ratios.size(); ++i) {
    count += Slower(cell, cell.ratios[i], cell.ping_pongs[i], against) ? 1 : 0;
  }
  return count;
}

}  // namespace

bool Misses(const VersusCell& cell, Against against) {
  if (cell.ratios.empty()) return Slower(cell, cell.ratio, cell.ping_pong_ns, against);
  return 2 * LaunchesThatMiss(cell, against) > static_cast<int>(cell.ratios.size());
}

absl::StatusOr<std::vector<VersusCell>> MergeLaunches(const std::vector<std::vector<VersusCell>>& launches) {
  if (launches.empty()) return absl::InvalidArgumentError("no launch to merge");
  std::vector<VersusCell> merged;
  for (size_t i = 0; i < launches.front().size(); ++i) {
    VersusCell cell = launches.front()[i];
    std::vector<double> peer, ours;
    cell.wrong = 0;
    for (const std::vector<VersusCell>& launch : launches) {
      if (launch.size() != launches.front().size() || launch[i].collective != cell.collective ||
          launch[i].bytes != cell.bytes || launch[i].ranks != cell.ranks) {
        return absl::InvalidArgumentError("launches have measured different cells");
      }
      peer.push_back(launch[i].peer_us);
      ours.push_back(launch[i].ccl_us);
      cell.ratios.push_back(launch[i].ratio);
      cell.ping_pongs.push_back(launch[i].ping_pong_ns);
      cell.wrong += launch[i].wrong;
    }
    cell.peer_us = Median(peer);
    cell.ccl_us = Median(ours);
    cell.ratio = Median(cell.ratios);
    cell.low = *std::min_element(cell.ratios.begin(), cell.ratios.end());
    cell.high = *std::max_element(cell.ratios.begin(), cell.ratios.end());
    cell.ping_pong_ns = Median(cell.ping_pongs);
    merged.push_back(std::move(cell));
  }
  return merged;
}

std::string VersusHead(const VersusOptions& o, const std::string& peer, int ranks) {
  const bool several = o.launches > 1;
  return absl::StrCat(
      absl::StrFormat("# %s's time over ccl's, %d ranks on %u processors, float32 sum, %s buffers, %s%s%s\n", peer,
                      ranks, std::thread::hardware_concurrency(), o.buffers == "threads" ? "threads'" : o.buffers,
                      o.untouched ? "untouched" : "touched", o.tuned ? ", tuned" : "",
                      several ? absl::StrCat(", ", o.launches, " launches") : ""),
      absl::StrFormat("# %-14s %10s %12s %12s %7s %15s %7s  %s\n", "collective", "bytes",
                      o.peer == "gloo" ? "Gloo us" : "MPI us", "ccl us", "ratio",
                      several ? "least and most" : "middle half", "target",
                      several ? "one way of a line, by launch" : "one way of a line"));
}

std::string VersusLine(const VersusCell& cell, Against against) {
  const double target = TargetOf(cell, cell.ping_pong_ns, against);
  std::string line = absl::StrFormat(
      "  %-14s %10d %12.2f %12.2f %7.2f %7.2f-%-7.2f %7s  ", std::string(Name(cell.collective)), cell.bytes,
      cell.peer_us, cell.ccl_us, cell.ratio, cell.low, cell.high, target > 0 ? absl::StrCat(target) : "-");
  if (cell.ratios.empty()) {
    absl::StrAppendFormat(&line, "%.0f ns, %s", cell.ping_pong_ns, std::string(Name(RegimeOf(cell.ping_pong_ns))));
  } else {
    absl::StrAppend(&line, absl::StrJoin(cell.ping_pongs, " ", [](std::string* out, double ns) {
                      absl::StrAppendFormat(out, "%.0f", ns);
                    }), " ns, most ", std::string(Name(RegimeOf(cell.ping_pong_ns))));
  }
  if (Misses(cell, against)) {
    absl::StrAppend(&line, "  MISSED");
    if (!cell.ratios.empty()) {
      absl::StrAppend(&line, " by ", LaunchesThatMiss(cell, against), " of ", cell.ratios.size());
    }
  }
  absl::StrAppend(&line, cell.wrong > 0 ? "  WRONG RESULTS" : "", "\n");
  return line;
}

std::string VersusJson(const std::vector<VersusCell>& cells) {
  nlohmann::json results = nlohmann::json::array();
  for (const VersusCell& c : cells) {
    nlohmann::json row = {{"collective", std::string(Name(c.collective))},
                          {"bytes", c.bytes},
                          {"ranks", c.ranks},
                          {"buffers", c.buffers},
                          {"touched", c.touched},
                          {"peer", c.peer},
                          {"peer_us", c.peer_us},
                          {"ccl_us", c.ccl_us},
                          {"ratio", c.ratio},
                          {"ratio_low", c.low},
                          {"ratio_high", c.high},
                          {"pingpong_ns", c.ping_pong_ns},
                          {"wrong", c.wrong}};
    if (!c.ratios.empty()) {
      row["ratio_launches"] = c.ratios;
      row["pingpong_launches_ns"] = c.ping_pongs;
    }
    results.push_back(std::move(row));
  }
  return nlohmann::json{{"results", results}}.dump(1) + "\n";
}

absl::StatusOr<std::vector<VersusCell>> ParseVersusJson(const std::string& text) {
  std::vector<VersusCell> cells;
  try {
    const nlohmann::json parsed = nlohmann::json::parse(text);
    for (const nlohmann::json& row : parsed.at("results")) {
      VersusCell c;
      auto collective = ParseCollective(row.at("collective").get<std::string>());
      if (!collective.ok()) return collective.status();
      c.collective = *collective;
      row.at("bytes").get_to(c.bytes);
      row.at("ranks").get_to(c.ranks);
      row.at("buffers").get_to(c.buffers);
      row.at("touched").get_to(c.touched);
      row.at("peer").get_to(c.peer);
      row.at("peer_us").get_to(c.peer_us);
      row.at("ccl_us").get_to(c.ccl_us);
      row.at("ratio").get_to(c.ratio);
      row.at("ratio_low").get_to(c.low);
      row.at("ratio_high").get_to(c.high);
      row.at("pingpong_ns").get_to(c.ping_pong_ns);
      row.at("wrong").get_to(c.wrong);
      cells.push_back(std::move(c));
    }
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("no results of versus: ", error.what()));
  }
  return cells;
}

}  // namespace ccl
