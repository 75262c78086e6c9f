#ifndef BENCH_COMMANDS_H_
#define BENCH_COMMANDS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "bench/job.h"

namespace CLI {
class App;
}

namespace ccl {

// Each adds its subcommand; `run` is set when the subcommand was given, and returns the exit status.
using Command = std::function<int()>;
void AddPerf(CLI::App& app, Command& run);
void AddCompare(CLI::App& app, Command& run);
void AddExplain(CLI::App& app, Command& run);
void AddTrace(CLI::App& app, Command& run);
void AddVerify(CLI::App& app, Command& run);
void AddCalibrate(CLI::App& app, Command& run);
void AddFabric(CLI::App& app, Command& run);
void AddScale(CLI::App& app, Command& run);
void AddList(CLI::App& app, Command& run);
void AddOptions(CLI::App& app, Command& run);
void AddFlight(CLI::App& app, Command& run);
// By its name, cclbench or cclbench-mpich, the program starts itself under one mpirun or the other.
void AddVersus(CLI::App& app, Command& run, const char* program);
void AddLaunch(CLI::App& app, Command& run);
void AddOverlap(CLI::App& app, Command& run);

// Prints the error to stderr; the exit status of a command that failed.
int Fail(const absl::Status& status);

// The collective of a command line, "sendrecv" included.
absl::Status SetCollective(absl::string_view name, Trial& trial);
std::string CollectiveName(const Trial& trial);

// "emulated:FABRIC?engine=E&set=...&event=..." from the options every command shares; E may be empty. `whole`:
// every rank is simulated, whatever the symmetry.
std::string FabricUrl(const std::string& fabric, const std::string& engine,
                      const std::vector<std::string>& sets, const std::vector<std::string>& events,
                      bool whole = false);

// Prints the elasticity of a trial's time to every parameter of an emulated fabric: by how many per
// cent it changes for one per cent of the parameter, the algorithm kept.
absl::Status PrintSensitivity(const std::string& fabric, const std::string& engine,
                              const std::vector<std::string>& sets, const std::vector<std::string>& events,
                              int ranks, Trial trial);

// The known word nearest to `word`, or "" when none is near.
std::string Nearest(absl::string_view word, const std::vector<std::string>& known);

// The sizes that a trial is run at: those asked for; of a barrier, which has no bytes, 0.
std::vector<uint64_t> SizesOf(const Trial& trial, std::vector<uint64_t> sizes);

// The count and the size column of a trial that asks for `size` bytes of the larger buffer. perf
// rounds a rank's block down to 16 bytes as nccl-tests does; compare takes at least one element.
uint64_t CountOf(const Trial& trial, uint64_t size, int ranks, bool round_up);
uint64_t SizeColumn(const Trial& trial, uint64_t count, int ranks);

}  // namespace ccl

#endif  // BENCH_COMMANDS_H_
