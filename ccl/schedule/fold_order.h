#ifndef CCL_SCHEDULE_FOLD_ORDER_H_
#define CCL_SCHEDULE_FOLD_ORDER_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace ccl {

// In which order contributions are folded; decides which results are equal bit by bit. Whatever it
// is, it is the program's and no matter of timing: every run gives the same bits.
enum class FoldOrder : uint8_t {
  kNone,       // the collective does not reduce
  kDiffers,    // two ranks fold a chunk differently: floating point results differ between ranks
  kAgrees,     // all ranks that hold a chunk folded it in the same order
  kRankOrder,  // (((0 + 1) + 2) + ...) for every chunk; operations need not commute
  kOneFold,    // that at one rank at once, rounded once: all such programs give the same bits,
               // whatever the count, the chunks and the algorithm
};
absl::string_view Name(FoldOrder order);

}  // namespace ccl

#endif  // CCL_SCHEDULE_FOLD_ORDER_H_
