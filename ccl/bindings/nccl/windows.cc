// Windows: memory that peers write into.
#include <vector>

#include "ccl/bindings/nccl/convert.h"
#include "ccl/bindings/runtime/queue.h"

namespace ccl::bindings {
namespace {

static_assert(NCCL_WIN_STRICT_ORDERING == CCL_WIN_STRICT_ORDERING);

cclWindow_t Window(ncclWindow_t window) { return reinterpret_cast<cclWindow_t>(window); }

// Runs `call` with the library's stream.
template <typename F>
ncclResult_t Queued(ncclComm_t comm, cudaStream_t stream, F call) {
  cclStream_t queue = nullptr;
  if (const cclResult_t result = StreamOf(Own(comm), Handle(stream), &queue); result != cclSuccess) {
    return Result(result);
  }
  return Result(call(Own(comm), queue));
}

}  // namespace
}  // namespace ccl::bindings

using namespace ccl::bindings;

extern "C" {

ncclResult_t ncclCommWindowRegister(ncclComm_t comm, void* buff, size_t size, ncclWindow_t* win,
                                    int winFlags) {
  return Result(cclCommWindowRegister(Own(comm), buff, size, reinterpret_cast<cclWindow_t*>(win), winFlags));
}
CCL_NCCL_TWIN(ncclCommWindowRegister);

ncclResult_t ncclCommWindowDeregister(ncclComm_t comm, ncclWindow_t win) {
  return Result(cclCommWindowDeregister(Own(comm), Window(win)));
}
CCL_NCCL_TWIN(ncclCommWindowDeregister);

ncclResult_t ncclWinGetUserPtr(ncclComm_t comm, ncclWindow_t win, void** outUserPtr) {
  return Result(cclWinGetUserPtr(Own(comm), Window(win), outUserPtr));
}
CCL_NCCL_TWIN(ncclWinGetUserPtr);

ncclResult_t ncclPutSignal(const void* localbuff, size_t count, ncclDataType_t datatype, int peer,
                           ncclWindow_t peerWin, size_t peerWinOffset, int sigIdx, int ctx,
                           unsigned int flags, ncclComm_t comm, cudaStream_t stream) {
  if (!IsType(datatype)) return ncclInvalidArgument;
  return Queued(comm, stream, [&](auto own, auto queue) {
    return cclPutSignal(localbuff, count, Type(datatype), peer, Window(peerWin), peerWinOffset, sigIdx, ctx,
                        flags, own, queue);
  });
}
CCL_NCCL_TWIN(ncclPutSignal);

ncclResult_t ncclSignal(int peer, int sigIdx, int ctx, unsigned int flags, ncclComm_t comm,
                        cudaStream_t stream) {
  return Queued(comm, stream, [&](auto own, auto queue) {
    return cclSignal(peer, sigIdx, ctx, flags, own, queue);
  });
}
CCL_NCCL_TWIN(ncclSignal);

ncclResult_t ncclWaitSignal(int nDesc, ncclWaitSignalDesc_t* signalDescs, ncclComm_t comm,
                            cudaStream_t stream) {
  if (nDesc < 0 || (nDesc > 0 && signalDescs == nullptr)) {
    return Refused(ncclInvalidArgument, "the descriptors of ncclWaitSignal are null or fewer than none");
  }
  std::vector<cclWaitSignalDesc_t> descriptors;
  for (int i = 0; i < nDesc; ++i) {
    const ncclWaitSignalDesc_t& d = signalDescs[i];
    descriptors.push_back({d.opCnt, d.peer, d.sigIdx, d.ctx});
  }
  return Queued(comm, stream, [&](auto own, auto queue) {
    return cclWaitSignal(nDesc, descriptors.data(), own, queue);
  });
}
CCL_NCCL_TWIN(ncclWaitSignal);

}  // extern "C"
