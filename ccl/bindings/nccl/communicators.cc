// Communicators: how they come to be, what they say of themselves, how they end.
#include "ccl/bindings/runtime/communicators.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "ccl/bindings/nccl/convert.h"
#include "ccl/bindings/nccl/deferred.h"
#include "ccl/bindings/runtime/device.h"

namespace ccl::bindings {
namespace {

// What is made inside a group is there, or is not, when the group has ended.
ncclResult_t Made(cclResult_t result, const Standing& standing, const ncclComm_t* made) {
  if (result != cclSuccess && result != cclInProgress) return Result(result);
  NowOrAtGroupEnd([standing, made] {
    if (*made != nullptr) Know(Own(*made), standing);
    return ncclSuccess;
  });
  return Result(result);
}

ncclResult_t CheckDevices(int ndev, const int* devices) {
  const int count = DeviceCount();
  if (devices == nullptr && ndev > count) {
    return Refused(ncclInvalidArgument, std::to_string(ndev) + " devices are asked for, there are " +
                                            std::to_string(count) + " (CCL_DEVICES)");
  }
  for (int i = 0; devices != nullptr && i < ndev; ++i) {
    if (devices[i] < 0 || devices[i] >= count) {
      return Refused(ncclUnhandledCudaError, "device " + std::to_string(devices[i]) + " is not in 0.." +
                                                 std::to_string(count - 1) + " (CCL_DEVICES)");
    }
    if (std::find(devices, devices + i, devices[i]) != devices + i) {
      return Refused(ncclInvalidUsage, "device " + std::to_string(devices[i]) + " is asked for twice");
    }
  }
  return ncclSuccess;
}

}  // namespace
}  // namespace ccl::bindings

using namespace ccl::bindings;

extern "C" {

ncclResult_t ncclGetUniqueId(ncclUniqueId* uniqueId) {
  return Result(cclGetUniqueId(reinterpret_cast<cclUniqueId*>(uniqueId)));
}
CCL_NCCL_TWIN(ncclGetUniqueId);

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int nranks, ncclUniqueId commId, int rank,
                                    ncclConfig_t* config) {
  if (comm == nullptr) return Refused(ncclInvalidArgument, "comm is null");
  *comm = nullptr;
  cclConfig_t own;
  if (const ncclResult_t result = Convert(config, &own); result != ncclSuccess) return result;
  cclUniqueId id;
  std::memcpy(id.internal, commId.internal, sizeof id.internal);
  cclComm_t made = nullptr;
  const cclResult_t result = cclCommInitRankConfig(&made, nranks, id, rank, &own);
  *comm = Theirs(made);
  return Made(result, {CurrentDevice(), FamilyOf(id.internal, sizeof id.internal)}, comm);
}
CCL_NCCL_TWIN(ncclCommInitRankConfig);

ncclResult_t ncclCommInitRank(ncclComm_t* comm, int nranks, ncclUniqueId commId, int rank) {
  return ncclCommInitRankConfig(comm, nranks, commId, rank, nullptr);
}
CCL_NCCL_TWIN(ncclCommInitRank);

ncclResult_t ncclCommInitRankScalable(ncclComm_t* newcomm, int nranks, int myrank, int nId,
                                      ncclUniqueId* commIds, ncclConfig_t* config) {
  if (commIds == nullptr || nId < 1 || nId > nranks) {
    return Refused(ncclInvalidArgument, "the ids of ncclCommInitRankScalable are null or not 1..nranks");
  }
  return ncclCommInitRankConfig(newcomm, nranks, commIds[0], myrank, config);
}
CCL_NCCL_TWIN(ncclCommInitRankScalable);

ncclResult_t ncclCommInitAll(ncclComm_t* comm, int ndev, const int* devlist) {
  if (comm == nullptr || ndev < 1) return Refused(ncclInvalidArgument, "comm is null or ndev is below 1");
  if (const ncclResult_t result = CheckDevices(ndev, devlist); result != ncclSuccess) return result;
  std::vector<cclComm_t> made(static_cast<size_t>(ndev));
  const cclResult_t result = cclCommInitAll(made.data(), ndev, devlist);
  if (result != cclSuccess) return Result(result);
  const uint64_t family = NewFamily();
  for (int i = 0; i < ndev; ++i) {
    Know(made[static_cast<size_t>(i)], {devlist == nullptr ? i : devlist[i], family});
    comm[i] = Theirs(made[static_cast<size_t>(i)]);
  }
  return ncclSuccess;
}
CCL_NCCL_TWIN(ncclCommInitAll);

