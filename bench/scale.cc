// How the simulator scales: the whole path from planner to fabric, every case in a process of its own.
#include <fnmatch.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "bench/commands.h"
#include "bench/scale_cases.h"
#include "ccl/dumps.h"
#include "nlohmann/json.hpp"

namespace ccl {
namespace {

struct ScaleOptions {
  int repetitions = 3;
  std::string only = "*", json, peer;
};

// What one process measured of one run.
struct Measured {
  int64_t messages = 0;
  int64_t time_ps = 0;
  int actors = 0;
  double cpu = 0, wall = 0, megabytes = 0;
  char error[256] = "";
};

double Cpu() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double Megabytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void Measure(const ScaleCase& c, Measured& m) {
  const auto begin = std::chrono::steady_clock::now();
  const double cpu = Cpu();
  auto run = RunScaleCase(c);
  if (!run.ok()) {
    std::snprintf(m.error, sizeof m.error, "%s", std::string(run.status().message()).c_str());
    return;
  }
  m.messages = run->messages;
  m.time_ps = run->time;
  m.actors = run->actors;
  m.cpu = Cpu() - cpu;
  m.wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  m.megabytes = Megabytes();
}

// In a process of its own, so that memory is its own.
Measured MeasureApart(const ScaleCase& c) {
  Measured m;
  const auto fail = [&](const char* what) {
    std::snprintf(m.error, sizeof m.error, "%s", what);
    return m;
  };
  int ends[2];
  if (pipe(ends) != 0) return fail("no pipe for the process of a case");
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) return fail("no process for a case");
  if (child == 0) {
    close(ends[0]);
    Measure(c, m);
    const bool written = write(ends[1], &m, sizeof m) == static_cast<ssize_t>(sizeof m);
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  const ssize_t got = read(ends[0], &m, sizeof m);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (got != static_cast<ssize_t>(sizeof m)) return fail("the process of the case ended early");
  return m;
}

// The peer's CPU seconds for the same case; negative when it has none.
double PeerCpu(const std::string& peer, const ScaleCase& c) {
  if (peer.empty() || !c.has_peer) return -1;
  const std::string command =
      absl::StrCat("'", peer, "' --collective ", std::string(Name(c.collective)), " --algorithm '",
                   c.algorithm, "' --ranks ", c.ranks, " --count ", ScaleCount(c), " --platform ", c.fabric,
                   " 2>/dev/null");
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return -1;
  std::string text;
  char line[512];
  while (std::fgets(line, sizeof line, pipe) != nullptr) text += line;
  if (pclose(pipe) != 0) return -1;
  const nlohmann::json result = nlohmann::json::parse(text, nullptr, false);
  if (!result.is_object() || !result.contains("cpu_s") || !result["cpu_s"].is_number()) return -1;
  return result["cpu_s"];
}

struct Spread {
  double median = 0, least = 0, most = 0;
};
Spread Of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return {values[values.size() / 2], values.front(), values.back()};
}

// The slope of log CPU over log messages: 1 is linear. Not a number unless they differ by ten times.
double Exponent(const std::vector<std::pair<double, double>>& points) {
  const auto ends = std::minmax_element(points.begin(), points.end());
  if (points.empty() || ends.second->first < 10 * ends.first->first) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const auto& [messages, seconds] : points) {
    const double a = std::log(messages), b = std::log(seconds);
    n += 1, x += a, y += b, xx += a * a, xy += a * b;
  }
  const double below = n * xx - x * x;
  return below > 0 ? (n * xy - x * y) / below : std::numeric_limits<double>::quiet_NaN();
}

