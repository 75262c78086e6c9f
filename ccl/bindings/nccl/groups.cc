// Groups, version, errors, memory.
#include <utility>
#include <vector>

#include "ccl/bindings/nccl/convert.h"
#include "ccl/bindings/nccl/deferred.h"
#include "ccl/bindings/runtime/error.h"

namespace ccl::bindings {
namespace {

thread_local int depth = 0;
thread_local std::vector<std::function<ncclResult_t()>> at_end;

ncclResult_t Ended(cclResult_t result) {
  ncclResult_t first = Result(result);
  if (--depth > 0) return first;
  for (const auto& action : std::exchange(at_end, {})) {
    const ncclResult_t next = action();
    if (first == ncclSuccess) first = next;
  }
  return first;
}

}  // namespace

ncclResult_t NowOrAtGroupEnd(std::function<ncclResult_t()> action) {
  if (depth == 0) return action();
  at_end.push_back(std::move(action));
  return ncclSuccess;
}

}  // namespace ccl::bindings

using namespace ccl::bindings;

extern "C" {

ncclResult_t ncclGroupStart(void) {
  const ncclResult_t result = Result(cclGroupStart());
  if (result == ncclSuccess) ++depth;
  return result;
}
CCL_NCCL_TWIN(ncclGroupStart);

ncclResult_t ncclGroupEnd(void) {
  if (depth == 0) return Refused(ncclInvalidUsage, "ncclGroupEnd without ncclGroupStart");
  return Ended(cclGroupEnd());
}
CCL_NCCL_TWIN(ncclGroupEnd);

ncclResult_t ncclGroupSimulateEnd(ncclSimInfo_t* simInfo) {
  if (depth == 0) return Refused(ncclInvalidUsage, "ncclGroupSimulateEnd without ncclGroupStart");
  cclSimInfo_t own = CCL_SIM_INFO_INITIALIZER;
  // Without a place for the result, or in an inner group, the library says what is wrong.
  const bool there = simInfo != nullptr && simInfo->magic == 0x74685283 && simInfo->size >= sizeof *simInfo;
  const ncclResult_t result = Ended(cclGroupSimulateEnd(there ? &own : nullptr));
  if (result == ncclSuccess) simInfo->estimatedTime = static_cast<float>(own.estimatedTime);
  return result;
}
CCL_NCCL_TWIN(ncclGroupSimulateEnd);

ncclResult_t ncclGetVersion(int* version) {
  if (version == nullptr) return Refused(ncclInvalidArgument, "version is null");
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}
CCL_NCCL_TWIN(ncclGetVersion);

const char* ncclGetErrorString(ncclResult_t result) {
  if (result == ncclUnhandledCudaError) return "unhandled cuda error";
  return cclGetErrorString(static_cast<cclResult_t>(result));
}
CCL_NCCL_TWIN(ncclGetErrorString);

const char* ncclGetLastError(ncclComm_t) { return LastError(); }
CCL_NCCL_TWIN(ncclGetLastError);

ncclResult_t ncclMemAlloc(void** ptr, size_t size) { return Result(cclMemAlloc(ptr, size)); }
CCL_NCCL_TWIN(ncclMemAlloc);

ncclResult_t ncclMemFree(void* ptr) { return Result(cclMemFree(ptr)); }
CCL_NCCL_TWIN(ncclMemFree);

ncclResult_t ncclCommRegister(const ncclComm_t comm, void* buff, size_t size, void** handle) {
  return Result(cclCommRegister(Own(comm), buff, size, handle));
}
CCL_NCCL_TWIN(ncclCommRegister);

ncclResult_t ncclCommDeregister(const ncclComm_t comm, void* handle) {
  return Result(cclCommDeregister(Own(comm), handle));
}
CCL_NCCL_TWIN(ncclCommDeregister);

}  // extern "C"
