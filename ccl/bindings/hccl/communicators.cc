// Communicators: how they come to be, what they say of themselves, how they end.
#include "ccl/bindings/runtime/communicators.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "ccl/bindings/hccl/convert.h"
#include "ccl/bindings/hccl/include/hccl/hccl.h"
#include "ccl/bindings/hccl/rank_table.h"
#include "ccl/bindings/runtime/device.h"

namespace ccl::bindings {
namespace {

// A name that all who join by the same bytes have in common.
std::string NameOf(uint64_t family) {
  char name[32];
  std::snprintf(name, sizeof name, "hccl_%016llx", static_cast<unsigned long long>(family));
  return name;
}

HcclResult Join(uint32_t ranks, const cclUniqueId& id, uint32_t rank, const HcclCommConfig* config,
                HcclComm* comm) {
  *comm = nullptr;
  cclConfig_t own;
  if (const HcclResult result = Convert(config, &own); result != HCCL_SUCCESS) return result;
  cclComm_t made = nullptr;
  const cclResult_t result =
      cclCommInitRankConfig(&made, static_cast<int>(ranks), id, static_cast<int>(rank), &own);
  if (result != cclSuccess) return Result(result);
  const uint64_t family = FamilyOf(id.internal, sizeof id.internal);
  Know(made, {CurrentDevice(), family});
  Keep(made, {own.commName == nullptr ? NameOf(family) : own.commName});
  *comm = made;
  return HCCL_SUCCESS;
}

// The ranks of `comm` that are not among `members`; false for members that are none, or twice.
bool Others(int size, const std::vector<int>& members, std::vector<int>* others) {
  std::vector<bool> is_member(static_cast<size_t>(size));
  for (int rank : members) {
    if (rank < 0 || rank >= size || is_member[static_cast<size_t>(rank)]) return false;
    is_member[static_cast<size_t>(rank)] = true;
  }
  for (int rank = 0; rank < size; ++rank) {
    if (!is_member[static_cast<size_t>(rank)]) others->push_back(rank);
  }
  return true;
}

// Those that are left, and then those that are left in the order that is asked for.
cclResult_t MakeSub(cclComm_t comm, const std::vector<int>& members, std::vector<int> others, int place,
                    const cclConfig_t& config, cclComm_t* sub) {
  cclComm_t left = comm;
  if (!others.empty()) {
    const cclResult_t result = cclCommShrink(comm, others.data(), static_cast<int>(others.size()), &left,
                                             &config, CCL_SHRINK_DEFAULT);
    if (result != cclSuccess) return result;
    *sub = left;
    if (std::is_sorted(members.begin(), members.end())) return cclSuccess;
  }
  const cclResult_t result = cclCommSplit(left, 0, place, sub, &config);
  if (left != comm) cclCommDestroy(left);
  return result;
}

}  // namespace
}  // namespace ccl::bindings

using namespace ccl::bindings;

extern "C" {

HcclResult HcclCommInitClusterInfoConfig(const char* clusterInfo, uint32_t rank, HcclCommConfig* config,
                                         HcclComm* comm) {
  if (clusterInfo == nullptr || comm == nullptr) {
    return Refused(HCCL_E_PTR, "the name of the rank table or the communicator is null");
  }
  std::ifstream file(clusterInfo);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    return Refused(HCCL_E_OPEN_FILE_FAILURE, std::string("cannot read the rank table '") + clusterInfo + "'");
  }
  std::string wrong;
  const RankTable table = ParseRankTable(text.str(), &wrong);
  if (!wrong.empty()) return Refused(HCCL_E_PARA, std::string("'") + clusterInfo + "': " + wrong);
  if (rank >= table.ranks.size()) {
    return Refused(HCCL_E_PARA, std::string("'") + clusterInfo + "' has no rank " + std::to_string(rank) +
                                    ", only " + std::to_string(table.ranks.size()));
  }
  if (const int device = table.ranks[rank].device; device != CurrentDevice()) {
    return Refused(HCCL_E_PARA, std::string("'") + clusterInfo + "' has rank " + std::to_string(rank) +
                                    " on device " + std::to_string(device) + ", the current one is " +
                                    std::to_string(CurrentDevice()) + " (aclrtSetDevice)");
  }
  cclUniqueId id = {};
  const uint64_t family = FamilyOf(text.str().data(), text.str().size());
  std::snprintf(id.internal, sizeof id.internal, "rank table %016llx", static_cast<unsigned long long>(family));
  return Join(static_cast<uint32_t>(table.ranks.size()), id, rank, config, comm);
}

