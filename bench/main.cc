#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/commands.h"
#include "bench/heap.h"
#include "ccl/world.h"

// cclbench, and under the names all_reduce_perf, alltoall_perf, ... nccl-tests' programs.
int main(int argc, char** argv) {
  ccl::PrepareHeap(ccl::BackendOf({}).rfind("emulated:", 0) == 0);
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string path = argv[0];
  const std::string name = path.substr(path.rfind('/') + 1);
  const size_t suffix = name.rfind("_perf");
  if (suffix != std::string::npos && suffix + 5 == name.size()) {
    arguments.insert(arguments.begin(), {"perf", name.substr(0, suffix)});
  }
  CLI::App app("Collectives on real ranks and emulated fabrics: measure, compare, explain, prove");
  app.name("cclbench");
  app.set_help_all_flag("--help-all");
  app.set_version_flag("--version", "cclbench 0.1.0");
  app.require_subcommand(1);
  ccl::Command run;
  ccl::AddPerf(app, run);
  ccl::AddCompare(app, run);
  ccl::AddExplain(app, run);
  ccl::AddTrace(app, run);
  ccl::AddVerify(app, run);
  ccl::AddFabric(app, run);
  ccl::AddScale(app, run);
  ccl::AddCalibrate(app, run);
  ccl::AddList(app, run);
  ccl::AddOptions(app, run);
  ccl::AddFlight(app, run);
  ccl::AddVersus(app, run, argv[0]);
  ccl::AddLaunch(app, run);
  ccl::AddOverlap(app, run);
  // As mpirun has it.
  if (arguments.size() > 1 && arguments[0] == "launch" && arguments[1] == "-np") arguments[1] = "--np";
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    if (error.get_exit_code() == 0) return status;
    // A misspelt word gets the nearest one.
    std::vector<std::string> known;
    for (const CLI::App* sub : app.get_subcommands(nullptr)) {
      known.push_back(sub->get_name());
      for (const CLI::Option* option : sub->get_options()) {
        for (const std::string& long_name : option->get_lnames()) known.push_back("--" + long_name);
      }
    }
    for (const std::string& word : arguments) {
      const std::string flag = word.substr(0, word.find('='));
      if (flag.size() < 3 || std::find(known.begin(), known.end(), flag) != known.end()) continue;
      if (flag[0] != '-' && &word != &arguments[0]) continue;
      const std::string near = ccl::Nearest(flag, known);
      if (!near.empty()) std::fprintf(stderr, "Did you mean %s?\n", near.c_str());
    }
    return 2;
  }
  return run();
}