int Scale(const ScaleOptions& o) {
  std::printf("Whole path, payload phantom, 64 MiB a rank; CPU of one thread in seconds: median [least..most] "
              "of %d\n", o.repetitions);
  std::printf("%-34s %-15s %7s %12s %24s %8s %8s %8s %9s %9s\n", "case", "fabric", "ranks", "messages",
              "CPU (s)", "wall (s)", "MB", "M msg/s", "target", "vs peer");
  nlohmann::json rows = nlohmann::json::array();
  std::vector<std::pair<double, double>> growth;
  bool failed = false;
  for (const ScaleCase& c : ScaleCases()) {
    const std::string name = absl::StrCat(c.name, " @ ", c.fabric);
    if (fnmatch(o.only.c_str(), name.c_str(), 0) != 0) continue;
    std::vector<double> cpu, wall, peer;
    Measured m;
    for (int i = 0; i < o.repetitions; ++i) {
      m = MeasureApart(c);
      if (m.error[0] != '\0') break;
      cpu.push_back(m.cpu);
      wall.push_back(m.wall);
      const double other = PeerCpu(o.peer, c);
      if (other >= 0) peer.push_back(other);
    }
    if (m.error[0] != '\0') {
      failed = true;
      std::printf("%-34s %-15s %7d  failed: %s\n", c.name.c_str(), c.fabric.c_str(), c.ranks, m.error);
      continue;
    }
    const Spread own = Of(cpu), others = Of(peer);
    const bool folded = m.actors < c.ranks;
    const double rate = static_cast<double>(m.messages) / own.median / 1e6;
    char text[64];
    std::snprintf(text, sizeof text, "%.3f [%.3f..%.3f]", own.median, own.least, own.most);
    std::printf("%-34s %-15s %7d %12lld %24s %8.3f %8.0f %8.2f %6.2f s%s", c.name.c_str(), c.fabric.c_str(),
                c.ranks, static_cast<long long>(m.messages), text, Of(wall).median, m.megabytes,
                rate, c.target, own.median <= c.target ? " " : "!");
    if (peer.empty()) {
      std::printf(" %9s", "-");
    } else {
      std::printf(" %8.1fx", others.median / own.median);
    }
    std::printf("%s\n", folded ? absl::StrCat("  by symmetry, ", m.actors, " ran").c_str() : "");
    std::fflush(stdout);
    if (!folded) growth.emplace_back(static_cast<double>(m.messages), own.median);
    rows.push_back({{"case", c.name}, {"fabric", c.fabric}, {"ranks", c.ranks}, {"bytes", c.bytes},
                    {"algorithm", c.algorithm}, {"messages", m.messages}, {"simulated_ranks", m.actors},
                    {"time_ps", m.time_ps}, {"cpu_s", own.median}, {"cpu_least_s", own.least},
                    {"cpu_most_s", own.most}, {"wall_s", Of(wall).median}, {"peak_mb", m.megabytes},
                    {"messages_per_s", rate * 1e6}, {"target_s", c.target},
                    {"repetitions", o.repetitions},
                    {"peer_cpu_s", peer.empty() ? nlohmann::json(nullptr) : nlohmann::json(others.median)},
                    {"ratio", peer.empty() ? nlohmann::json(nullptr)
                                           : nlohmann::json(others.median / own.median)}});
  }
  const double exponent = Exponent(growth);
  const bool grows = std::isfinite(exponent);
  if (grows) {
    std::printf("CPU grows as messages to the power of %.2f, over the %zu cases that ran whole\n", exponent,
                growth.size());
  }
  if (!o.json.empty()) {
    const nlohmann::json file = {{"tool", "cclbench scale"}, {"results", rows},
                                 {"growth_exponent", grows ? nlohmann::json(exponent)
                                                           : nlohmann::json(nullptr)}};
    if (absl::Status status = WriteFile(o.json, file.dump(1) + "\n"); !status.ok()) return Fail(status);
  }
  if (rows.empty() && !failed) {
    return Fail(absl::InvalidArgumentError(absl::StrCat("--only '", o.only, "' matches no case")));
  }
  return failed ? 1 : 0;
}

// Beside this program in a build tree.
std::string DefaultPeer() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length <= 0) return "";
  const std::string self(path, static_cast<size_t>(length));
  const std::string peer = absl::StrCat(self.substr(0, self.rfind('/')), "/simgrid/simgrid_peer");
  return access(peer.c_str(), X_OK) == 0 ? peer : "";
}

}  // namespace

void AddScale(CLI::App& app, Command& run) {
  auto o = std::make_shared<ScaleOptions>();
  o->peer = DefaultPeer();
  CLI::App* sub = app.add_subcommand("scale", "Speed, memory and growth of the simulator");
  sub->add_option("--repetitions", o->repetitions, "runs of every case")
      ->capture_default_str()->check(CLI::Range(1, 1000));
  sub->add_option("--only", o->only, "cases 'NAME @ FABRIC' that match, with * and ?")->capture_default_str();
  sub->add_option("--peer", o->peer, "simgrid_peer, another simulator to hold it against; default: the "
                                     "one that was built with cclbench");
  sub->add_option("--json", o->json, "write results to a file");
  sub->callback([o, &run] { run = [o] { return Scale(*o); }; });
}

}  // namespace ccl
