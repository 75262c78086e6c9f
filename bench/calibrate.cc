#include <memory>

#include "CLI/CLI.hpp"
#include "bench/commands.h"
#include "bench/evaluate.h"

namespace ccl {

void AddCalibrate(CLI::App& app, Command& run) {
  auto evaluate = std::make_shared<EvaluateOptions>();
  CLI::App* sub =
      app.add_subcommand("calibrate", "Fabrics against measurements: how good one is, or make one");
  sub->add_option("--evaluate", evaluate->file,
                  "CSV of published measurements: predicted beside published, and what remains");
  sub->add_option("--json", evaluate->json, "write the results to a file");
  sub->add_option("--system", evaluate->system, "rows of this system only");
  sub->add_option("--map", evaluate->maps, "SYSTEM=PRESET: the fabric that stands for a system");
  sub->add_option("--set", evaluate->sets, "KEY=VALUE of the fabric");
  sub->callback([sub, evaluate, &run] {
    if (evaluate->file.empty()) throw CLI::RequiredError("--evaluate FILE.csv");
    run = [evaluate] {
      auto status = Evaluate(*evaluate);
      return status.ok() ? *status : Fail(status.status());
    };
  });
}

}  // namespace ccl
