#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <numeric>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bench/calibrated.h"
#include "bench/commands.h"
#include "bench/critical_path.h"
#include "bench/memory.h"
#include "bench/pattern.h"
#include "bench/record.h"
#include "ccl/exec/binding.h"
#include "ccl/plan/cost.h"
#include "ccl/schedule/dump.h"
#include "fabric/description.h"

namespace ccl {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "cclbench: %s\n", std::string(status.message()).c_str());
  return status.code() == absl::StatusCode::kInvalidArgument ||
                 status.code() == absl::StatusCode::kNotFound
             ? 2
             : 1;
}

std::string Nearest(absl::string_view word, const std::vector<std::string>& known) {
  std::string best;
  size_t distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    std::vector<size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (size_t i = 0; i < word.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i + 1;
      for (size_t j = 0; j < candidate.size(); ++j) {
        const size_t substitute = diagonal + (word[i] == candidate[j] ? 0 : 1);
        diagonal = row[j + 1];
        row[j + 1] = std::min({substitute, row[j] + 1, row[j + 1] + 1});
      }
    }
    if (row.back() < distance) {
      distance = row.back();
      best = candidate;
    }
  }
  return best;
}

absl::Status SetCollective(absl::string_view name, Trial& trial) {
  if (name == "sendrecv") {
    trial.sendrecv = true;
    return absl::OkStatus();
  }
  auto collective = ParseCollective(name);
  if (!collective.ok()) {
    std::vector<std::string> known = {"sendrecv"};
    for (int i = 0; i < kCollectives; ++i) known.emplace_back(Name(static_cast<Collective>(i)));
    const std::string near = Nearest(name, known);
    return absl::InvalidArgumentError(absl::StrCat(
        collective.status().message(), near.empty() ? "" : absl::StrCat("; did you mean ", near, "?")));
  }
  trial.collective = *collective;
  return absl::OkStatus();
}

std::string CollectiveName(const Trial& trial) {
  return trial.sendrecv ? "sendrecv" : std::string(Name(trial.collective));
}

std::string FabricUrl(const std::string& fabric, const std::string& engine,
                      const std::vector<std::string>& sets,
                      const std::vector<std::string>& events, bool whole) {
  std::string url = absl::StrCat("emulated:", fabric);
  char separator = '?';
  if (!engine.empty()) {
    absl::StrAppend(&url, "?engine=", engine);
    separator = '&';
  }
  if (whole) {
    url += separator;
    url += "fold=no";
    separator = '&';
  }
  for (const std::string& set : sets) {
    url += separator;
    absl::StrAppend(&url, "set=", set);
    separator = '&';
  }
  for (const std::string& event : events) {
    url += separator;
    absl::StrAppend(&url, "event=", event);
    separator = '&';
  }
  return url;
}

std::vector<uint64_t> SizesOf(const Trial& trial, std::vector<uint64_t> sizes) {
  if (!trial.sendrecv && trial.collective == Collective::kBarrier) return {0};
  return sizes;
}

uint64_t CountOf(const Trial& trial, uint64_t size, int ranks, bool round_up) {
  if (!trial.sendrecv && trial.collective == Collective::kBarrier) return 0;
  const uint64_t element = SizeOf(trial.type), n = static_cast<uint64_t>(ranks);
  const uint64_t elements = size / element;
  if (trial.sendrecv || !CountIsPerRank(trial.collective)) {
    return round_up ? std::max<uint64_t>(1, elements) : elements;
  }
  if (round_up) return std::max<uint64_t>(1, elements / n);
  return elements / n & ~(16 / element - 1);
}

uint64_t SizeColumn(const Trial& trial, uint64_t count, int ranks) {
  const uint64_t bytes = count * SizeOf(trial.type);
  if (trial.sendrecv || !CountIsPerRank(trial.collective)) return bytes;
  return bytes * static_cast<uint64_t>(ranks);
}