HcclResult HcclCommInitClusterInfo(const char* clusterInfo, uint32_t rank, HcclComm* comm) {
  return HcclCommInitClusterInfoConfig(clusterInfo, rank, nullptr, comm);
}

HcclResult HcclGetRootInfo(HcclRootInfo* rootInfo) {
  if (rootInfo == nullptr) return Refused(HCCL_E_PTR, "the root info is null");
  std::memset(rootInfo, 0, sizeof *rootInfo);
  cclUniqueId id;
  const cclResult_t result = cclGetUniqueId(&id);
  if (result == cclSuccess) std::memcpy(rootInfo->internal, id.internal, sizeof id.internal);
  return Result(result);
}

HcclResult HcclCommInitRootInfoConfig(uint32_t nRanks, const HcclRootInfo* rootInfo, uint32_t rank,
                                      const HcclCommConfig* config, HcclComm* comm) {
  if (rootInfo == nullptr || comm == nullptr) {
    return Refused(HCCL_E_PTR, "the root info or the communicator is null");
  }
  if (nRanks > 1u << 24 || rank >= nRanks) {
    return Refused(HCCL_E_PARA, "rank " + std::to_string(rank) + " of " + std::to_string(nRanks) + " ranks");
  }
  cclUniqueId id;
  std::memcpy(id.internal, rootInfo->internal, sizeof id.internal);
  return Join(nRanks, id, rank, config, comm);
}

HcclResult HcclCommInitRootInfo(uint32_t nRanks, const HcclRootInfo* rootInfo, uint32_t rank,
                                HcclComm* comm) {
  return HcclCommInitRootInfoConfig(nRanks, rootInfo, rank, nullptr, comm);
}

HcclResult HcclCommInitAll(uint32_t ndev, int32_t* devices, HcclComm* comms) {
  if (devices == nullptr || comms == nullptr) return Refused(HCCL_E_PTR, "devices or comms is null");
  if (ndev < 1 || ndev > static_cast<uint32_t>(DeviceCount())) {
    return Refused(HCCL_E_PARA, std::to_string(ndev) + " devices are asked for, there are " +
                                    std::to_string(DeviceCount()) + " (CCL_DEVICES)");
  }
  for (uint32_t i = 0; i < ndev; ++i) {
    const bool there = devices[i] >= 0 && devices[i] < DeviceCount();
    if (there && std::find(devices, devices + i, devices[i]) == devices + i) continue;
    return Refused(HCCL_E_PARA, "device " + std::to_string(devices[i]) +
                                    (there ? " is asked for twice" : " is not there (CCL_DEVICES)"));
  }
  cclConfig_t config;
  if (const HcclResult result = Convert(static_cast<const HcclCommConfig*>(nullptr), &config); result != HCCL_SUCCESS) {
    return result;
  }
  std::vector<cclComm_t> made(ndev);
  const cclResult_t result =
      cclCommInitAllConfig(made.data(), static_cast<int>(ndev), devices, &config);
  if (result != cclSuccess) return Result(result);
  const uint64_t family = NewFamily();
  for (uint32_t i = 0; i < ndev; ++i) {
    Know(made[i], {devices[i], family});
    Keep(made[i], {NameOf(family)});
    comms[i] = made[i];
  }
  return HCCL_SUCCESS;
}

