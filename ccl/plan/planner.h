#ifndef CCL_PLAN_PLANNER_H_
#define CCL_PLAN_PLANNER_H_

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/types/span.h"
#include "ccl/plan/determinism.h"
#include "ccl/plan/overrides.h"
#include "ccl/topology/topology.h"

namespace ccl {

// The choice for one request; immutable, shared by the ranks of a process.
struct Plan {
  struct Candidate {
    AlgorithmSpec spec;
    double time = 0;  // predicted, picoseconds
  };
  AlgorithmSpec spec;
  std::string text;                   // of the spec
  std::shared_ptr<const Program> program;
  double predicted = 0;               // picoseconds; infinite where there is no formula
  bool forced = false;                // or preferred, by who the reason says
  std::vector<Candidate> candidates;  // fastest first, see kEqually; empty when forced
  std::string reason;

  std::string Explain() const;
};

// What a call asks of the choice. Equal on all ranks.
struct Choice {
  Choice() = default;
  Choice(const char* text) : algorithm(text) {}         // NOLINT(google-explicit-constructor)
  Choice(std::string text) : algorithm(std::move(text)) {}  // NOLINT(google-explicit-constructor)

  std::string algorithm;  // its text; empty to choose
  // False: a wish. What cannot run, or does not fold as asked, leaves the choice to the planner.
  bool forced = true;
  uint32_t slices = 0;    // of any algorithm; 0: what suits it,
  uint32_t least_slices = 0, most_slices = 0;  // within these where the planner chooses; 0: any
  // Of the call, if it says.
  std::optional<Determinism> determinism;
  // At least so. The planner goes by it; it follows from the determinism and the reduction.
  FoldOrder order = FoldOrder::kNone;

  // Nothing is asked.
  bool free() const {
    return algorithm.empty() && slices == 0 && !determinism.has_value() && order == FoldOrder::kNone &&
           least_slices == 0 && most_slices == 0;
  }

  friend bool operator==(const Choice&, const Choice&) = default;
  friend bool operator<(const Choice& a, const Choice& b) {
    return std::tie(a.algorithm, a.forced, a.slices, a.least_slices, a.most_slices, a.order) <
           std::tie(b.algorithm, b.forced, b.slices, b.least_slices, b.most_slices, b.order);
  }
};

// Chooses algorithms for one topology. Thread-safe; equal inputs give equal plans on all ranks.
class Planner {
 public:
  Planner(Topology topology, std::vector<Override> overrides, bool group_operations)
      : topology_(std::move(topology)),
        overrides_(std::move(overrides)),
        group_operations_(group_operations) {}

  // `bytes` of the larger buffer of a rank. A forced algorithm that cannot run the request, or folds
  // in another order than is asked for, is InvalidArgument, naming who forced it and why it cannot;
  // nothing falls back. Plans are kept, and equal choices share one program.
  absl::StatusOr<std::shared_ptr<const Plan>> Choose(Collective collective, uint64_t bytes, int root,
                                                     const Choice& choice);

  // How long an algorithm takes, measured or by its formula, in picoseconds; infinite without either.
  double Predict(const AlgorithmSpec& spec, Collective collective, uint64_t bytes, int root) const;

  // Measured times within so many times the least are equal: of those algorithms the formulas choose.
  static constexpr double kEqually = 1.1;

  // What is kept, for reports: so many plans (programs) at most. One more, and all are forgotten but
  // those in use; choices are functions of their inputs, so they come out again as they were.
  static constexpr size_t kMostPlans = 1024, kMostPrograms = 256;
  struct Kept {
    size_t plans = 0, programs = 0;
  };
  Kept kept();

 private:
  absl::StatusOr<std::shared_ptr<const Plan>> Make(Collective collective, uint64_t bytes, int root,
                                                   const Choice& choice);
  // Of candidates that come with their formulas' times, in that order.
  void GoByMeasured(const Shape& shape, uint64_t bytes, absl::Span<Plan::Candidate> candidates) const;
  // OK, or that the algorithm folds in another order than is asked for.
  absl::Status CheckOrder(const AlgorithmSpec& spec, const Shape& shape, FoldOrder wanted) const;
  absl::StatusOr<std::shared_ptr<const Program>> BuildOnce(const AlgorithmSpec& spec,
                                                          const Shape& shape);

  const Topology topology_;
  const std::vector<Override> overrides_;
  const bool group_operations_;
  std::mutex mutex_;
  std::map<std::tuple<Collective, uint64_t, int, Choice>, std::shared_ptr<const Plan>> plans_;
  std::map<std::tuple<Collective, int, std::string>, std::shared_ptr<const Program>> programs_;
};

}  // namespace ccl

#endif  // CCL_PLAN_PLANNER_H_
