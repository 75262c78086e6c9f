#include "ccl/plan/planner.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "ccl/base/log.h"
#include "ccl/base/status.h"
#include "ccl/plan/cost.h"

namespace ccl {
namespace {

// Candidates with as many slices as asked for, each once. `most` 0: any number.
std::vector<AlgorithmSpec> WithinSlices(const std::vector<AlgorithmSpec>& specs, uint32_t least,
                                        uint32_t most) {
  std::vector<AlgorithmSpec> within;
  for (AlgorithmSpec spec : specs) {
    spec.slices = std::max(spec.slices, least);
    if (most > 0) spec.slices = std::min(spec.slices, most);
    if (std::find(within.begin(), within.end(), spec) == within.end()) within.push_back(spec);
  }
  return within;
}

// Candidates in the sliced forms that pipeline.
std::vector<AlgorithmSpec> WithSlices(std::vector<AlgorithmSpec> specs) {
  const size_t n = specs.size();
  for (size_t i = 0; i < n; ++i) {
    AlgorithmSpec spec = specs[i];
    const bool pipelines = spec.name == "chain" || spec.name == "double_binary_tree" ||
                           spec.name == "group_two_shot";
    if (!pipelines && spec.name != "hier") continue;
    for (uint32_t slices : {4u, 16u, 64u}) {
      if (!pipelines && slices > 4) break;
      spec.slices = slices;
      specs.push_back(spec);
    }
  }
  return specs;
}

void Sort(absl::Span<Plan::Candidate> candidates) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Plan::Candidate& a, const Plan::Candidate& b) { return a.time < b.time; });
}

}  // namespace

std::string Plan::Explain() const {
  std::string text = absl::StrCat(Format(spec), ": ", reason, "\n");
  for (const Candidate& candidate : candidates) {
    absl::StrAppendFormat(&text, "  %-40s %14.3f us\n", Format(candidate.spec), candidate.time / 1e6);
  }
  return text;
}

absl::StatusOr<std::shared_ptr<const Program>> Planner::BuildOnce(const AlgorithmSpec& spec,
                                                                 const Shape& shape) {
  auto key = std::make_tuple(shape.collective, shape.root, Format(spec));
  if (const auto found = programs_.find(key); found != programs_.end()) return found->second;
  CCL_ASSIGN_OR_RETURN(std::shared_ptr<const Program> program, BuildProgram(spec, shape, false));
  bool lower = false;
  for (uint32_t i = 0; i < program->info().rank_groups && !lower; ++i) {
    lower = !group_operations_ || !topology_.DoesGroupOperations(program->RankGroup(i),
                                                                 program->info().group_to_all);
  }
  if (lower) {
    CCL_ASSIGN_OR_RETURN(program, BuildProgram(spec, shape, true));
  }
  if (programs_.size() >= kMostPrograms) programs_.clear();
  return programs_.emplace(std::move(key), std::move(program)).first->second;
}

double Planner::Predict(const AlgorithmSpec& spec, Collective collective, uint64_t bytes,
                        int root) const {
  const Shape shape{collective, topology_.ranks, root, 0, GroupingsOf(topology_)};
  return PredictTime(spec, shape, bytes, topology_);
}

Planner::Kept Planner::kept() {
  std::lock_guard<std::mutex> lock(mutex_);
  return {plans_.size(), programs_.size()};
}

absl::StatusOr<std::shared_ptr<const Plan>> Planner::Choose(Collective collective, uint64_t bytes,
                                                            int root, const Choice& choice) {
  if (!HasRoot(collective)) root = 0;
  std::lock_guard<std::mutex> lock(mutex_);
  auto key = std::make_tuple(collective, bytes, root, choice);
  if (const auto found = plans_.find(key); found != plans_.end()) return found->second;
  CCL_ASSIGN_OR_RETURN(std::shared_ptr<const Plan> plan, Make(collective, bytes, root, choice));
  if (Logs(LogLevel::kInfo, LogPart::kTuning)) {
    Log(LogLevel::kInfo, LogPart::kTuning,
        absl::StrCat(Name(collective), " of ", bytes, " bytes, root ", root, ", ", topology_.ranks,
                     " ranks: ", plan->text, ", ", plan->reason));
  }
  if (plans_.size() >= kMostPlans) plans_.clear();
  return plans_.emplace(std::move(key), std::move(plan)).first->second;
}

absl::Status Planner::CheckOrder(const AlgorithmSpec& spec, const Shape& shape,
                                 FoldOrder wanted) const {
  if (!Reduces(shape.collective) || shape.ranks == 1 ||
      OrderOf(spec, shape.collective) >= wanted) {
    return absl::OkStatus();
  }
  std::vector<std::string> names;
  for (const AlgorithmSpec& candidate : Candidates(shape)) {
    if (OrderOf(candidate, shape.collective) >= wanted) names.push_back(Format(candidate));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "it does not fold ",
      wanted == FoldOrder::kOneFold
          ? "all contributions at once in order of rank, as shape-invariant results ask"
          : "in order of rank, as a reduction that does not commute asks",
      "; for ", Name(shape.collective),
      names.empty() ? " no algorithm does" : absl::StrCat(" these do: ", absl::StrJoin(names, " "))));
}

