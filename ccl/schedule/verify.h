#ifndef CCL_SCHEDULE_VERIFY_H_
#define CCL_SCHEDULE_VERIFY_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ccl/schedule/fold_order.h"
#include "ccl/schedule/program.h"

// Proves a program: executes all ranks symbolically, with "whose contributions are these?" in the
// place of numbers, and so for every element count, type and timing at once.
//
// One order of events is simulated, with sends that complete only when they are matched. That is
// enough. Matching does not depend on timing, so a program that ends once ends always, and sends
// that may complete early (buffered ones) only remove waits. Values do not depend on timing when
// nothing races, and races are judged by what a rank orders by itself, its lanes and their
// dependencies, never by messages: whatever an eager transport reorders was not relied upon.
namespace ccl {

struct VerifyOptions {
  // Output and input are one buffer: a chunk of both windows has one location. Only a program that
  // passes with and without may be run in place.
  bool in_place = false;
  // Look for unordered accesses. Without, a program that races may pass.
  bool races = true;
};

struct VerifyReport {
  uint64_t messages = 0;
  uint64_t group_operations = 0;  // each counted once, not once a member
  uint64_t chunk_moves = 0;       // chunks received, copied and folded
  uint64_t scratch_chunks = 0;    // of the rank that has most
  FoldOrder order = FoldOrder::kNone;
};

// The report, or InvalidArgument with the first thing found wrong: one line that names rank, lane,
// batch and step.
absl::StatusOr<VerifyReport> Verify(const Program& program, const VerifyOptions& options = {});

// OK when `sliced` is, step by step, the program `one` on each of its slices: one slice after the
// other in the lanes of `one`, or each in lanes and on channels of its own. `one` has one slice.
// InvalidArgument names the first step that differs. Then whatever Verify proves of `one`, in place
// or not, holds of `sliced`, whose messages, moves and scratch are those of `one` once a slice:
//
// - No two slices share a chunk, so values and races are those of each slice: what orders two
//   accesses of a slice is its own lanes' order and dependencies, which are the same as in `one`.
// - Side by side, slices share no lane, channel or dependency either: nothing waits across.
// - One after the other, a lane's batches of slice s follow those of slice s - 1, and a wire has one
//   lane at either end. Every slice puts as many sends as receives on a wire, all of `one`'s having
//   matched; so the k-th send of slice s meets the k-th receive of slice s. Run the slices in turn,
//   each in the order in which `one` was run: every batch's dependencies hold when it comes up, so
//   this is an order that ends, and when one ends all do. The same goes for group operations.
absl::Status VerifySlices(const Program& one, const Program& sliced);

}  // namespace ccl

#endif  // CCL_SCHEDULE_VERIFY_H_
