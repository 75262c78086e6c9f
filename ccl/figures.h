#ifndef CCL_FIGURES_H_
#define CCL_FIGURES_H_

#include "absl/status/statusor.h"
#include "ccl/backend/backend.h"
#include "ccl/topology/topology.h"

namespace ccl {

// The backend's topology with what rank 0's process finds on file of it (topology/measured.h) in the place of typical
// figures, which are everybody's, as plans are: rank 0 reads, and the text goes round. What cannot be read is a
// warning, and left. Collective over the processes of the job. Nothing happens in virtual time, and to threads as
// ranks, which cclbench calibrate machine does not measure.
absl::StatusOr<Topology> MeasuredTopology(Backend& backend);

}  // namespace ccl

#endif  // CCL_FIGURES_H_
