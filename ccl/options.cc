#include "ccl/options.h"

#include <cstdlib>
#include <cstring>
#include <mutex>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ccl/base/log.h"
#include "ccl/dump_options.h"

namespace ccl {
namespace {

const char* const kDeterminism[] = {"off", "run-to-run", "shape-invariant"};

std::string Yes(bool value) { return value ? "yes" : "no"; }

absl::Status ReadFlag(absl::string_view text, bool& value) {
  const std::string word = absl::AsciiStrToLower(text);
  value = word == "1" || word == "on" || word == "yes";
  if (value || word == "0" || word == "off" || word == "no") return absl::OkStatus();
  return absl::InvalidArgumentError("on or off");
}

template <typename T>
absl::Status ReadNumber(absl::string_view text, T low, T high, T& value) {
  T read = 0;
  if (!absl::SimpleAtoi(text, &read) || read < low || read > high) {
    return absl::InvalidArgumentError(absl::StrCat("a number in ", low, "..", high));
  }
  value = read;
  return absl::OkStatus();
}

// One that the environment may state. `read` returns what is wanted instead.
struct Row {
  const char* field;
  const char* variable;
  const char* meaning;
  std::string (*show)(const Options&);
  absl::Status (*read)(absl::string_view, Options&);
};

const Row kRows[] = {
    {"blocking", "CCL_COMM_BLOCKING", "calls that make and end communicators wait",
     [](const Options& o) { return Yes(o.blocking); },
     [](absl::string_view t, Options& o) { return ReadFlag(t, o.blocking); }},
    {"trafficClass", "CCL_TRAFFIC_CLASS", "accepted, no effect: no transport has traffic classes",
     [](const Options& o) { return absl::StrCat(o.traffic_class); },
     [](absl::string_view t, Options& o) { return ReadNumber(t, 0, 255, o.traffic_class); }},
    {"minChannels", "CCL_MIN_CHANNELS",
     "least pieces of a vector where the planner chooses; 0: what suits",
     [](const Options& o) { return absl::StrCat(o.min_channels); },
     [](absl::string_view t, Options& o) { return ReadNumber(t, 0, 4096, o.min_channels); }},
    {"maxChannels", "CCL_MAX_CHANNELS",
     "most pieces of a vector where the planner chooses; 0: what suits",
     [](const Options& o) { return absl::StrCat(o.max_channels); },
     [](absl::string_view t, Options& o) { return ReadNumber(t, 0, 4096, o.max_channels); }},
    {"deterministic", "CCL_DETERMINISTIC", "off, run-to-run or shape-invariant",
     [](const Options& o) { return std::string(kDeterminism[o.deterministic]); },
     [](absl::string_view t, Options& o) -> absl::Status {
       for (int i = 0; i < 3; ++i) {
         if (t == kDeterminism[i] || t == absl::StrCat(i)) o.deterministic = i;
         if (t == kDeterminism[i] || t == absl::StrCat(i)) return absl::OkStatus();
       }
       return absl::InvalidArgumentError("off, run-to-run or shape-invariant");
     }},
    {"timeoutMs", "CCL_TIMEOUT_MS", "how long an operation may take in real time; 0: for ever",
     [](const Options& o) { return absl::StrCat(o.timeout_ms); },
     [](absl::string_view t, Options& o) { return ReadNumber<int64_t>(t, 0, 1 << 30, o.timeout_ms); }},
    {"abortOnTimeout", "CCL_ABORT_ON_TIMEOUT", "what has taken too long is dropped",
     [](const Options& o) { return Yes(o.abort_on_timeout); },
     [](absl::string_view t, Options& o) { return ReadFlag(t, o.abort_on_timeout); }},
    {"check", "CCL_CHECK", "calls are compared between ranks",
     [](const Options& o) {
       return o.check < 0 ? std::string("on emulated backends") : Yes(o.check != 0);
     },
     [](absl::string_view t, Options& o) -> absl::Status {
       bool value = false;
       absl::Status status = ReadFlag(t, value);
       if (status.ok()) o.check = value ? 1 : 0;
       return status;
     }},
    {"splitShare", "CCL_COMM_SPLIT_SHARE_RESOURCES",
     "accepted, no effect: communicators of a world share all that they can",
     [](const Options& o) { return Yes(o.split_share); },
     [](absl::string_view t, Options& o) { return ReadFlag(t, o.split_share); }},
    {"shrinkShare", "CCL_COMM_SHRINK_SHARE_RESOURCES",
     "accepted, no effect: communicators of a world share all that they can",
     [](const Options& o) { return Yes(o.shrink_share); },
     [](absl::string_view t, Options& o) { return ReadFlag(t, o.shrink_share); }},
    {"flightFolder", "CCL_FLIGHT_FOLDER", "where a communicator's last operations are written to when it fails",
     [](const Options& o) { return o.flight_folder.empty() ? std::string("none") : o.flight_folder; },
     [](absl::string_view t, Options& o) {
       o.flight_folder = std::string(t);
       return absl::OkStatus();
     }},
    {"flightSignal", "CCL_FLIGHT_SIGNAL", "a signal of the process that asks for them: USR1, USR2, HUP",
     [](const Options& o) { return SignalName(o.flight_signal); },
     [](absl::string_view t, Options& o) { return ParseSignal(t, o.flight_signal); }},
    {"", "CCL_PROGRESS_THREAD", "real ranks: operations progress while nobody waits",
     [](const Options& o) { return Yes(o.progress_thread); },
     [](absl::string_view t, Options& o) { return ReadFlag(t, o.progress_thread); }},
};

// What other parts read from the environment themselves.
struct Elsewhere {
  const char* field;
  const char* variable;
  const char* meaning;
  std::string Options::* stated;  // by the program, which goes before the environment; null: cannot be
  const char* standard;
};

const Elsewhere kElsewhere[] = {
    {"backend", "CCL_BACKEND", "the ranks' transport, a URL", &Options::backend,
     "mpi: under mpirun, else emulated:crossbar"},
    {"algorithms", "CCL_ALGO", "forced algorithms; the program's rules go before the environment's",
     &Options::algorithms, "none"},
    {"", "CCL_ALGO_FILE", "a file of such rules, after both", nullptr, "none"},
    {"", "CCL_SECRET", "what lets ranks of tcp: and shm: in, 32 hexadecimal digits; an id has its own", nullptr,
     "none"},
    {"", "CCL_MODULE_PATH", "folders in which the MPI module is looked for", nullptr, "beside the library"},
    {"", "CCL_DEVICES", "devices that a process has, of nccl.h and hccl.h", nullptr,
     "the host's ranks under mpirun, else 8"},
    {"", "CCL_DEBUG", "the log: NONE, VERSION, WARN, INFO, TRACE", nullptr, "NONE"},
    {"", "CCL_DEBUG_SUBSYS", "parts of it: INIT,COLL,P2P,NET,GRAPH,TUNING,ENV,ALLOC,DESTROY,ALL; ^ excludes",
     nullptr, "INIT,ENV"},
    {"", "CCL_DEBUG_FILE", "where it goes; %h is the host, %p the process", nullptr, "standard error"},
};

const char* Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? nullptr : value;
}

// What is written down of a variable: not what lets people in.
std::string Shown(const char* name, const char* value) {
  return std::strcmp(name, "CCL_SECRET") == 0 ? "(not shown)" : WithoutSecret(value);
}

void LogVariables() {
  if (!Logs(LogLevel::kInfo, LogPart::kEnv)) return;
  const auto log = [](const char* name) {
    const char* value = Variable(name);
    if (value == nullptr) return;
    Log(LogLevel::kInfo, LogPart::kEnv, absl::StrCat(name, " set by environment to ", Shown(name, value)));
  };
  for (const Elsewhere& row : kElsewhere) log(row.variable);
  for (const Row& row : kRows) log(row.variable);
}

}  // namespace

