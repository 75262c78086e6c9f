#include "bench/proof.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "ccl/algorithms/algorithm.h"
#include "ccl/base/status.h"

namespace ccl {
namespace {

using Groupings = std::vector<Grouping>;

bool InPlaceAllowed(Collective c) {
  return c != Collective::kBarrier && EvenForm(c) != Collective::kAllToAll;
}

// A size of groups that divides n where 8, 4 or 3 does.
int UsualGroupSize(int n) { return n % 8 == 0 ? 8 : n % 4 == 0 ? 4 : 3; }

// Groups of 3, 5, 4, 3, ... ranks within groups of two, three, one, two, ... of those.
Groupings UnevenNest(int n) {
  Grouping inner, outer;
  const int sizes[] = {3, 5, 4}, runs[] = {2, 3, 1};
  int begin = 0, group = 0, run = 0, left = 0;
  for (; begin < n; begin += sizes[group++ % 3]) {
    inner.starts.push_back(begin);
    if (left == 0) {
      outer.starts.push_back(begin);
      left = runs[run++ % 3];
    }
    --left;
  }
  inner.starts.push_back(n);
  outer.starts.push_back(n);
  return {inner, outer};
}

// The structures on which compositions are proved at n ranks, each innermost first.
std::vector<Groupings> Structures(int n, bool quick) {
  std::vector<Groupings> all;
  const auto add = [&all](Groupings groupings) {
    if (std::find(all.begin(), all.end(), groupings) == all.end()) {
      all.push_back(std::move(groupings));
    }
  };
  if (n < 4) return all;
  const int usual = UsualGroupSize(n);
  if (!quick || usual < n) add({Grouping::Uniform(n, usual)});
  if (quick) return all;
  for (int size : {3, n, 1}) add({Grouping::Uniform(n, size)});
  if (n > 16) {
    add({Grouping::Uniform(n, 4), Grouping::Uniform(n, 16)});
  } else {
    add({Grouping::Uniform(n, 2), Grouping::Uniform(n, 4)});
  }
  if (n > 8) add(UnevenNest(n));
  return all;
}

class UnitProof {
 public:
  UnitProof(const ProofUnit& unit, const ProofScope& scope) : unit_(unit), scope_(scope) {}

  absl::StatusOr<ProofTable> Run() {
    std::set<int> roots = {0};
    if (!scope_.quick && HasRoot(unit_.collective)) {
      roots = {0, std::min(1, unit_.ranks - 1), unit_.ranks - 1};
    }
    const std::vector<Groupings> structures = Structures(unit_.ranks, scope_.quick);
    for (int root : roots) {
      // Flat algorithms are functions of the ranks alone; compositions differ by structure.
      const Shape flat{unit_.collective, unit_.ranks, root, 0, {}};
      CCL_RETURN_IF_ERROR(ProveSpecs(Candidates(flat), flat));
      for (const Groupings& groupings : structures) {
        const Shape shape{unit_.collective, unit_.ranks, root, 0, groupings};
        CCL_RETURN_IF_ERROR(ProveSpecs(Compositions(shape), shape));
      }
    }
    return std::move(table_);
  }

 private:
  absl::Status ProveSpecs(const std::vector<AlgorithmSpec>& specs, const Shape& shape) {
    for (const AlgorithmSpec& spec : specs) {
      if (!scope_.algorithms.empty() && scope_.algorithms.count(spec.name) == 0) continue;
      CCL_RETURN_IF_ERROR(ProveSpec(spec, shape, false));
    }
    return absl::OkStatus();
  }

  absl::Status ProveSpec(const AlgorithmSpec& spec, const Shape& shape, bool lower) {
    CCL_ASSIGN_OR_RETURN(auto program, BuildProgram(spec, shape, lower));
    Tally& tally = table_[{shape.collective, Format(spec)}];
    for (bool in_place : {false, true}) {
      if (in_place && (scope_.quick || !InPlaceAllowed(shape.collective))) continue;
      VerifyOptions options;
      options.in_place = in_place;
      options.races = !scope_.quick;
      auto report = Verify(*program, options);
      if (!report.ok()) return Wrong(spec, shape, lower, in_place, report.status());
      if (Reduces(shape.collective) && report->order < OrderOf(spec, shape.collective)) {
        return Wrong(spec, shape, lower, in_place,
                     absl::InternalError(absl::StrCat("promises to fold in order '",
                                                      Name(OrderOf(spec, shape.collective)), "', which is '",
                                                      Name(report->order), "'")));
      }
      Count(*report, 1, tally);
      for (uint32_t slices : {2u, 5u}) {
        if (!scope_.quick) Count(*report, slices, tally);
      }
    }
    if (!scope_.quick) CCL_RETURN_IF_ERROR(ProveSliced(spec, shape, lower, *program));
    const Algorithm* algorithm = FindAlgorithm(spec.name);
    const bool group_operations = program->info().rank_groups > 0 ||
                                  (algorithm != nullptr && algorithm->group_operations);
    return !lower && group_operations ? ProveSpec(spec, shape, true) : absl::OkStatus();
  }

