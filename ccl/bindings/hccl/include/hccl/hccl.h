/* HCCL's API on host memory: its names, values and types. What a call means is said by the function of
 * ccl.h of the same name; here is what differs. Programs written for HCCL compile unchanged against this
 * header and acl/acl.h beside it.
 *
 * Every function returns a HcclResult; aclGetRecentErrMsg says what happened, on which rank, in which
 * operation. HCCL_E_PTR (a null pointer), HCCL_E_PARA and HCCL_E_NOT_SUPPORT: the call had no effect.
 * Any other error is final for the communicator: what is left is to destroy it. Operations return when
 * they are queued on the stream; null is the stream of the communicator's device. There are no groups:
 * a thread that drives several emulated ranks queues the operation of each before it waits for one.
 * Counts are elements: of the vector, or of one rank's block where there are blocks. Calls on different
 * communicators may come from different threads. */
#ifndef HCCL_H_
#define HCCL_H_

#include <stddef.h>
#include <string.h>

#include "acl/acl.h"
#include "hccl/hccl_types.h"

#if defined(__GNUC__)
#define CCL_HCCL_API __attribute__((visibility("default")))
#else
#define CCL_HCCL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Communicators: they stand on the device that is current. `clusterInfo` names a rank table, JSON of
 * version 1.0 or 1.2 with status "completed": it has as many ranks as devices, and `rank` is on the
 * device that it says. HCCL_E_OPEN_FILE_FAILURE for one that cannot be read, HCCL_E_PARA, naming what is
 * wrong, for one that is none. It says who the ranks are; the fabric is CCL_BACKEND's. */
CCL_HCCL_API HcclResult HcclCommInitClusterInfo(const char* clusterInfo, uint32_t rank, HcclComm* comm);
CCL_HCCL_API HcclResult HcclCommInitClusterInfoConfig(const char* clusterInfo, uint32_t rank,
                                                      HcclCommConfig* config, HcclComm* comm);
/* The id of a communicator: one rank makes it and hands it to the others. */
CCL_HCCL_API HcclResult HcclGetRootInfo(HcclRootInfo* rootInfo);
CCL_HCCL_API HcclResult HcclCommInitRootInfo(uint32_t nRanks, const HcclRootInfo* rootInfo,
                                             uint32_t rank, HcclComm* comm);
CCL_HCCL_API HcclResult HcclCommInitRootInfoConfig(uint32_t nRanks, const HcclRootInfo* rootInfo,
                                                   uint32_t rank, const HcclCommConfig* config,
                                                   HcclComm* comm);
/* All ranks of an emulated world for this process, on `devices`. */
CCL_HCCL_API HcclResult HcclCommInitAll(uint32_t ndev, int32_t* devices, HcclComm* comms);
/* A communicator of the `rankNum` ranks `rankIds` of `comm`, in that order; only these call, each with
 * its place in `subCommRankId`, from a thread or process each. A rank that takes no part may call with a
 * null `rankIds` and gets null. `subCommId` is not used. */
CCL_HCCL_API HcclResult HcclCreateSubCommConfig(HcclComm* comm, uint32_t rankNum, uint32_t* rankIds,
                                                uint64_t subCommId, uint32_t subCommRankId,
                                                HcclCommConfig* config, HcclComm* subComm);
/* Waits for the rank's operations first. */
CCL_HCCL_API HcclResult HcclCommDestroy(HcclComm comm);
CCL_HCCL_API HcclResult HcclGetRankSize(HcclComm comm, uint32_t* rankSize);
CCL_HCCL_API HcclResult HcclGetRankId(HcclComm comm, uint32_t* rank);
/* Into COMM_NAME_MAX_LENGTH bytes: the name of the configuration, or one that all ranks have in common. */
CCL_HCCL_API HcclResult HcclGetCommName(HcclComm comm, char* commName);
CCL_HCCL_API HcclResult HcclGetCommAsyncError(HcclComm comm, HcclResult* asyncError);
CCL_HCCL_API const char* HcclGetErrorString(HcclResult code); /* static; any value is allowed */
/* Between the two, operations of this rank are refused with HCCL_E_SUSPENDING. */
CCL_HCCL_API HcclResult HcclCommSuspend(HcclComm comm);
CCL_HCCL_API HcclResult HcclCommResume(HcclComm comm);
/* HCCL_DETERMINISTIC (0, 1, 2) of communicators made from now on whose configuration says nothing. */
CCL_HCCL_API HcclResult HcclSetConfig(HcclConfig config, HcclConfigValue configValue);
CCL_HCCL_API HcclResult HcclGetConfig(HcclConfig config, HcclConfigValue* configValue);
/* Bits, by HcclCommConfigCapability. */
CCL_HCCL_API uint32_t HcclGetCommConfigCapability(void);
/* Host memory needs none of it: ranges are kept and checked (HCCL_E_NOT_FOUND), without effect. */
CCL_HCCL_API HcclResult HcclCommSetMemoryRange(HcclComm comm, void* baseVirPtr, size_t size,
                                               size_t alignment, uint64_t flags);
CCL_HCCL_API HcclResult HcclCommUnsetMemoryRange(HcclComm comm, void* baseVirPtr);
CCL_HCCL_API HcclResult HcclCommActivateCommMemory(HcclComm comm, void* virPtr, size_t size,
                                                   size_t offset, aclrtDrvMemHandle handle,
                                                   uint64_t flags);
