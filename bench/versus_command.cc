// cclbench versus: the command, and the launches that it makes of itself.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bench/commands.h"
#include "bench/temporary_folder.h"
#include "bench/versus.h"
#include "ccl/base/status.h"
#include "ccl/dumps.h"
#include "transports/mpi/load.h"

namespace ccl {

std::vector<std::string> LaunchWords(const VersusOptions& o, const std::string& program, bool mpich,
                                     const std::string& json) {
  std::vector<std::string> words = {mpich ? "mpirun.mpich" : "mpirun"};
  const auto add = [&](std::initializer_list<const char*> more) { words.insert(words.end(), more.begin(), more.end()); };
  if (!mpich) {
    add({"--allow-run-as-root"});
    if (o.np > static_cast<int>(std::thread::hardware_concurrency())) add({"--oversubscribe"});
    if (o.tuned && o.np >= 8) {
      add({"--mca", "coll_tuned_use_dynamic_rules", "1", "--mca", "coll_tuned_allreduce_algorithm", "1"});
    } else if (o.tuned) {
      add({"--mca", "pml", "ucx", "--mca", "pml_ucx_tls", "any", "--mca", "pml_ucx_devices", "any"});
    }
  }
  add({"-np"});
  words.push_back(absl::StrCat(o.np));
  words.push_back(program);
  add({"versus"});
  words.insert(words.end(), o.collectives.begin(), o.collectives.end());
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, std::string>>{
           {"--sizes", o.sizes}, {"--repetitions", absl::StrCat(o.repetitions)}, {"--root", absl::StrCat(o.root)},
           {"--buffers", o.buffers}, {"--peer", o.peer}, {"--algorithm", o.algorithm}, {"--json", json}}) {
    if (value.empty()) continue;
    words.emplace_back(name);
    words.push_back(value);
  }
  if (o.untouched) add({"--untouched"});
  if (o.tuned) add({"--tuned"});
  return words;
}

