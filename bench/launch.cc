// cclbench launch: the ranks of one host as processes, without MPI.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "bench/commands.h"

namespace ccl {
namespace {

constexpr int kSecondsToEnd = 5;  // after which those who were told to end are killed

struct LaunchOptions {
  int ranks = 1;
  bool keep = false;
  std::string root;
  std::vector<std::string> command;
};

absl::StatusOr<int> FreePort() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool good = descriptor >= 0 && bind(descriptor, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                    getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  const absl::Status error = absl::UnavailableError(absl::StrCat("launch: a free port: ", std::strerror(errno)));
  if (descriptor >= 0) close(descriptor);
  if (!good) return error;
  return ntohs(address.sin_port);
}

// Variables that are set are kept: several launches, one a host, may make one job.
void SetUnlessSet(const char* name, const std::string& value) { setenv(name, value.c_str(), 0); }

absl::Status SetEnvironment(const LaunchOptions& o) {
  auto port = FreePort();
  if (!port.ok()) return port.status();
  unsigned char secret[16];
  if (getrandom(secret, sizeof secret, 0) != sizeof secret) {
    return absl::UnavailableError(absl::StrCat("launch: getrandom: ", std::strerror(errno)));
  }
  std::string text;
  for (unsigned char byte : secret) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", byte);
    text += two;
  }
  SetUnlessSet("CCL_SECRET", text);
  SetUnlessSet("CCL_BACKEND", "tcp:");
  SetUnlessSet("MASTER_ADDR", "127.0.0.1");
  SetUnlessSet("MASTER_PORT", absl::StrCat(*port));
  SetUnlessSet("WORLD_SIZE", absl::StrCat(o.ranks));
  setenv("LOCAL_WORLD_SIZE", absl::StrCat(o.ranks).c_str(), 1);
  return absl::OkStatus();
}

[[noreturn]] void Become(const LaunchOptions& o, int first, int local, const sigset_t& mask, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  setenv("RANK", absl::StrCat(first + local).c_str(), 1);
  setenv("LOCAL_RANK", absl::StrCat(local).c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& word : o.command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  std::fprintf(stderr, "cclbench launch: %s: %s\n", arguments[0], std::strerror(errno));
  _exit(127);
}

void SignalAll(const std::vector<pid_t>& processes, int signal) {
  for (pid_t process : processes) {
    if (process > 0) kill(process, signal);
  }
}

// Waits for all. The first failure ends the others, unless `keep`; its status is the result.
int Attend(std::vector<pid_t> processes, bool keep, const sigset_t& signals) {
  int result = 0;
  size_t left = processes.size();
  time_t deadline = 0;  // 0: nobody has been told to end
  while (left > 0) {
    const timespec second{1, 0};
    const int signal = sigtimedwait(&signals, nullptr, &second);
    if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP) {
      SignalAll(processes, signal);
      if (result == 0) result = 128 + signal;
      if (deadline == 0) deadline = time(nullptr) + kSecondsToEnd;
    }
    int status = 0;
    for (pid_t ended = 0; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
      for (size_t rank = 0; rank < processes.size(); ++rank) {
        if (processes[rank] != ended) continue;
        processes[rank] = 0;
        --left;
        const int own = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (own == 0 || result != 0) continue;
        result = own;
        if (WIFSIGNALED(status)) {
          std::fprintf(stderr, "cclbench launch: rank %zu (process %d) was ended by signal %d\n", rank,
                       static_cast<int>(ended), WTERMSIG(status));
        }
        if (keep) continue;
        SignalAll(processes, SIGTERM);
        if (deadline == 0) deadline = time(nullptr) + kSecondsToEnd;
      }
    }
    if (deadline != 0 && time(nullptr) >= deadline) SignalAll(processes, SIGKILL);
  }
  return result;
}

absl::StatusOr<int> Launch(const LaunchOptions& o) {
  if (o.command.empty()) return absl::InvalidArgumentError("launch: no command; write launch --np N -- COMMAND");
  if (absl::Status status = SetEnvironment(o); !status.ok()) return status;
  const char* first_rank = std::getenv("RANK");  // of this host's
  const int first = first_rank == nullptr ? 0 : std::atoi(first_rank);
  sigset_t signals, before;
  sigemptyset(&signals);
  for (int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  sigprocmask(SIG_BLOCK, &signals, &before);
  std::vector<pid_t> processes;
  const pid_t parent = getpid();
  for (int local = 0; local < o.ranks; ++local) {
    const pid_t process = fork();
    if (process == 0) Become(o, first, local, before, parent);
    if (process < 0) {
      const absl::Status error = absl::ResourceExhaustedError(absl::StrCat("launch: fork: ", std::strerror(errno)));
      SignalAll(processes, SIGKILL);
      return error;
    }
    processes.push_back(process);
  }
  const int result = Attend(std::move(processes), o.keep, signals);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return result;
}

}  // namespace

void AddLaunch(CLI::App& app, Command& run) {
  auto o = std::make_shared<LaunchOptions>();
  CLI::App* sub = app.add_subcommand("launch", "Start a command as the ranks of one host, without MPI");
  sub->add_option("-n,--np", o->ranks, "processes; -np N does as well")->check(CLI::Range(1, 4096));
  sub->add_flag("--keep", o->keep, "when one fails the others go on");
  sub->add_option("command", o->command, "and its arguments, behind --");
  sub->footer("Sets RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, and what is not set of MASTER_ADDR,\n"
              "MASTER_PORT, CCL_SECRET and CCL_BACKEND (tcp:). Passes on SIGINT, SIGTERM and SIGHUP, ends the\n"
              "others when one fails, and ends with the status of the first that failed. For several hosts:\n"
              "one launch on each, with those variables, WORLD_SIZE and RANK (of its first process) set.");
  sub->callback([o, &run] {
    run = [o] {
      auto status = Launch(*o);
      return status.ok() ? *status : Fail(status.status());
    };
  });
}

}  // namespace ccl
