#include <unistd.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bench/commands.h"
#include "bench/proof.h"
#include "ccl/algorithms/algorithm.h"
#include "ccl/base/status.h"

namespace ccl {
namespace {

struct VerifyCommand {
  std::string ranks = "1..16", algorithms;
  int jobs = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  bool quick = false;
};

absl::StatusOr<ProofScope> ScopeOf(const VerifyCommand& o) {
  ProofScope scope;
  const std::vector<std::string> range = absl::StrSplit(o.ranks, "..");
  if (!absl::SimpleAtoi(range[0], &scope.first) || range.size() > 2 ||
      !absl::SimpleAtoi(range.back(), &scope.last) || scope.first < 1 ||
      scope.last < scope.first || scope.last > 4096) {
    return absl::InvalidArgumentError(absl::StrCat("--ranks '", o.ranks, "': write 8 or 1..384"));
  }
  scope.algorithms = absl::StrSplit(o.algorithms, ',', absl::SkipEmpty());
  for (const std::string& name : scope.algorithms) {
    if (name != "hier" && FindAlgorithm(name) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("there is no algorithm '", name, "'"));
    }
  }
  scope.quick = o.quick;
  scope.jobs = o.jobs;
  return scope;
}

void Print(const ProofTable& table, const ProofScope& scope) {
  std::printf("%-15s %-36s %9s %15s %15s  %s\n", "collective", "algorithm", "programs", "messages",
              "chunk moves", "fold order");
  Tally sum;
  for (const auto& [row, tally] : table) {
    const FoldOrder order = Reduces(row.first) ? tally.weakest : FoldOrder::kNone;
    std::printf("%-15s %-36s %9" PRIu64 " %15" PRIu64 " %15" PRIu64 "  %s\n",
                std::string(Name(row.first)).c_str(), row.second.c_str(), tally.programs,
                tally.messages, tally.moves, std::string(Name(order)).c_str());
    sum.Add(tally);
  }
  std::printf("%" PRIu64 " programs proved at %d..%d ranks, %" PRIu64 " messages%s\n",
              sum.programs, scope.first, scope.last, sum.messages,
              scope.quick ? " (quick: root 0, one slice, no races)" : "");
}

absl::StatusOr<int> Prove(const VerifyCommand& o) {
  CCL_ASSIGN_OR_RETURN(const ProofScope scope, ScopeOf(o));
  const auto begin = std::chrono::steady_clock::now();
  CCL_ASSIGN_OR_RETURN(const ProofTable table, ProveAll(scope, isatty(STDERR_FILENO) != 0));
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  Print(table, scope);
  std::printf("%.1f s, %d at a time\n", elapsed.count(), scope.jobs);
  return 0;
}

}  // namespace

void AddVerify(CLI::App& app, Command& run) {
  auto o = std::make_shared<VerifyCommand>();
  CLI::App* sub = app.add_subcommand("verify", "Prove algorithms correct without running them");
  sub->add_option("--ranks", o->ranks, "a number or A..B")->capture_default_str();
  sub->add_option("--algorithms", o->algorithms, "comma list of names; default: all");
  sub->add_option("--jobs", o->jobs, "threads; default: the number of cores")
      ->check(CLI::Range(1, 1024));
  sub->add_flag("--quick", o->quick, "root 0, one slice, out of place, no races");
  sub->callback([o, &run] {
    run = [o] {
      auto status = Prove(*o);
      return status.ok() ? *status : Fail(status.status());
    };
  });
}

}  // namespace ccl