namespace {

bool IsMpich(const char* program) { return absl::EndsWith(program, "cclbench-mpich"); }

Against AgainstOf(const VersusOptions& o, const std::string& peer) {
  if (o.peer == "gloo") return Against::kGloo;
  if (absl::StartsWith(peer, "MPICH")) return Against::kMpich;
  return o.tuned ? Against::kTuned : Against::kOpenMpi;
}

// Of a command whose output goes nowhere unless `heard`; -1: it cannot be started.
int RunCommand(std::vector<std::string> words, bool heard) {
  const pid_t child = fork();
  if (child == 0) {
    if (!heard) dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    std::fprintf(stderr, "cclbench: versus: %s cannot be started: %s\n", arguments[0], std::strerror(errno));
    _exit(127);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// OK, or that there is no UCX to tune Open MPI with.
absl::Status CheckUcx() {
  std::FILE* const pipe = popen("ompi_info --parsable --param pml ucx 2>/dev/null", "r");
  std::string text;
  char part[256];
  while (pipe != nullptr && std::fgets(part, sizeof part, pipe) != nullptr) text += part;
  if (pipe != nullptr && pclose(pipe) == 0 && absl::StrContains(text, "mca:pml:ucx:version")) return absl::OkStatus();
  return absl::UnavailableError(
      "--tuned: Open MPI's best documented setting is UCX (--mca pml ucx), and ompi_info knows of no UCX here "
      "(Debian: libucx0)");
}

int Summary(const std::vector<VersusCell>& cells, Against against) {
  int missed = 0;
  int64_t wrong = 0;
  for (const VersusCell& cell : cells) {
    missed += Misses(cell, against) ? 1 : 0;
    wrong += cell.wrong;
  }
  std::printf("# %zu cells, %d missed, %s\n", cells.size(), missed, wrong == 0 ? "all results right" : "WRONG RESULTS");
  return wrong == 0 ? 0 : 1;
}

// One mpirun of this program, or several whose results are merged.
absl::StatusOr<int> LaunchVersus(const VersusOptions& o, bool mpich) {
  if (o.tuned && !mpich && o.np < 8) CCL_RETURN_IF_ERROR(CheckUcx());
  std::error_code error;
  std::string program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  if (error) return absl::UnavailableError(absl::StrCat("versus: /proc/self/exe: ", error.message()));
  if (o.launches == 1) return RunCommand(LaunchWords(o, program, mpich, o.json), true);
  CCL_ASSIGN_OR_RETURN(const std::string folder, MakeTemporaryFolder("versus"));
  const std::string json = absl::StrCat(folder, "/launch.json");
  std::vector<std::vector<VersusCell>> launches;
  absl::Status status;
  for (int i = 0; i < o.launches && status.ok(); ++i) {
    std::fprintf(stderr, "launch %d of %d\n", i + 1, o.launches);
    const int result = RunCommand(LaunchWords(o, program, mpich, json), false);
    std::stringstream text;
    text << std::ifstream(json).rdbuf();
    auto cells = ParseVersusJson(text.str());
    std::remove(json.c_str());
    // One that has results, but wrong ones, has written them down.
    if (cells.ok()) {
      launches.push_back(*std::move(cells));
    } else {
      status = absl::UnavailableError(absl::StrCat("versus: launch ", i + 1, " ended with status ", result));
    }
  }
  std::filesystem::remove_all(folder, error);
  CCL_RETURN_IF_ERROR(status);
  CCL_ASSIGN_OR_RETURN(const std::vector<VersusCell> cells, MergeLaunches(launches));
  if (cells.empty()) return absl::InvalidArgumentError("versus: nothing to compare");
  const Against against = AgainstOf(o, cells.front().peer);
  std::printf("%s", VersusHead(o, cells.front().peer, o.np).c_str());
  for (const VersusCell& cell : cells) std::printf("%s", VersusLine(cell, against).c_str());
  if (!o.json.empty()) CCL_RETURN_IF_ERROR(WriteFile(o.json, VersusJson(cells)));
  return Summary(cells, against);
}

// "Open MPI v4.1.4", "MPICH Version: 4.0.2".
std::string NameOf(std::string library) {
  library.resize(std::min(library.size(), library.find_first_of(",\n")));
  for (char& c : library) c = c == '\t' ? ' ' : c;
  return library;
}

absl::StatusOr<int> RunVersus(VersusOptions o, bool mpich) {
  if (o.np > 0) return LaunchVersus(o, mpich);
  if (o.launches > 1) return absl::InvalidArgumentError("versus: --launches needs --np, the processes to start");
  CCL_ASSIGN_OR_RETURN(const mpi::Collectives* mpi, MpiCollectives());
  CCL_RETURN_IF_ERROR(mpi->start());
  VersusPeer peer{NameOf(mpi->library()), true, mpi->run};
  if (o.peer == "gloo") {
    CCL_ASSIGN_OR_RETURN(peer, GlooPeer(*mpi));
  }
  const Against against = AgainstOf(o, peer.name);
  const bool speaks = mpi->rank() == 0;
  bool first = true;
  CCL_ASSIGN_OR_RETURN(const std::vector<VersusCell> cells,
                       MeasureVersus(o, *mpi, peer, [&](const VersusCell& cell) {
                         if (!speaks) return;
                         if (first) std::printf("%s", VersusHead(o, peer.name, cell.ranks).c_str());
                         first = false;
                         std::printf("%s", VersusLine(cell, against).c_str());
                         std::fflush(stdout);
                       }));
  if (!speaks) return 0;
  if (!o.json.empty()) CCL_RETURN_IF_ERROR(WriteFile(o.json, VersusJson(cells)));
  return Summary(cells, against);
}

}  // namespace

void AddVersus(CLI::App& app, Command& run, const char* program) {
  auto o = std::make_shared<VersusOptions>();
  CLI::App* sub = app.add_subcommand(
      "versus", "Time this library and the MPI's own collectives, or Gloo's, alternately, in one launch");
  sub->add_option("collectives", o->collectives, "allreduce reduce_scatter allgather broadcast alltoall ...");
  sub->add_option("-s,--sizes", o->sizes, "bytes of a rank's larger buffer: 8,1KiB or 8:1MiB:x4");
  sub->add_option("--np", o->np, "start so many processes with mpirun; else they have been started");
  sub->add_option("--launches", o->launches, "merge so many launches into one table, with --np")
      ->check(CLI::Range(1, 100));
  sub->add_option("-n,--repetitions", o->repetitions, "of a cell")->check(CLI::Range(3, 1000));
  sub->add_option("-r,--root", o->root, "root");
  sub->add_option("--buffers", o->buffers, "ordinary, allocated by cclMemAlloc, or of threads: ours are those of the first process")
      ->check(CLI::IsMember({"ordinary", "allocated", "threads"}));
  sub->add_option("--peer", o->peer, "mpi, whose processes these are, or gloo")->check(CLI::IsMember({"mpi", "gloo"}));
  sub->add_option("--algorithm", o->algorithm, "force an algorithm of this library");
  sub->add_flag("--untouched", o->untouched, "do not write and read the buffers between calls");
  sub->add_flag("--tuned", o->tuned, "against Open MPI's best documented setting; with --np");
  sub->add_option("--json", o->json, "write results to a file");
  const bool mpich = IsMpich(program);
  sub->callback([o, sub, mpich, &run] {
    run = [o, sub, mpich] {
      // Gloo has no reduce-scatter of equal blocks.
      if (o->peer == "gloo" && sub->count("collectives") == 0) {
        o->collectives = {"allreduce", "allgather", "broadcast", "alltoall"};
      }
      auto status = RunVersus(*o, mpich);
      return status.ok() ? *status : Fail(status.status());
    };
  });
}

}  // namespace ccl