namespace {

struct ExplainOptions {
  std::string collective, fabric = "cloudmatrix384", size = "1MiB", algorithm, type = "float";
  int ranks = 0, root = 0, lines = 12, per_host = 8;
  bool memory = false;
  std::vector<std::string> sets, events;
  std::string engine;
};

absl::StatusOr<int> Explain(const ExplainOptions& o) {
  Trial trial;
  if (absl::Status status = SetCollective(o.collective, trial); !status.ok()) return status;
  if (trial.sendrecv) return absl::InvalidArgumentError("explain takes a collective");
  auto type = ParseDataType(o.type);
  if (!type.ok()) return type.status();
  auto size = ParseSize(o.size);
  if (!size.ok()) return size.status();
  if (o.memory) {
    const absl::Status status =
        PrintMemory({trial.collective, *type, *size, o.ranks, o.per_host, o.root, o.algorithm});
    if (!status.ok()) return status;
    return 0;
  }
  Options options;
  options.backend = FabricUrl(o.fabric, o.engine, o.sets, o.events);
  options.phantom = true;
  auto opened = Job::Open(options, o.ranks);
  if (!opened.ok()) return opened.status();
  Job& job = **opened;
  World& world = job.world();
  const int n = job.ranks();
  trial.type = *type;
  trial.root = o.root;
  trial.algorithm = o.algorithm;
  trial.count = CountOf(trial, *size, n, true);
  Request request{trial.collective, trial.type, ReduceOp::kSum, trial.count, trial.root};
  request.phantom = true;
  request.blocks = BlocksFor(trial.collective, trial.count, n, trial.root, 0);
  auto plan = world.planner().Choose(trial.collective, PlanBytes(request, n), trial.root, o.algorithm);
  if (!plan.ok()) return plan.status();
  const Program& program = *(*plan)->program;
  std::printf("Request    %s of %lu %s on %d ranks, %lu bytes in the larger buffer\n",
              std::string(Name(trial.collective)).c_str(), static_cast<unsigned long>(trial.count),
              o.type.c_str(), n, static_cast<unsigned long>(PlanBytes(request, n)));
  std::printf("\nFabric     %s, engine %s\n", o.fabric.c_str(),
              std::string(world.engine().fabric_engine()).c_str());
  const std::string outside =
      Calibrated::Of(options.backend, n).Outside(PlanBytes(request, n));
  if (!outside.empty()) std::printf("           EXTRAPOLATED: %s\n", outside.c_str());
  std::printf("\nPlan       %s", (*plan)->Explain().c_str());
  std::printf("\nProgram\n%s", Dump(program, {.rank = 0, .max_lines = static_cast<size_t>(o.lines)}).c_str());
  // Messages and where they meet, from the program alone.
  const Topology& topology = world.topology();
  struct Sum {
    uint64_t messages = 0, bytes = 0;
  };
  std::vector<Sum> levels(topology.levels.size());
  Sum total;
  StepList list;
  uint64_t largest = 0, batches = 0;
  for (int rank = 0; rank < n; ++rank) {
    request.blocks = BlocksFor(trial.collective, trial.count, n, trial.root, rank);
    Binding binding(program, rank, request);
    for (uint32_t lane = 0; lane < program.info().lanes; ++lane) {
      for (uint32_t b = 0; b < program.batches(rank, lane); ++b, ++batches) {
        list.Clear();
        program.Fetch(rank, lane, b, list);
        for (const Step& step : list.steps) {
          if (step.kind != StepKind::kSend) continue;
          const uint64_t bytes = binding.Bytes(list.src(step));
          Sum& level = levels[topology.LevelIndexOf(rank, step.peer)];
          ++level.messages, ++total.messages;
          level.bytes += bytes, total.bytes += bytes;
          largest = std::max(largest, bytes);
        }
      }
    }
  }
  world.engine().RecordFlows();
  auto outcome = job.Run(trial);
  if (!outcome.ok()) return outcome.status();
  std::printf("\nExecution  %lu batches over all ranks, %.3f us in virtual time",
              static_cast<unsigned long>(batches), outcome->seconds * 1e6);
  if (std::isfinite((*plan)->predicted)) {
    std::printf(" (predicted %.3f us)", (*plan)->predicted * 1e-6);
  }
  std::printf("\n\nMessages   %lu, %lu bytes, the largest %lu\n",
              static_cast<unsigned long>(total.messages), static_cast<unsigned long>(total.bytes),
              static_cast<unsigned long>(largest));
  std::printf("\nFlows by level of the fabric\n");
  for (size_t i = 0; i < levels.size(); ++i) {
    std::printf("  %-14s %12lu messages %16lu bytes   %8.1f ns, %.1f GB/s\n",
                topology.levels[i].name.c_str(), static_cast<unsigned long>(levels[i].messages),
                static_cast<unsigned long>(levels[i].bytes),
                static_cast<double>(topology.levels[i].latency) / 1e3,
                topology.levels[i].bandwidth / 1e9);
  }
  const CriticalPath path = FindCriticalPath(world.engine().flows());
  std::printf("\nCritical path: %d messages, from rank %d to rank %d\n", path.messages,
              path.first_rank, path.last_rank);
  const auto part = [&](const char* name, Time time) {
    std::printf("  %-14s %14.3f us %6.1f %%\n", name, static_cast<double>(time) / 1e6,
                path.total() > 0 ? 100.0 * static_cast<double>(time) /
                                       static_cast<double>(path.total())
                                 : 0);
  };
  part("latency", path.latency);
  part("serialisation", path.serialisation);
  part("waiting", path.waiting);
  part("reduce, copy", path.local);
  part("total", path.total());
  const Bound bound = LowerBound(trial.collective, PlanBytes(request, n), topology);
  std::printf("\nLower bound %.3f us (%s); reached %.1f %%\n", bound.time / 1e6,
              std::string(bound.constraint).c_str(),
              100 * Reached(bound.time * 1e-12, outcome->seconds));
  return 0;
}

int List(const std::string& what) {
  if (what == "algorithms") {
    for (const Algorithm& a : Catalogue()) {
      std::string collectives;
      for (Collective c : a.collectives) absl::StrAppend(&collectives, " ", Name(c));
      const bool reduces = std::any_of(a.collectives.begin(), a.collectives.end(), Reduces);
      std::printf("%-20s %s\n%20s T = %s\n%20s %s\n", std::string(a.name).c_str(),
                  std::string(a.summary).c_str(), "", std::string(a.cost).c_str(), "",
                  collectives.c_str() + 1);
      if (reduces) {
        std::printf("%20s reductions are %s\n", "", std::string(Name(ClassOf(a.order))).c_str());
      }
    }
    std::printf("%-20s composes the above by level: hier(INNER+OUTER), hier(A+B+C); *S slices it\n",
                "hier");
    return 0;
  }
  if (what == "fabrics") {
    for (const std::string& name : fabric::PresetNames()) {
      auto d = fabric::Load(name);
      if (!d.ok()) return Fail(d.status());
      std::printf("%-20s %5d  %s\n", name.c_str(), d->endpoints, d->summary.c_str());
    }
    std::printf("\n`cclbench fabric show NAME` says what one is made of and where its numbers come "
                "from.\n");
    return 0;
  }
  if (what == "backends") {
    std::printf("emulated:FABRIC[?ranks=N&engine=E&fold=no&trace=FILE&pace=X&set=KEY=VALUE]\n"
                "        all ranks in this process, virtual time\n"
                "mpi:    the ranks of mpirun\n"
                "tcp:    processes on one host or many, without MPI\n"
                "shm:    processes of one host, without MPI\n");
    return 0;
  }
  if (what == "types") {
    for (int i = 0; i < kDataTypes; ++i) {
      const DataType type = static_cast<DataType>(i);
      std::printf("%-10s %zu bytes\n", std::string(Name(type)).c_str(), SizeOf(type));
    }
    return 0;
  }
  const std::string near = Nearest(what, {"algorithms", "fabrics", "backends", "types"});
  return Fail(absl::InvalidArgumentError(
      absl::StrCat("cannot list '", what, "'; did you mean ", near.empty() ? "algorithms" : near, "?")));
}

}  // namespace

