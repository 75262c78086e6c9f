// The way of a collective call into the thread's group.
#ifndef CCL_API_COLLECT_H_
#define CCL_API_COLLECT_H_

#include <functional>
#include <memory>

#include "ccl/api/handles.h"

namespace ccl::api {

struct Call {
  Collective collective = Collective::kAllReduce;
  const void* in = nullptr;
  void* out = nullptr;
  size_t count = 0;
  cclDataType_t type = cclInt8;
  int op = cclSum;
  int root = 0;
  // Of a v-form: reads the caller's arrays.
  std::function<absl::StatusOr<std::shared_ptr<const Blocks>>(int rank, int ranks)> blocks = nullptr;
};

// What is asked for: type and reduction known, blocks read.
absl::StatusOr<Request> RequestOf(const Call& call, cclComm* comm);
// The options of a call; `config` may be null.
absl::StatusOr<Choice> ChoiceOf(const cclCallConfig_t* config);
// Checks and queues; `config` may be null.
cclResult_t Collect(const Call& call, cclComm* comm, cclStream* stream, const cclCallConfig_t* config);

}  // namespace ccl::api

#endif  // CCL_API_COLLECT_H_
