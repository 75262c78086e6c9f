#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <set>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bench/commands.h"
#include "ccl/schedule/verify.h"

namespace ccl {
namespace {

struct VerifyCommand {
  std::string ranks = "1..16", algorithms;
  bool quick = false;
};

struct Tally {
  uint64_t programs = 0, messages = 0, moves = 0;
  double seconds = 0;
  FoldOrder weakest = FoldOrder::kRankOrder;
};

bool InPlaceAllowed(Collective c) {
  return c == Collective::kAllReduce || c == Collective::kReduceScatter ||
         c == Collective::kAllGather || c == Collective::kBroadcast ||
         c == Collective::kReduce || c == Collective::kGather || c == Collective::kScatter;
}

absl::StatusOr<int> Prove(const VerifyCommand& o) {
  int first = 0, last = 0;
  const std::vector<std::string> range = absl::StrSplit(o.ranks, "..");
  if (!absl::SimpleAtoi(range[0], &first) || range.size() > 2 ||
      !absl::SimpleAtoi(range.back(), &last) || first < 1 || last < first || last > 4096) {
    return absl::InvalidArgumentError(absl::StrCat("--ranks '", o.ranks, "': write 8 or 1..384"));
  }
  const std::set<std::string> wanted = absl::StrSplit(o.algorithms, ',', absl::SkipEmpty());
  for (const std::string& name : wanted) {
    if (name != "hier" && FindAlgorithm(name) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("there is no algorithm '", name, "'"));
    }
  }
  std::map<std::pair<Collective, std::string>, Tally> table;
  const auto begin = std::chrono::steady_clock::now();
  for (int n = first; n <= last; ++n) {
    // Groups of a size that divides n where there is one, of one that does not, one, and n.
    std::vector<std::vector<Grouping>> groupings = {{}};
    if (n >= 4) {
      groupings.push_back({Grouping::Uniform(n, n % 8 == 0 ? 8 : n % 4 == 0 ? 4 : 3)});
      if (!o.quick) {
        groupings.push_back({Grouping::Uniform(n, 3)});
        groupings.push_back({Grouping::Uniform(n, n)});
        groupings.push_back({Grouping::Uniform(n, 1)});
      }
    }
    for (int k = 0; k < kCollectives; ++k) {
      const Collective c = static_cast<Collective>(k);
      std::set<int> roots = {0};
      if (!o.quick && HasRoot(c)) roots = {0, std::min(1, n - 1), n - 1};
      for (int root : roots) {
        std::set<std::string> done;  // flat algorithms do not depend on the grouping
        for (const std::vector<Grouping>& grouping : groupings) {
          const Shape shape{c, n, root, 0, grouping};
          for (AlgorithmSpec spec : Candidates(shape)) {
            if (!wanted.empty() && wanted.count(spec.name) == 0) continue;
            if (spec.parts.empty() && !done.insert(spec.name).second) continue;
            for (uint32_t slices : {1u, 2u, 5u}) {
              if (o.quick && slices > 1) break;
              spec.slices = slices;
              for (bool lower : {false, true}) {
                auto program = BuildProgram(spec, shape, lower);
                if (!program.ok()) return program.status();
                if (lower && (*program)->info().rank_groups == 0 &&
                    (FindAlgorithm(spec.name) == nullptr ||
                     !FindAlgorithm(spec.name)->group_operations)) {
                  continue;  // the same program
                }
                for (bool in_place : {false, true}) {
                  if (in_place && (o.quick || !InPlaceAllowed(c))) continue;
                  VerifyOptions options;
                  options.in_place = in_place;
                  options.races = !o.quick;
                  const auto start = std::chrono::steady_clock::now();
                  auto report = Verify(**program, options);
                  if (!report.ok()) {
                    return absl::InternalError(absl::StrCat(
                        Name(c), " ", Format(spec), " at ", n, " ranks, root ", root,
                        in_place ? ", in place" : "", lower ? ", lowered" : "", ": ",
                        report.status().message()));
                  }
                  AlgorithmSpec whole = spec;
                  whole.slices = 1;
                  Tally& tally = table[{c, Format(whole)}];
                  ++tally.programs;
                  tally.messages += report->messages;
                  tally.moves += report->chunk_moves;
                  if (n > 1) tally.weakest = std::min(tally.weakest, report->order);
                  tally.seconds += std::chrono::duration<double>(
                                       std::chrono::steady_clock::now() - start).count();
                }
              }
            }
          }
        }
      }
    }
  }
  std::printf("%-15s %-36s %9s %14s %14s %9s  %s\n", "collective", "algorithm", "programs",
              "messages", "chunk moves", "seconds", "fold order");
  Tally sum;
  for (const auto& [key, tally] : table) {
    std::printf("%-15s %-36s %9lu %14lu %14lu %9.2f  %s\n",
                std::string(Name(key.first)).c_str(), key.second.c_str(),
                static_cast<unsigned long>(tally.programs),
                static_cast<unsigned long>(tally.messages),
                static_cast<unsigned long>(tally.moves), tally.seconds,
                std::string(Name(tally.weakest)).c_str());
    sum.programs += tally.programs;
    sum.messages += tally.messages;
    sum.moves += tally.moves;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%lu programs proved at %d..%d ranks, %lu messages, %.1f s%s\n",
              static_cast<unsigned long>(sum.programs), first, last,
              static_cast<unsigned long>(sum.messages), seconds,
              o.quick ? " (quick: root 0, one slice, no races)" : "");
  return 0;
}

}  // namespace

void AddVerify(CLI::App& app, Command& run) {
  auto o = std::make_shared<VerifyCommand>();
  CLI::App* sub = app.add_subcommand("verify", "Prove algorithms correct without running them");
  sub->add_option("--ranks", o->ranks, "a number or A..B")->capture_default_str();
  sub->add_option("--algorithms", o->algorithms, "comma list of names; default: all");
  sub->add_flag("--quick", o->quick, "root 0, one slice, out of place, no races");
  sub->callback([o, &run] {
    run = [o] {
      auto status = Prove(*o);
      return status.ok() ? *status : Fail(status.status());
    };
  });
}

}  // namespace ccl