absl::StatusOr<Options> WithEnvironment(const Options& stated) {
  static std::once_flag logged;
  std::call_once(logged, LogVariables);
  Options options = stated;
  for (const Row& row : kRows) {
    const char* value = Variable(row.variable);
    if (value == nullptr) continue;
    if (absl::Status status = row.read(value, options); !status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(row.variable, " is '", value, "'; it is ", status.message()));
    }
  }
  if (options.max_channels > 0 && options.min_channels > options.max_channels) {
    return absl::InvalidArgumentError(
        absl::StrCat("minChannels (CCL_MIN_CHANNELS) is ", options.min_channels, "; it is at most maxChannels ",
                     "(CCL_MAX_CHANNELS), ", options.max_channels));
  }
  if (!options.flight_folder.empty()) {
    if (absl::Status status = CheckFolder(options.flight_folder); !status.ok()) return status;
  } else if (options.flight_signal != 0) {
    return absl::InvalidArgumentError(
        "flightSignal (CCL_FLIGHT_SIGNAL) asks for files, and flightFolder (CCL_FLIGHT_FOLDER) says not "
        "where");
  }
  return options;
}

absl::StatusOr<std::vector<Setting>> Settings(const Options& stated) {
  auto options = WithEnvironment(stated);
  if (!options.ok()) return options.status();
  std::vector<Setting> settings;
  for (const Elsewhere& row : kElsewhere) {
    Setting setting{row.field, row.variable, row.standard, "default", row.meaning};
    if (const char* value = Variable(row.variable)) setting.value = Shown(row.variable, value), setting.origin = "environment";
    if (row.stated != nullptr && !(stated.*row.stated).empty()) {
      setting.value = WithoutSecret(stated.*row.stated), setting.origin = "program";
    }
    settings.push_back(setting);
  }
  const Options standard;
  for (const Row& row : kRows) {
    Setting setting{row.field, row.variable, row.show(*options), "default", row.meaning};
    if (row.show(stated) != row.show(standard)) setting.origin = "program";
    if (Variable(row.variable) != nullptr) setting.origin = "environment";
    settings.push_back(setting);
  }
  settings.push_back({"phantom", "", Yes(stated.phantom), stated.phantom ? "program" : "default",
                      "sizes without bytes, on emulated backends"});
  settings.push_back({"commName", "", stated.name.empty() ? "none" : stated.name,
                      stated.name.empty() ? "default" : "program", "for reports"});
  return settings;
}

}  // namespace ccl
