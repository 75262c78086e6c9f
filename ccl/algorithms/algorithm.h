#ifndef CCL_ALGORITHMS_ALGORITHM_H_
#define CCL_ALGORITHMS_ALGORITHM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ccl/base/types.h"
#include "ccl/schedule/fold_order.h"
#include "ccl/schedule/program.h"
#include "ccl/topology/topology.h"

namespace ccl {

// Which algorithm, as a value with a text form:
//
//   ring   nhr   knomial:4   two_shot*8   hier(two_shot+nhr)*4   hier(ring+ring+nhr)
//
// NAME[:RADIX][(INNER+...+OUTER)][*SLICES]. The parts of a composition are named from the
// innermost level outwards.
struct AlgorithmSpec {
  std::string name;
  uint32_t radix = 0;   // 0: the algorithm's default
  uint32_t slices = 1;  // pieces the vector is pipelined in
  std::vector<AlgorithmSpec> parts;

  friend bool operator==(const AlgorithmSpec& a, const AlgorithmSpec& b) {
    return a.name == b.name && a.radix == b.radix && a.slices == b.slices && a.parts == b.parts;
  }
};
absl::StatusOr<AlgorithmSpec> ParseAlgorithm(absl::string_view text);
std::string Format(const AlgorithmSpec& spec);

// What a recipe is a function of. No element count, no type: a program serves them all.
struct Shape {
  Collective collective = Collective::kAllReduce;
  int ranks = 1;
  int root = 0;
  uint32_t radix = 0;                    // of k-nomial trees
  std::vector<Grouping> groupings;       // innermost first; empty: no structure known
};

// How an algorithm uses slices: a tree runs them one after the other through its lanes, so that
// they pipeline; a ring runs them side by side, one copy of its lanes each.
enum class Slicing : uint8_t { kInSequence, kSideBySide };

// A row of the catalogue. The functions are pure.
struct Algorithm {
  absl::string_view name;
  absl::string_view summary;         // one line for `cclbench list algorithms`
  absl::string_view cost;            // alpha-beta cost, in the notation of docs/algorithms.md
  absl::Span<const Collective> collectives;
  Slicing slicing;
  bool group_operations;             // uses GroupReduce or GroupCopy
  // At least so, where the collective reduces, whatever the shape: `cclbench verify` holds each
  // program to it.
  FoldOrder order;
  // OK, or why the algorithm cannot run this shape.
  absl::Status (*applies)(const Shape& shape);
  // The program with one slice. Requires applies(shape).ok() and ranks >= 2.
  std::unique_ptr<Program> (*make)(const Shape& shape);
};

// Every algorithm, in the order in which ties are broken.
absl::Span<const Algorithm> Catalogue();
// Null when there is none of that name.
const Algorithm* FindAlgorithm(absl::string_view name);

// The program of `spec`: a flat algorithm, a composition over shape.groupings, sliced as asked.
// With `lower_group_operations` every group operation is replaced by the messages it stands for.
// One rank gives the local program whatever the algorithm. InvalidArgument names the reason when
// the algorithm is unknown, does not do the collective, or does not fit the shape.
absl::StatusOr<std::shared_ptr<const Program>> BuildProgram(const AlgorithmSpec& spec,
                                                            const Shape& shape,
                                                            bool lower_group_operations);

// In which order an algorithm promises to fold; compositions promise nothing.
FoldOrder OrderOf(const AlgorithmSpec& spec, Collective collective);

// Every specification worth considering for a shape, with default radix and slices: what the
// planner costs, `cclbench compare` runs and `cclbench verify` proves. Compositions are included
// when a grouping structures the ranks, those of three levels when two different ones do.
std::vector<AlgorithmSpec> Candidates(const Shape& shape);
// The compositions that are proposed for a shape's collective and can be built on its groupings,
// useful or not: two levels over one grouping, three over two that nest.
std::vector<AlgorithmSpec> Compositions(const Shape& shape);

}  // namespace ccl

#endif  // CCL_ALGORITHMS_ALGORITHM_H_
