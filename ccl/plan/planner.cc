#include "ccl/plan/planner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ccl/base/status.h"
#include "ccl/plan/cost.h"

namespace ccl {
namespace {

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

Planner::Kept Planner::kept() {
  std::lock_guard<std::mutex> lock(mutex_);
  return {plans_.size(), programs_.size()};
}

absl::StatusOr<std::shared_ptr<const Plan>> Planner::Choose(Collective collective, uint64_t bytes,
                                                            int root, absl::string_view forced) {
  if (!HasRoot(collective)) root = 0;
  std::lock_guard<std::mutex> lock(mutex_);
  auto key = std::make_tuple(collective, bytes, root, std::string(forced));
  if (const auto found = plans_.find(key); found != plans_.end()) return found->second;
  CCL_ASSIGN_OR_RETURN(std::shared_ptr<const Plan> plan, Make(collective, bytes, root, forced));
  if (plans_.size() >= kMostPlans) plans_.clear();
  return plans_.emplace(std::move(key), std::move(plan)).first->second;
}

absl::StatusOr<std::shared_ptr<const Plan>> Planner::Make(Collective collective, uint64_t bytes,
                                                          int root, absl::string_view forced) {
  auto plan = std::make_shared<Plan>();
  Shape shape{collective, topology_.ranks, root, 0, GroupingsOf(topology_)};
  std::string origin;
  if (!forced.empty()) {
    CCL_ASSIGN_OR_RETURN(plan->spec, ParseAlgorithm(forced));
    origin = "the call";
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
    auto program = BuildOnce(plan->spec, shape);
    if (!program.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("'", Format(plan->spec), "', forced by ", origin,
                                                     ", cannot run: ", program.status().message()));
    }
    plan->program = *std::move(program);
    plan->predicted = -1;
    plan->reason = absl::StrCat("forced by ", origin);
    return plan;
  }
  for (AlgorithmSpec& spec : WithSlices(Candidates(shape))) {
    const double time = PredictTime(spec, shape, bytes, topology_);
    plan->candidates.push_back({std::move(spec), time});
  }
  if (plan->candidates.empty()) {
    return absl::UnimplementedError(absl::StrCat("no algorithm does ", Name(collective)));
  }
  std::stable_sort(plan->candidates.begin(), plan->candidates.end(),
                   [](const Plan::Candidate& a, const Plan::Candidate& b) { return a.time < b.time; });
  plan->spec = plan->candidates[0].spec;
  plan->predicted = plan->candidates[0].time;
  CCL_ASSIGN_OR_RETURN(plan->program, BuildOnce(plan->spec, shape));
  plan->reason = absl::StrFormat("the fastest predicted of %d, %.3f us", plan->candidates.size(),
                                 plan->predicted / 1e6);
  return plan;
}

}  // namespace ccl
