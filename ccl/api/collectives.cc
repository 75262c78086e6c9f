// Collectives.
#include "ccl/api/collect.h"

using ccl::Collective;
using namespace ccl::api;

extern "C" {

cclResult_t cclAllReduce(const void* sendbuff, void* recvbuff, size_t count, cclDataType_t type,
                         cclRedOp_t op, cclComm_t comm, cclStream_t stream) {
  return cclAllReduceConfig(sendbuff, recvbuff, count, type, op, comm, stream, nullptr);
}
cclResult_t cclAllReduceConfig(const void* sendbuff, void* recvbuff, size_t count,
                               cclDataType_t type, cclRedOp_t op, cclComm_t comm,
                               cclStream_t stream, const cclCallConfig_t* config) {
  return Collect({Collective::kAllReduce, sendbuff, recvbuff, count, type, op}, comm, stream,
                 config);
}
cclResult_t cclBroadcast(const void* sendbuff, void* recvbuff, size_t count, cclDataType_t type,
                         int root, cclComm_t comm, cclStream_t stream) {
  return cclBroadcastConfig(sendbuff, recvbuff, count, type, root, comm, stream, nullptr);
}
cclResult_t cclBroadcastConfig(const void* sendbuff, void* recvbuff, size_t count,
                               cclDataType_t type, int root, cclComm_t comm, cclStream_t stream,
                               const cclCallConfig_t* config) {
  return Collect({Collective::kBroadcast, sendbuff, recvbuff, count, type, cclSum, root}, comm, stream,
                 config);
}
cclResult_t cclReduce(const void* sendbuff, void* recvbuff, size_t count, cclDataType_t type,
                      cclRedOp_t op, int root, cclComm_t comm, cclStream_t stream) {
  return cclReduceConfig(sendbuff, recvbuff, count, type, op, root, comm, stream, nullptr);
}
cclResult_t cclReduceConfig(const void* sendbuff, void* recvbuff, size_t count, cclDataType_t type,
                            cclRedOp_t op, int root, cclComm_t comm, cclStream_t stream,
                            const cclCallConfig_t* config) {
  return Collect({Collective::kReduce, sendbuff, recvbuff, count, type, op, root}, comm, stream,
                 config);
}
cclResult_t cclAllGather(const void* sendbuff, void* recvbuff, size_t sendcount, cclDataType_t type,
                         cclComm_t comm, cclStream_t stream) {
  return cclAllGatherConfig(sendbuff, recvbuff, sendcount, type, comm, stream, nullptr);
}
cclResult_t cclAllGatherConfig(const void* sendbuff, void* recvbuff, size_t sendcount,
                               cclDataType_t type, cclComm_t comm, cclStream_t stream,
                               const cclCallConfig_t* config) {
  return Collect({Collective::kAllGather, sendbuff, recvbuff, sendcount, type}, comm, stream,
                 config);
}
cclResult_t cclReduceScatter(const void* sendbuff, void* recvbuff, size_t recvcount,
                             cclDataType_t type, cclRedOp_t op, cclComm_t comm,
                             cclStream_t stream) {
  return cclReduceScatterConfig(sendbuff, recvbuff, recvcount, type, op, comm, stream, nullptr);
}
cclResult_t cclReduceScatterConfig(const void* sendbuff, void* recvbuff, size_t recvcount,
                                   cclDataType_t type, cclRedOp_t op, cclComm_t comm,
                                   cclStream_t stream, const cclCallConfig_t* config) {
  return Collect({Collective::kReduceScatter, sendbuff, recvbuff, recvcount, type, op}, comm, stream,
                 config);
}
cclResult_t cclAlltoAll(const void* sendbuff, void* recvbuff, size_t count, cclDataType_t type,
                        cclComm_t comm, cclStream_t stream) {
  return cclAlltoAllConfig(sendbuff, recvbuff, count, type, comm, stream, nullptr);
}
cclResult_t cclAlltoAllConfig(const void* sendbuff, void* recvbuff, size_t count,
                              cclDataType_t type, cclComm_t comm, cclStream_t stream,
                              const cclCallConfig_t* config) {
  return Collect({Collective::kAllToAll, sendbuff, recvbuff, count, type}, comm, stream, config);
}
cclResult_t cclGather(const void* sendbuff, void* recvbuff, size_t count, cclDataType_t type,
                      int root, cclComm_t comm, cclStream_t stream) {
  return cclGatherConfig(sendbuff, recvbuff, count, type, root, comm, stream, nullptr);
}
cclResult_t cclGatherConfig(const void* sendbuff, void* recvbuff, size_t count, cclDataType_t type,
                            int root, cclComm_t comm, cclStream_t stream,
                            const cclCallConfig_t* config) {
  return Collect({Collective::kGather, sendbuff, recvbuff, count, type, cclSum, root}, comm, stream,
                 config);
}
cclResult_t cclScatter(const void* sendbuff, void* recvbuff, size_t count, cclDataType_t type,
                       int root, cclComm_t comm, cclStream_t stream) {
  return cclScatterConfig(sendbuff, recvbuff, count, type, root, comm, stream, nullptr);
}
cclResult_t cclScatterConfig(const void* sendbuff, void* recvbuff, size_t count, cclDataType_t type,
                             int root, cclComm_t comm, cclStream_t stream,
                             const cclCallConfig_t* config) {
  return Collect({Collective::kScatter, sendbuff, recvbuff, count, type, cclSum, root}, comm, stream,
                 config);
}
cclResult_t cclBarrier(cclComm_t comm, cclStream_t stream) {
  return cclBarrierConfig(comm, stream, nullptr);
}
cclResult_t cclBarrierConfig(cclComm_t comm, cclStream_t stream, const cclCallConfig_t* config) {
  return Collect({Collective::kBarrier}, comm, stream, config);
}
cclResult_t cclScan(const void* sendbuff, void* recvbuff, size_t count, cclDataType_t type,
                    cclRedOp_t op, cclComm_t comm, cclStream_t stream) {
  return cclScanConfig(sendbuff, recvbuff, count, type, op, comm, stream, nullptr);
}
cclResult_t cclScanConfig(const void* sendbuff, void* recvbuff, size_t count, cclDataType_t type,
                          cclRedOp_t op, cclComm_t comm, cclStream_t stream,
                          const cclCallConfig_t* config) {
  return Collect({Collective::kScan, sendbuff, recvbuff, count, type, op}, comm, stream, config);
}
cclResult_t cclExscan(const void* sendbuff, void* recvbuff, size_t count, cclDataType_t type,
                      cclRedOp_t op, cclComm_t comm, cclStream_t stream) {
  return cclExscanConfig(sendbuff, recvbuff, count, type, op, comm, stream, nullptr);
}
cclResult_t cclExscanConfig(const void* sendbuff, void* recvbuff, size_t count, cclDataType_t type,
                            cclRedOp_t op, cclComm_t comm, cclStream_t stream,
                            const cclCallConfig_t* config) {
  return Collect({Collective::kExscan, sendbuff, recvbuff, count, type, op}, comm, stream, config);
}

}  // extern "C"
