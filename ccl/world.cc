#include "ccl/world.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ccl/base/log.h"
#include "ccl/base/status.h"
#include "ccl/dumps.h"
#include "ccl/figures.h"
#include "ccl/join.h"
#include "ccl/team.h"

namespace ccl {
namespace {

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string DefaultBackend() {
  std::string backend = FromEnvironment("CCL_BACKEND");
  if (!backend.empty()) return backend;
  for (const char* launcher : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"}) {
    if (std::getenv(launcher) != nullptr) return "mpi:";
  }
  return "emulated:crossbar";
}

// One line a rule, as the file has them, so that what is shared can be parsed again.
absl::StatusOr<std::vector<Override>> Rules(const Options& options) {
  CCL_ASSIGN_OR_RETURN(std::vector<Override> rules, ParseOverrides(options.algorithms, "the API"));
  CCL_ASSIGN_OR_RETURN(std::vector<Override> environment,
                       ParseOverrides(FromEnvironment("CCL_ALGO"), "CCL_ALGO"));
  rules.insert(rules.end(), environment.begin(), environment.end());
  const std::string path = FromEnvironment("CCL_ALGO_FILE");
  if (!path.empty()) {
    CCL_ASSIGN_OR_RETURN(std::vector<Override> file, ReadOverrides(path));
    rules.insert(rules.end(), file.begin(), file.end());
  }
  return rules;
}

std::string Text(const std::vector<Override>& rules) {
  return absl::StrJoin(rules, "\n", [](std::string* out, const Override& rule) {
    absl::StrAppend(out, rule.origin, "\t", Name(rule.collective), ":", rule.low, "-",
                    rule.high == ~uint64_t{0} ? "inf" : absl::StrCat(rule.high), ":@",
                    Format(rule.spec));
  });
}

absl::StatusOr<std::vector<Override>> Parse(absl::string_view text) {
  std::vector<Override> rules;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const absl::string_view line = text.substr(0, end);
    const size_t tab = line.find('\t');
    CCL_ASSIGN_OR_RETURN(std::vector<Override> parsed,
                         ParseOverrides(line.substr(tab + 1), line.substr(0, tab)));
    rules.insert(rules.end(), parsed.begin(), parsed.end());
    text = end == text.size() ? absl::string_view() : text.substr(end + 1);
  }
  return rules;
}

std::string Configuration(const Options& options) {
  return absl::StrCat("algorithms '", options.algorithms, "', phantom ", int{options.phantom},
                      ", channels ", options.min_channels, "-", options.max_channels,
                      ", deterministic ", options.deterministic, ", check ", options.check);
}

}  // namespace

absl::StatusOr<std::vector<Override>> RulesOf(const Options& options,
                                              const std::vector<Override>& inherited) {
  CCL_ASSIGN_OR_RETURN(std::vector<Override> rules, ParseOverrides(options.algorithms, "the API"));
  rules.insert(rules.end(), inherited.begin(), inherited.end());
  return rules;
}

std::string BackendOf(const Options& options) {
  return options.backend.empty() ? DefaultBackend() : options.backend;
}

absl::StatusOr<std::shared_ptr<World>> World::Open(const Options& options, int ranks) {
  return JoinWorld(options, {.ranks = ranks});
}

absl::StatusOr<std::shared_ptr<World>> JoinWorld(const Options& options, const Membership& membership) {
  const std::string url = BackendOf(options);
  CCL_ASSIGN_OR_RETURN(std::unique_ptr<Backend> backend, OpenBackend(url, membership));
  if (const Abilities has = backend->abilities(); has.contexts < 4 || has.channels < 1) {
    return absl::FailedPreconditionError(absl::StrCat("'", WithoutSecret(url), "' tells only ", has.contexts,
                                                      " contexts and ", has.channels,
                                                      " channels apart"));
  }
  if (Logs(LogLevel::kInfo, LogPart::kNet)) {
    const Abilities has = backend->abilities();
    Log(LogLevel::kInfo, LogPart::kNet,
        absl::StrCat("'", WithoutSecret(url), "': transport ", backend->name(), ", ", has.contexts, " contexts, ",
                     has.channels, " channels, ", has.virtual_time ? "virtual" : "real", " time",
                     has.group_operations ? ", group operations" : ""));
  }
  // Processes that came together have the same kind of backend; its URL may name their own handles.
  std::string configuration = Configuration(options);
  CCL_RETURN_IF_ERROR(backend->ShareFromRankZero(configuration));
  absl::Status same;
  if (configuration != Configuration(options)) {
    same = absl::InvalidArgumentError(absl::StrCat(
        "rank ", backend->local_ranks().front(), " is configured with ", Configuration(options),
        "; rank 0 with ", configuration, "; they must be equal on all ranks"));
  }
  CCL_RETURN_IF_ERROR(backend->Agree(same));
  if (options.phantom && !backend->abilities().phantom) {
    return absl::InvalidArgumentError(
        absl::StrCat("backend '", WithoutSecret(url), "' moves real bytes; a phantom payload needs emulated:"));
  }
  // A rank whose rules cannot be read takes rank 0's; rank 0's own error is everybody's.
  auto rules = Rules(options);
  std::string shared = rules.ok() ? absl::StrCat("ok ", Text(*rules))
                                  : absl::StrCat("no ", rules.status().message());
  CCL_RETURN_IF_ERROR(backend->ShareFromRankZero(shared));
  if (absl::StartsWith(shared, "no ")) return absl::InvalidArgumentError(shared.substr(3));
  CCL_ASSIGN_OR_RETURN(std::vector<Override> parsed, Parse(absl::string_view(shared).substr(3)));
  std::string topology = backend->topology().ToString();
  const std::string own = topology;
  CCL_RETURN_IF_ERROR(backend->ShareFromRankZero(topology));
  if (topology != own) {
    same = absl::InternalError(absl::StrCat("rank ", backend->local_ranks().front(),
                                            " sees another topology than rank 0.\nThere: ", own,
                                            "\nRank 0: ", topology));
  }
  CCL_RETURN_IF_ERROR(backend->Agree(same));
  CCL_ASSIGN_OR_RETURN(Topology measured, MeasuredTopology(*backend));
  return World::Over(std::move(backend), std::move(measured), options, std::move(parsed));
}

