#ifndef BENCH_VERSUS_TARGET_H_
#define BENCH_VERSUS_TARGET_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "ccl/base/types.h"

namespace ccl {

// Where the two cores of a measurement are, by how long a line of memory takes from one to the other.
enum class Regime : uint8_t { kUnknown, kOneCore, kOneCache, kFar };
Regime RegimeOf(double ping_pong_ns);
absl::string_view Name(Regime regime);

// Who is compared with; kTuned is Open MPI with its best documented setting.
enum class Against : uint8_t { kOpenMpi, kTuned, kMpich, kGloo };

// How many times as fast as the other a collective is meant to be, with touched buffers; 0: nothing is promised there
// but not to be slower. `reached`: buffers that ranks reach without a copy, allocated by cclMemAlloc or of threads.
double VersusTarget(Collective collective, int ranks, uint64_t bytes, Regime regime, Against against,
                    bool reached);

}  // namespace ccl

#endif  // BENCH_VERSUS_TARGET_H_
