// Groups, versions and errors.
#include "ccl/api/handles.h"

using namespace ccl::api;

extern "C" {

cclResult_t cclGetVersion(int* version) {
  if (version == nullptr) return Report(absl::InvalidArgumentError("version is null"));
  *version = CCL_VERSION_CODE;
  return cclSuccess;
}

const char* cclGetErrorString(cclResult_t result) {
  switch (result) {
    case cclSuccess: return "no error";
    case cclUnhandledBackendError: return "unhandled backend error";
    case cclSystemError: return "unhandled system error";
    case cclInternalError: return "internal error";
    case cclInvalidArgument: return "invalid argument";
    case cclInvalidUsage: return "invalid usage";
    case cclRemoteError: return "remote process exited or there was a network error";
    case cclInProgress: return "operation in progress";
    case cclTimeout: return "an operation took longer than allowed";
    case cclNumResults: break;
  }
  return "unknown result code";
}

const char* cclGetLastError(cclComm_t) { return LastError(); }

cclResult_t cclGroupStart(void) {
  ThreadGroup().Enter();
  return cclSuccess;
}

cclResult_t cclGroupEnd(void) {
  if (!ThreadGroup().open()) {
    return Report(absl::FailedPreconditionError("cclGroupEnd without cclGroupStart"));
  }
  return Report(ThreadGroup().Leave());
}

}  // extern "C"