HcclResult HcclCreateSubCommConfig(HcclComm* comm, uint32_t rankNum, uint32_t* rankIds, uint64_t,
                                   uint32_t subCommRankId, HcclCommConfig* config, HcclComm* subComm) {
  if (comm == nullptr || subComm == nullptr) return Refused(HCCL_E_PTR, "comm or subComm is null");
  *subComm = nullptr;
  Notes notes;
  if (const HcclResult result = NotesOf(*comm, &notes); result != HCCL_SUCCESS) return result;
  if (rankIds == nullptr) return HCCL_SUCCESS;
  cclConfig_t own;
  if (const HcclResult result = Convert(config, &own); result != HCCL_SUCCESS) return result;
  int size = 0, rank = 0;
  cclResult_t result = cclCommCount(Own(*comm), &size);
  if (result == cclSuccess) result = cclCommUserRank(Own(*comm), &rank);
  if (result != cclSuccess) return Result(result);
  const std::vector<int> members(rankIds, rankIds + rankNum);
  std::vector<int> others;
  if (!Others(size, members, &others)) {
    return Refused(HCCL_E_PARA, "the ranks of a sub-communicator are not of 0.." + std::to_string(size - 1) +
                                    ", each once");
  }
  if (subCommRankId >= rankNum || members[subCommRankId] != rank) {
    return Refused(HCCL_E_PARA, "rank " + std::to_string(rank) + " is not at place " +
                                    std::to_string(subCommRankId) + " of the sub-communicator");
  }
  cclComm_t sub = nullptr;
  result = MakeSub(Own(*comm), members, others, static_cast<int>(subCommRankId), own, &sub);
  if (result != cclSuccess) return Result(result);
  Know(sub, StandingOf(Own(*comm)));
  Keep(sub, {own.commName == nullptr ? notes.name + "_sub" : own.commName});
  *subComm = sub;
  return HCCL_SUCCESS;
}

HcclResult HcclCommDestroy(HcclComm comm) {
  Notes notes;
  if (const HcclResult result = NotesOf(comm, &notes); result != HCCL_SUCCESS) return result;
  Forget(comm);
  return Result(Destroy(Own(comm)));
}

HcclResult HcclGetRankSize(HcclComm comm, uint32_t* rankSize) {
  Notes notes;
  if (rankSize == nullptr) return Refused(HCCL_E_PTR, "rankSize is null");
  if (const HcclResult result = NotesOf(comm, &notes); result != HCCL_SUCCESS) return result;
  int size = 0;
  const cclResult_t result = cclCommCount(Own(comm), &size);
  *rankSize = static_cast<uint32_t>(size);
  return Result(result);
}

HcclResult HcclGetRankId(HcclComm comm, uint32_t* rank) {
  Notes notes;
  if (rank == nullptr) return Refused(HCCL_E_PTR, "rank is null");
  if (const HcclResult result = NotesOf(comm, &notes); result != HCCL_SUCCESS) return result;
  int own = 0;
  const cclResult_t result = cclCommUserRank(Own(comm), &own);
  *rank = static_cast<uint32_t>(own);
  return Result(result);
}

HcclResult HcclGetCommName(HcclComm comm, char* commName) {
  Notes notes;
  if (commName == nullptr) return Refused(HCCL_E_PTR, "commName is null");
  if (const HcclResult result = NotesOf(comm, &notes); result != HCCL_SUCCESS) return result;
  std::snprintf(commName, COMM_NAME_MAX_LENGTH, "%s", notes.name.c_str());
  return HCCL_SUCCESS;
}

HcclResult HcclGetCommAsyncError(HcclComm comm, HcclResult* asyncError) {
  Notes notes;
  if (asyncError == nullptr) return Refused(HCCL_E_PTR, "the result pointer is null");
  if (const HcclResult result = NotesOf(comm, &notes); result != HCCL_SUCCESS) return result;
  cclResult_t error = cclSuccess;
  const cclResult_t result = cclCommGetAsyncError(Own(comm), &error);
  *asyncError = Result(error);
  return Result(result);
}

HcclResult HcclCommSuspend(HcclComm comm) {
  Notes notes;
  if (const HcclResult result = NotesOf(comm, &notes); result != HCCL_SUCCESS) return result;
  notes.suspended = true;
  Keep(comm, notes);
  return HCCL_SUCCESS;
}

HcclResult HcclCommResume(HcclComm comm) {
  Notes notes;
  if (const HcclResult result = NotesOf(comm, &notes); result != HCCL_SUCCESS) return result;
  notes.suspended = false;
  Keep(comm, notes);
  return HCCL_SUCCESS;
}

}  // extern "C"