ncclResult_t ncclCommSplit(ncclComm_t comm, int color, int key, ncclComm_t* newcomm,
                           ncclConfig_t* config) {
  cclConfig_t own;
  if (const ncclResult_t result = Convert(config, &own); result != ncclSuccess) return result;
  return Made(cclCommSplit(Own(comm), color, key, reinterpret_cast<cclComm_t*>(newcomm), &own),
              StandingOf(Own(comm)), newcomm);
}
CCL_NCCL_TWIN(ncclCommSplit);

ncclResult_t ncclCommShrink(ncclComm_t comm, int* excludeRanksList, int excludeRanksCount,
                            ncclComm_t* newcomm, ncclConfig_t* config, int shrinkFlags) {
  cclConfig_t own;
  if (const ncclResult_t result = Convert(config, &own); result != ncclSuccess) return result;
  return Made(cclCommShrink(Own(comm), excludeRanksList, excludeRanksCount,
                            reinterpret_cast<cclComm_t*>(newcomm), &own, shrinkFlags),
              StandingOf(Own(comm)), newcomm);
}
CCL_NCCL_TWIN(ncclCommShrink);

ncclResult_t ncclCommGetUniqueId(ncclComm_t, ncclUniqueId*) {
  return Refused(ncclInvalidUsage,
                 "ncclCommGetUniqueId: a communicator does not grow here; make another one");
}
CCL_NCCL_TWIN(ncclCommGetUniqueId);

ncclResult_t ncclCommGrow(ncclComm_t, int, const ncclUniqueId*, int, ncclComm_t*, ncclConfig_t*) {
  return Refused(ncclInvalidUsage, "ncclCommGrow: a communicator does not grow here; make another one");
}
CCL_NCCL_TWIN(ncclCommGrow);

ncclResult_t ncclCommFinalize(ncclComm_t comm) {
  return NowOrAtGroupEnd([comm] { return Result(cclCommFinalize(Own(comm))); });
}
CCL_NCCL_TWIN(ncclCommFinalize);

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  return NowOrAtGroupEnd([comm] { return Result(Destroy(Own(comm))); });
}
CCL_NCCL_TWIN(ncclCommDestroy);

ncclResult_t ncclCommAbort(ncclComm_t comm) {
  return NowOrAtGroupEnd([comm] { return Result(Abort(Own(comm))); });
}
CCL_NCCL_TWIN(ncclCommAbort);

ncclResult_t ncclCommRevoke(ncclComm_t comm, int revokeFlags) {
  return Result(cclCommRevoke(Own(comm), revokeFlags));
}
CCL_NCCL_TWIN(ncclCommRevoke);

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* asyncError) {
  if (asyncError == nullptr) return Refused(ncclInvalidArgument, "the result pointer is null");
  cclResult_t error = cclSuccess;
  const cclResult_t result = cclCommGetAsyncError(Own(comm), &error);
  *asyncError = Result(error);
  return Result(result);
}
CCL_NCCL_TWIN(ncclCommGetAsyncError);

ncclResult_t ncclCommCount(const ncclComm_t comm, int* count) {
  return Result(cclCommCount(Own(comm), count));
}
CCL_NCCL_TWIN(ncclCommCount);

ncclResult_t ncclCommCuDevice(const ncclComm_t comm, int* device) {
  if (device == nullptr) return Refused(ncclInvalidArgument, "device is null");
  int count = 0;  // says what is wrong with the communicator
  if (const ncclResult_t result = ncclCommCount(comm, &count); result != ncclSuccess) return result;
  *device = StandingOf(Own(comm)).device;
  return ncclSuccess;
}
CCL_NCCL_TWIN(ncclCommCuDevice);

ncclResult_t ncclCommUserRank(const ncclComm_t comm, int* rank) {
  return Result(cclCommUserRank(Own(comm), rank));
}
CCL_NCCL_TWIN(ncclCommUserRank);

ncclResult_t ncclCommSuspend(ncclComm_t comm, int flags) {
  if (flags != NCCL_SUSPEND_MEM) return Refused(ncclInvalidArgument, "unknown suspend flags");
  int count = 0;
  return ncclCommCount(comm, &count);
}
CCL_NCCL_TWIN(ncclCommSuspend);

ncclResult_t ncclCommResume(ncclComm_t comm) {
  int count = 0;
  return ncclCommCount(comm, &count);
}
CCL_NCCL_TWIN(ncclCommResume);

ncclResult_t ncclCommMemStats(ncclComm_t comm, ncclCommMemStat_t stat, uint64_t* value) {
  return Result(cclCommMemStats(Own(comm), static_cast<cclCommMemStat_t>(stat), value));
}
CCL_NCCL_TWIN(ncclCommMemStats);

}  // extern "C"
