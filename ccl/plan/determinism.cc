#include "ccl/plan/determinism.h"

namespace ccl {
namespace {

constexpr absl::string_view kNames[] = {"off", "run-to-run", "shape-invariant"};

}  // namespace

absl::string_view Name(Determinism determinism) { return kNames[static_cast<int>(determinism)]; }

Determinism ClassOf(FoldOrder order) {
  return order == FoldOrder::kOneFold ? Determinism::kShapeInvariant : Determinism::kRunToRun;
}

}  // namespace ccl