  // What was proved of `one` holds of its slices: see VerifySlices.
  absl::Status ProveSliced(AlgorithmSpec spec, const Shape& shape, bool lower,
                           const Program& one) const {
    for (uint32_t slices : {2u, 5u}) {
      spec.slices = slices;
      CCL_ASSIGN_OR_RETURN(auto sliced, BuildProgram(spec, shape, lower));
      absl::Status status = VerifySlices(one, *sliced);
      if (!status.ok()) return Wrong(spec, shape, lower, false, status);
    }
    return absl::OkStatus();
  }

  static void Count(const VerifyReport& report, uint32_t slices, Tally& tally) {
    ++tally.programs;
    tally.messages += report.messages * slices;
    tally.moves += report.chunk_moves * slices;
    tally.weakest = std::min(tally.weakest, report.order);
  }

  static absl::Status Wrong(const AlgorithmSpec& spec, const Shape& shape, bool lower,
                            bool in_place, const absl::Status& why) {
    std::string groups;
    for (const Grouping& grouping : shape.groupings) {
      absl::StrAppend(&groups, ", ", grouping.groups(), " groups");
    }
    return absl::InternalError(absl::StrCat(Name(shape.collective), " ", Format(spec), " at ",
                                            shape.ranks, " ranks, root ", shape.root, groups,
                                            in_place ? ", in place" : "",
                                            lower ? ", lowered" : "", ": ", why.message()));
  }

  const ProofUnit unit_;
  const ProofScope& scope_;
  ProofTable table_;
};

// Hands out units and collects what they prove.
class Workshop {
 public:
  Workshop(const ProofScope& scope, bool progress)
      : scope_(scope), units_(ProofUnits(scope)), progress_(progress), failed_(units_.size()) {}

  absl::StatusOr<ProofTable> Run() {
    std::vector<std::thread> threads;
    for (int job = 1; job < scope_.jobs; ++job) threads.emplace_back([this] { Work(); });
    Work();
    for (std::thread& thread : threads) thread.join();
    if (progress_) std::fprintf(stderr, "\r\033[K");
    if (!error_.ok()) return error_;
    return std::move(table_);
  }

 private:
  void Work() {
    for (;;) {
      // Units are handed out in order: all before one that failed have been, and will be ended.
      const size_t unit = next_.fetch_add(1);
      if (unit >= failed_.load()) return;
      absl::StatusOr<ProofTable> proved = ProveUnit(units_[unit], scope_);
      const std::lock_guard<std::mutex> lock(mutex_);
      Collect(unit, std::move(proved));
    }
  }

  void Collect(size_t unit, absl::StatusOr<ProofTable> proved) {
    ++done_;
    if (!proved.ok()) {
      if (unit >= failed_.load()) return;
      failed_ = unit;
      error_ = proved.status();
      return;
    }
    for (const auto& [row, tally] : *proved) table_[row].Add(tally);
    if (!progress_) return;
    std::fprintf(stderr, "\r\033[K%zu of %zu, at %d ranks", done_, units_.size(),
                 units_[unit].ranks);
  }

  const ProofScope& scope_;
  const std::vector<ProofUnit> units_;
  const bool progress_;
  std::atomic<size_t> next_{0};
  std::atomic<size_t> failed_;  // the first unit that failed; their number when none has
  std::mutex mutex_;            // of what follows
  size_t done_ = 0;
  ProofTable table_;
  absl::Status error_;
};

}  // namespace

void Tally::Add(const Tally& other) {
  programs += other.programs;
  messages += other.messages;
  moves += other.moves;
  weakest = std::min(weakest, other.weakest);
}

std::vector<ProofUnit> ProofUnits(const ProofScope& scope) {
  std::vector<ProofUnit> units;
  for (int n = scope.last; n >= scope.first; --n) {
    for (int c = 0; c < kCollectives; ++c) units.push_back({n, static_cast<Collective>(c)});
  }
  return units;
}

absl::StatusOr<ProofTable> ProveUnit(const ProofUnit& unit, const ProofScope& scope) {
  return UnitProof(unit, scope).Run();
}

absl::StatusOr<ProofTable> ProveAll(const ProofScope& scope, bool progress) {
  return Workshop(scope, progress).Run();
}

}  // namespace ccl
