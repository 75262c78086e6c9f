#ifndef CCL_SCHEDULE_DUMP_H_
#define CCL_SCHEDULE_DUMP_H_

#include <cstddef>
#include <string>

#include "ccl/schedule/program.h"

// Programs as text, for people and for golden tests. A line a batch:
//
//   ring allreduce: ranks 4, split 4x1, lanes 1, channels 1, shift 1
//   rank 0 lane 0 batch 3 after 1:2: send 5/0 out[3]; recv 7/0 out[2]
//
// "5/0" is peer and wire channel (of a group operation: group and channel), "after 1:2" waits for
// two batches of lane 1, "[3:6]" are the chunks 3, 4 and 5, "scratch.1" is slot 1.
namespace ccl {

inline constexpr int kAllRanks = -1;

struct DumpOptions {
  int rank = kAllRanks;
  size_t max_lines = 1000;  // of batches; a last line says how many were left out
};
std::string Dump(const Program& program, const DumpOptions& options = {});

// One step and one reference as they stand in a dump.
std::string ToString(const StepList& list, const Step& step);
std::string ToString(const Ref& ref);

}  // namespace ccl

#endif  // CCL_SCHEDULE_DUMP_H_