std::shared_ptr<World> World::Over(std::unique_ptr<Backend> backend, Topology topology,
                                   const Options& options, std::vector<Override> rules) {
  std::shared_ptr<World> world(new World());
  world->options_ = options;
  world->topology_ = std::move(topology);
  world->parts_.assign(static_cast<size_t>(backend->ranks()), Part::kNotYet);
  world->communicators_.assign(static_cast<size_t>(backend->ranks()), 0);
  world->contexts_ = std::make_unique<ContextBlocks>(backend->abilities().contexts);
  world->rules_ = std::move(rules);
  world->planner_ = std::make_unique<Planner>(world->topology_, world->rules_,
                                              backend->abilities().group_operations);
  const std::string backend_name(backend->name());
  const Threads threads = backend->abilities().threads;
  world->engine_ = std::make_unique<Engine>(std::move(backend), options.progress_thread);
  if (Logs(LogLevel::kInfo, LogPart::kInit)) {
    Log(LogLevel::kInfo, LogPart::kInit,
        absl::StrCat("world of ", world->topology_.ranks, " ranks over ", backend_name, ", of which ",
                     world->engine_->local_ranks().size(), " are here, the first ",
                     world->engine_->local_ranks().front()));
  }
  if (Logs(LogLevel::kInfo, LogPart::kGraph)) {
    Log(LogLevel::kInfo, LogPart::kGraph, absl::StrCat("topology: ", world->topology_.ToString()));
  }
  if (threads != Threads::kAny) {
    Log(LogLevel::kWarn, LogPart::kInit,
        absl::StrCat("the program has started MPI below MPI_THREAD_MULTIPLE: operations progress only "
                     "inside calls", threads == Threads::kOne ? " of this thread" : ""));
  }
  return world;
}

World::World() = default;
World::~World() = default;

FlightDumps& World::dumps() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (dumps_ == nullptr) dumps_ = std::make_unique<FlightDumps>(*engine_);
  return *dumps_;
}

absl::Status World::Join(int rank) {
  std::lock_guard<std::mutex> lock(mutex_);
  Part& part = parts_[static_cast<size_t>(rank)];
  if (part == Part::kNotYet) {
    part = Part::kTakes;
    ++communicators_[static_cast<size_t>(rank)];
    engine_->Adopt(rank);
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      part == Part::kTakes
          ? absl::StrCat("rank ", rank, " has already joined; every rank joins once")
          : absl::StrCat("rank ", rank, " has left while other ranks live on, and cannot come back; "
                         "a new communicator takes a new unique id"));
}

void World::LeaveTeam(int rank) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    parts_[static_cast<size_t>(rank)] = Part::kTook;
  }
  Leave(rank);
}

void World::Enter(int rank) {
  std::lock_guard<std::mutex> lock(mutex_);
  ++communicators_[static_cast<size_t>(rank)];
}

void World::Leave(int rank) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (--communicators_[static_cast<size_t>(rank)] == 0) engine_->Leave(rank);
}

std::shared_ptr<Team> World::TeamOf(const std::shared_ptr<World>& world) {
  std::lock_guard<std::mutex> lock(world->mutex_);
  std::shared_ptr<Team> team = world->team_.lock();
  if (team == nullptr) world->team_ = team = std::make_shared<Team>(world);
  return team;
}

}  // namespace ccl