void AddExplain(CLI::App& app, Command& run) {
  auto o = std::make_shared<ExplainOptions>();
  CLI::App* sub = app.add_subcommand("explain", "From request to flows, for one request");
  sub->add_option("collective", o->collective, "allreduce, allgather, ...")->required();
  sub->add_option("--fabric", o->fabric, "preset")->capture_default_str();
  sub->add_option("--ranks", o->ranks, "endpoints; default: the fabric's");
  sub->add_option("--size", o->size, "bytes of the larger buffer")->capture_default_str();
  sub->add_option("--algorithm", o->algorithm, "force an algorithm");
  sub->add_option("-d,--datatype", o->type, "element type")->capture_default_str();
  sub->add_option("-r,--root", o->root, "root");
  sub->add_option("--lines", o->lines, "lines of the schedule to print")->capture_default_str();
  sub->add_option("--set", o->sets, "KEY=VALUE of the fabric");
  sub->add_option("--event", o->events, "what happens to it, e.g. at=20us,endpoint=3,down");
  sub->add_option("--engine", o->engine, "how messages share ports: fifo (default), fluid, packet");
  sub->add_flag("--memory", o->memory, "instead: what one of --ranks real processes holds in memory, by part");
  sub->add_option("--per-host", o->per_host, "ranks of a host, with --memory")->capture_default_str();
  sub->callback([o, &run] {
    run = [o] {
      auto status = Explain(*o);
      return status.ok() ? *status : Fail(status.status());
    };
  });
}

void AddList(CLI::App& app, Command& run) {
  auto what = std::make_shared<std::string>();
  CLI::App* sub = app.add_subcommand("list", "algorithms, fabrics, backends or types");
  sub->add_option("what", *what, "algorithms | fabrics | backends | types")->required();
  sub->callback([what, &run] {
    run = [what] { return List(*what); };
  });
}

}  // namespace ccl