CCL_HCCL_API HcclResult HcclCommDeactivateCommMemory(HcclComm comm, void* virPtr);

/* Collectives and messages. */
CCL_HCCL_API HcclResult HcclAllReduce(void* sendBuf, void* recvBuf, uint64_t count,
                                      HcclDataType dataType, HcclReduceOp op, HcclComm comm,
                                      aclrtStream stream);
CCL_HCCL_API HcclResult HcclBroadcast(void* buf, uint64_t count, HcclDataType dataType, uint32_t root,
                                      HcclComm comm, aclrtStream stream);
CCL_HCCL_API HcclResult HcclReduce(void* sendBuf, void* recvBuf, uint64_t count, HcclDataType dataType,
                                   HcclReduceOp op, uint32_t root, HcclComm comm, aclrtStream stream);
CCL_HCCL_API HcclResult HcclReduceScatter(void* sendBuf, void* recvBuf, uint64_t recvCount,
                                          HcclDataType dataType, HcclReduceOp op, HcclComm comm,
                                          aclrtStream stream);
CCL_HCCL_API HcclResult HcclScatter(void* sendBuf, void* recvBuf, uint64_t recvCount,
                                    HcclDataType dataType, uint32_t root, HcclComm comm,
                                    aclrtStream stream);
CCL_HCCL_API HcclResult HcclAllGather(void* sendBuf, void* recvBuf, uint64_t sendCount,
                                      HcclDataType dataType, HcclComm comm, aclrtStream stream);
/* The arrays of the V forms hold a uint64_t for each rank and are read during the call. */
CCL_HCCL_API HcclResult HcclReduceScatterV(void* sendBuf, const void* sendCounts,
                                           const void* sendDispls, void* recvBuf, uint64_t recvCount,
                                           HcclDataType dataType, HcclReduceOp op, HcclComm comm,
                                           aclrtStream stream);
CCL_HCCL_API HcclResult HcclAllGatherV(void* sendBuf, uint64_t sendCount, void* recvBuf,
                                       const void* recvCounts, const void* recvDispls,
                                       HcclDataType dataType, HcclComm comm, aclrtStream stream);
/* Both types, and of AlltoAll both counts, are the same: HCCL_E_PARA otherwise. */
CCL_HCCL_API HcclResult HcclAlltoAll(const void* sendBuf, uint64_t sendCount, HcclDataType sendType,
                                     const void* recvBuf, uint64_t recvCount, HcclDataType recvType,
                                     HcclComm comm, aclrtStream stream);
CCL_HCCL_API HcclResult HcclAlltoAllV(const void* sendBuf, const void* sendCounts, const void* sdispls,
                                      HcclDataType sendType, const void* recvBuf,
                                      const void* recvCounts, const void* rdispls,
                                      HcclDataType recvType, HcclComm comm, aclrtStream stream);
/* `sendCountMatrix`: uint64_t, [i * ranks + j] goes from rank i to rank j; blocks lie one behind the
 * other. */
CCL_HCCL_API HcclResult HcclAlltoAllVC(const void* sendBuf, const void* sendCountMatrix,
                                       HcclDataType sendType, const void* recvBuf,
                                       HcclDataType recvType, HcclComm comm, aclrtStream stream);
CCL_HCCL_API HcclResult HcclSend(void* sendBuf, uint64_t count, HcclDataType dataType,
                                 uint32_t destRank, HcclComm comm, aclrtStream stream);
CCL_HCCL_API HcclResult HcclRecv(void* recvBuf, uint64_t count, HcclDataType dataType,
                                 uint32_t srcRank, HcclComm comm, aclrtStream stream);
/* All at once, in any order. */
CCL_HCCL_API HcclResult HcclBatchSendRecv(HcclSendRecvItem* sendRecvInfo, uint32_t itemNum,
                                          HcclComm comm, aclrtStream stream);
CCL_HCCL_API HcclResult HcclBarrier(HcclComm comm, aclrtStream stream);

/* The head of a configuration, in its reserved bytes. */
static inline void HcclCommConfigInit(HcclCommConfig* config) {
  const uint64_t size = sizeof(HcclCommConfig);
  const uint32_t words[2] = {HCCL_COMM_CONFIG_MAGIC_WORD, HCCL_COMM_CONFIG_VERSION};
  if (config == NULL) return;
  memset(config, 0, sizeof *config);
  memcpy(config->reserved, &size, sizeof size);
  memcpy(config->reserved + sizeof size, words, sizeof words);
  config->hcclBufferSize = HCCL_COMM_BUFFSIZE_CONFIG_NOT_SET;
  config->hcclDeterministic = HCCL_COMM_DETERMINISTIC_CONFIG_NOT_SET;
  config->hcclOpExpansionMode = HCCL_COMM_DEFAULT_OP_EXPANSION_MODE;
  config->hcclRdmaTrafficClass = HCCL_COMM_TRAFFIC_CLASS_CONFIG_NOT_SET;
  config->hcclRdmaServiceLevel = HCCL_COMM_SERVICE_LEVEL_CONFIG_NOT_SET;
}

#ifdef __cplusplus
}
#endif

#endif /* HCCL_H_ */
