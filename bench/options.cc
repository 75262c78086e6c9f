// cclbench options: every option with its value and where it comes from.
#include <cstdio>
#include <memory>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "bench/commands.h"
#include "ccl/options.h"
#include "ccl/topology/measured.h"

namespace ccl {
namespace {

int PrintOptions(const Options& stated) {
  auto settings = Settings(stated);
  if (!settings.ok()) return Fail(settings.status());
  std::printf("%-16s %-22s %-12s %s\n", "option", "variable", "origin", "value");
  for (const Setting& s : *settings) {
    std::printf("%-16s %-22s %-12s %s\n", s.field.empty() ? "-" : s.field.c_str(),
                s.variable.empty() ? "-" : s.variable.c_str(), s.origin.c_str(), s.value.c_str());
    std::printf("%-52s (%s)\n", "", s.meaning.c_str());
  }
  auto job = Job::Open(stated, 0);
  if (!job.ok()) return Fail(job.status());
  if (!(*job)->speaks()) return 0;
  Engine& engine = (*job)->world().engine();
  const Abilities has = engine.abilities();
  const Topology& topology = (*job)->world().topology();
  if (!has.virtual_time && engine.ranks() > 1) {
    const std::string path = MachinePath(KeyOf(engine.backend_name(), topology));
    const auto host = HostKeyOf(engine.backend_name(), topology);
    if (host.has_value() && ReadMachine(*host).ok()) {
      std::printf("\nwithin hosts plans go by what was measured in %s\n", MachinePath(*host).c_str());
    }
    std::printf("\nplans go by %s\n",
                topology.measured != nullptr ? absl::StrCat("what was measured of such jobs, ", path).c_str()
                                             : "typical figures; cclbench calibrate machine measures those of a job");
  }
  std::printf("\n%d ranks over %s; operations progress ", engine.ranks(),
              std::string(engine.backend_name()).c_str());
  if (has.virtual_time) {
    std::printf("when every rank waits: the time is virtual\n");
  } else if (has.threads == Threads::kAny && !(*job)->world().options().progress_thread) {
    std::printf("only inside calls: CCL_PROGRESS_THREAD is off\n");
  } else if (has.threads == Threads::kAny) {
    std::printf("by themselves (MPI_THREAD_MULTIPLE)\n");
  } else {
    std::printf("only inside calls%s: the program has started MPI below MPI_THREAD_MULTIPLE\n",
                has.threads == Threads::kOne ? " of the thread that made the communicator" : "");
  }
  return 0;
}

}  // namespace

void AddOptions(CLI::App& app, Command& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("options", "Every option: its value, and where it comes from");
  command->add_option("--backend", options->backend, "As a program would state it");
  command->add_option("--algorithms", options->algorithms, "Likewise");
  command->callback([options, &run] { run = [options] { return PrintOptions(*options); }; });
}

}  // namespace ccl
