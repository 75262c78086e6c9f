#ifndef CCL_ALGORITHMS_COMBINATORS_H_
#define CCL_ALGORITHMS_COMBINATORS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ccl/algorithms/algorithm.h"

// Programs made from programs.
namespace ccl {

// `inner`, which has one slice, over `slices` slices of the vector. In sequence, every lane runs the
// slices one after the other; side by side, every slice has lanes and wire channels of its own.
std::unique_ptr<Program> Slice(std::shared_ptr<const Program> inner, uint32_t slices,
                               Slicing slicing);

// `inner` with every group operation replaced by the messages it stands for: a reduction becomes
// sends to where it is wanted and a fold in order of rank, a copy becomes sends from its root.
std::unique_ptr<Program> LowerGroupOperations(std::shared_ptr<const Program> inner);

// The collective as stages of smaller collectives within the groups of shape.groupings[0] and
// between them; parts[0] names the algorithm within, the rest the one between (itself composed
// when more than one). InvalidArgument says which part cannot do what its stage asks.
// `equal_blocks`: blocks that belong to ranks have one length. Not so in the stage between uneven
// groups, whose blocks stand for groups.
absl::StatusOr<std::unique_ptr<Program>> Compose(const std::vector<AlgorithmSpec>& parts,
                                                 const Shape& shape, bool equal_blocks = true);

}  // namespace ccl

#endif  // CCL_ALGORITHMS_COMBINATORS_H_
