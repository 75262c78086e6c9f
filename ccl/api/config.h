#ifndef CCL_API_CONFIG_H_
#define CCL_API_CONFIG_H_

#include "absl/status/statusor.h"
#include "ccl/ccl.h"
#include "ccl/options.h"

namespace ccl::api {

// The options that a configuration states, the others as in `inherited`; null states none. What the
// environment says wins, see WithEnvironment. A struct
// of an older ccl.h is as good; InvalidArgument names the field that is out of its range.
absl::StatusOr<Options> OptionsOf(const cclConfig_t* config, const Options& inherited = {});

}  // namespace ccl::api

#endif  // CCL_API_CONFIG_H_
