#include "bench/calibrate.h"

#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "bench/commands.h"
#include "bench/evaluate.h"

namespace ccl {
namespace {

int ExitOf(const absl::StatusOr<int>& status) {
  return status.ok() ? *status : Fail(status.status());
}

// As it could be called again.
std::string CommandOf(const CalibrateOptions& o) {
  std::string command = "cclbench calibrate fabric";
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) absl::StrAppend(&command, " ", option, " ", value);
  };
  for (const std::string& file : o.from) add("--from", file);
  if (o.live) absl::StrAppend(&command, " --live");
  add("--like", o.like);
  add("--library", o.library);
  add("--collective", o.hints.collective);
  add("--ranks", o.hints.ranks > 0 ? absl::StrCat(o.hints.ranks) : "");
  add("--name", o.name);
  for (char& c : command) {
    if (!absl::ascii_isprint(c)) c = '?';  // it goes into a comment
  }
  return command;
}

}  // namespace

void AddCalibrate(CLI::App& app, Command& run) {
  CLI::App* sub =
      app.add_subcommand("calibrate", "Fabrics against measurements: how good one is, or make one");
  auto evaluate = std::make_shared<EvaluateOptions>();
  sub->add_option("--evaluate", evaluate->file,
                  "CSV of published measurements: predicted beside published, and what remains");
  sub->add_option("--json", evaluate->json, "write the results to a file");
  sub->add_option("--system", evaluate->system, "rows of this system only");
  sub->add_option("--map", evaluate->maps, "SYSTEM=PRESET: the fabric that stands for a system");
  sub->add_option("--set", evaluate->sets, "KEY=VALUE of the fabric");
  auto o = std::make_shared<CalibrateOptions>();
  CLI::App* fabric = sub->add_subcommand("fabric", "Fit a fabric to measurements and write its file");
  fabric->add_option("--from", o->from, "logs of nccl-tests, hccl_test or cclbench perf, or CSV");
  fabric->add_flag("--live", o->live, "measure the ranks of mpirun");
  fabric->add_option("--like", o->like, "preset or file whose structure it has; default: one switch");
  fabric->add_option("--library", o->library,
                     "NCCL or HCCL: whose algorithms the times are of; default: the log's");
  fabric->add_option("--collective", o->hints.collective, "of logs that do not say");
  fabric->add_option("--ranks", o->hints.ranks, "of logs that do not say");
  fabric->add_option("--name", o->name, "of the fabric")->capture_default_str();
  fabric->add_option("-o,--out", o->out, "file to write; default: NAME.toml");
  auto m = std::make_shared<MachineOptions>();
  CLI::App* machine = sub->add_subcommand(
      "machine", "Measure the ranks of mpirun, and keep the figures for the plans of later jobs");
  machine->add_option("--passes", m->passes, "over all collectives and sizes, of which the median counts")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  machine->add_option("-n,--repetitions", m->repetitions, "of each time in a pass, of which the median counts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  machine->add_option("--largest", m->largest, "bytes of a rank's larger buffer")->capture_default_str();
  sub->callback([machine, m, fabric, evaluate, o, &run] {
    if (machine->parsed()) {
      run = [m] { return ExitOf(CalibrateMachine(*m)); };
      return;
    }
    if (!fabric->parsed()) {
      run = [evaluate] { return ExitOf(Evaluate(*evaluate)); };
      return;
    }
    run = [o] {
      o->command = CommandOf(*o);
      return ExitOf(CalibrateFabric(*o));
    };
  });
}

}  // namespace ccl