void Planner::GoByMeasured(const Shape& shape, uint64_t bytes, absl::Span<Plan::Candidate> candidates) const {
  // Formulas err all in one direction: what was not measured is corrected by what those err that were.
  std::vector<double> errors;
  for (Plan::Candidate& c : candidates) {
    if (!WasMeasured(c.spec, shape.collective, topology_)) continue;
    const double time = PredictTime(c.spec, shape, bytes, topology_);
    if (c.time > 0 && std::isfinite(c.time)) errors.push_back(time / c.time);
    c.time = time;
  }
  if (errors.empty()) return;
  std::nth_element(errors.begin(), errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2), errors.end());
  for (Plan::Candidate& c : candidates) {
    if (!WasMeasured(c.spec, shape.collective, topology_)) c.time *= errors[errors.size() / 2];
  }
  // Whose times noise may have put in order stay in that of the formulas.
  const double least = std::min_element(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
                         return a.time < b.time;
                       })->time;
  const auto rest = std::stable_partition(candidates.begin(), candidates.end(), [&](const Plan::Candidate& c) {
    return c.time <= least * kEqually;
  });
  Sort(absl::MakeSpan(candidates).subspan(static_cast<size_t>(rest - candidates.begin())));
}

absl::StatusOr<std::shared_ptr<const Plan>> Planner::Make(Collective collective, uint64_t bytes,
                                                          int root, const Choice& choice) {
  auto plan = std::make_shared<Plan>();
  Shape shape{collective, topology_.ranks, root, 0, GroupingsOf(topology_)};
  std::string origin;
  bool forced = true;
  if (!choice.algorithm.empty()) {
    CCL_ASSIGN_OR_RETURN(plan->spec, ParseAlgorithm(choice.algorithm));
    origin = "the call";
    forced = choice.forced;
  } else {
    for (const Override& rule : overrides_) {
      if (rule.collective == collective && rule.low <= bytes && bytes < rule.high) {
        plan->spec = rule.spec;
        origin = rule.origin;
        break;
      }
    }
  }
  if (!origin.empty()) {
    if (choice.slices > 0) plan->spec.slices = choice.slices;
    auto program = BuildOnce(plan->spec, shape);
    absl::Status status = program.status();
    if (status.ok()) status = CheckOrder(plan->spec, shape, choice.order);
    if (status.ok()) {
      plan->program = *std::move(program);
      plan->forced = true;
      plan->predicted = PredictTime(plan->spec, shape, bytes, topology_);
      plan->text = Format(plan->spec);
      plan->reason = absl::StrCat(forced ? "forced by " : "preferred by ", origin);
      return plan;
    }
    if (forced) {
      return absl::InvalidArgumentError(absl::StrCat("'", Format(plan->spec), "', forced by ", origin,
                                                     ", cannot run: ", status.message()));
    }
  }
  std::vector<AlgorithmSpec> specs = Candidates(shape);
  if (choice.slices > 0) {
    for (AlgorithmSpec& spec : specs) spec.slices = choice.slices;
  } else {
    specs = WithinSlices(WithSlices(std::move(specs)), choice.least_slices, choice.most_slices);
  }
  const bool none = specs.empty();
  for (AlgorithmSpec& spec : specs) {
    if (Reduces(collective) && shape.ranks > 1 && OrderOf(spec, collective) < choice.order) continue;
    const double time = PredictByFormula(spec, shape, bytes, topology_);
    plan->candidates.push_back({std::move(spec), time});
  }
  if (plan->candidates.empty()) {
    return absl::UnimplementedError(
        none ? absl::StrCat("no algorithm does ", Name(collective))
            : absl::StrCat("no algorithm does ", Name(collective), " in the order of fold '",
                           Name(choice.order), "'"));
  }
  Sort(absl::MakeSpan(plan->candidates));
  if (topology_.measured != nullptr) GoByMeasured(shape, bytes, absl::MakeSpan(plan->candidates));
  plan->spec = plan->candidates[0].spec;
  plan->text = Format(plan->spec);
  plan->predicted = plan->candidates[0].time;
  CCL_ASSIGN_OR_RETURN(plan->program, BuildOnce(plan->spec, shape));
  plan->reason = absl::StrFormat("the fastest predicted of %d, %.3f us", plan->candidates.size(),
                                 plan->predicted / 1e6);
  return plan;
}

}  // namespace ccl
