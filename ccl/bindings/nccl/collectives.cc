// Collectives, messages and reductions.
#include <string>

#include "ccl/bindings/nccl/convert.h"
#include "ccl/bindings/runtime/queue.h"

namespace ccl::bindings {
namespace {

// Runs `call` with the library's stream and options. `op` is not checked where nothing is reduced.
template <typename F>
ncclResult_t Queued(ncclDataType_t type, ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream,
                    const ncclCollConfig_t* config, F call) {
  if (!IsType(type) || !IsOp(op)) return ncclInvalidArgument;
  cclCallConfig_t options;
  std::string algorithm;
  if (const ncclResult_t result = Convert(config, &options, &algorithm); result != ncclSuccess) {
    return result;
  }
  cclStream_t queue = nullptr;
  if (const cclResult_t result = StreamOf(Own(comm), Handle(stream), &queue); result != cclSuccess) {
    return Result(result);
  }
  return Result(call(Own(comm), queue, &options));
}

}  // namespace
}  // namespace ccl::bindings

using namespace ccl::bindings;

extern "C" {

ncclResult_t ncclAllReduceConfig(const void* sendbuff, void* recvbuff, size_t count,
                                 ncclDataType_t datatype, ncclRedOp_t op, ncclComm_t comm,
                                 cudaStream_t stream, const ncclCollConfig_t* config) {
  return Queued(datatype, op, comm, stream, config, [&](auto own, auto queue, auto* options) {
    return cclAllReduceConfig(sendbuff, recvbuff, count, Type(datatype), Op(op), own, queue, options);
  });
}
CCL_NCCL_TWIN(ncclAllReduceConfig);

ncclResult_t ncclBroadcastConfig(const void* sendbuff, void* recvbuff, size_t count,
                                 ncclDataType_t datatype, int root, ncclComm_t comm,
                                 cudaStream_t stream, const ncclCollConfig_t* config) {
  return Queued(datatype, ncclSum, comm, stream, config, [&](auto own, auto queue, auto* options) {
    return cclBroadcastConfig(sendbuff, recvbuff, count, Type(datatype), root, own, queue, options);
  });
}
CCL_NCCL_TWIN(ncclBroadcastConfig);

ncclResult_t ncclReduceConfig(const void* sendbuff, void* recvbuff, size_t count,
                              ncclDataType_t datatype, ncclRedOp_t op, int root, ncclComm_t comm,
                              cudaStream_t stream, const ncclCollConfig_t* config) {
  return Queued(datatype, op, comm, stream, config, [&](auto own, auto queue, auto* options) {
    return cclReduceConfig(sendbuff, recvbuff, count, Type(datatype), Op(op), root, own, queue, options);
  });
}
CCL_NCCL_TWIN(ncclReduceConfig);

ncclResult_t ncclAllGatherConfig(const void* sendbuff, void* recvbuff, size_t sendcount,
                                 ncclDataType_t datatype, ncclComm_t comm, cudaStream_t stream,
                                 const ncclCollConfig_t* config) {
  return Queued(datatype, ncclSum, comm, stream, config, [&](auto own, auto queue, auto* options) {
    return cclAllGatherConfig(sendbuff, recvbuff, sendcount, Type(datatype), own, queue, options);
  });
}
CCL_NCCL_TWIN(ncclAllGatherConfig);

ncclResult_t ncclReduceScatterConfig(const void* sendbuff, void* recvbuff, size_t recvcount,
                                     ncclDataType_t datatype, ncclRedOp_t op, ncclComm_t comm,
                                     cudaStream_t stream, const ncclCollConfig_t* config) {
  return Queued(datatype, op, comm, stream, config, [&](auto own, auto queue, auto* options) {
    return cclReduceScatterConfig(sendbuff, recvbuff, recvcount, Type(datatype), Op(op), own, queue,
                                  options);
  });
}
CCL_NCCL_TWIN(ncclReduceScatterConfig);

ncclResult_t ncclAlltoAllConfig(const void* sendbuff, void* recvbuff, size_t count,
                                ncclDataType_t datatype, ncclComm_t comm, cudaStream_t stream,
                                const ncclCollConfig_t* config) {
  return Queued(datatype, ncclSum, comm, stream, config, [&](auto own, auto queue, auto* options) {
    return cclAlltoAllConfig(sendbuff, recvbuff, count, Type(datatype), own, queue, options);
  });
}
CCL_NCCL_TWIN(ncclAlltoAllConfig);

ncclResult_t ncclGatherConfig(const void* sendbuff, void* recvbuff, size_t count,
                              ncclDataType_t datatype, int root, ncclComm_t comm,
                              cudaStream_t stream, const ncclCollConfig_t* config) {
  return Queued(datatype, ncclSum, comm, stream, config, [&](auto own, auto queue, auto* options) {
    return cclGatherConfig(sendbuff, recvbuff, count, Type(datatype), root, own, queue, options);
  });
}
CCL_NCCL_TWIN(ncclGatherConfig);

ncclResult_t ncclScatterConfig(const void* sendbuff, void* recvbuff, size_t count,
                               ncclDataType_t datatype, int root, ncclComm_t comm,
                               cudaStream_t stream, const ncclCollConfig_t* config) {
  return Queued(datatype, ncclSum, comm, stream, config, [&](auto own, auto queue, auto* options) {
    return cclScatterConfig(sendbuff, recvbuff, count, Type(datatype), root, own, queue, options);
  });
}
CCL_NCCL_TWIN(ncclScatterConfig);

ncclResult_t ncclAllReduce(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                           ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream) {
  return ncclAllReduceConfig(sendbuff, recvbuff, count, datatype, op, comm, stream, nullptr);
}
CCL_NCCL_TWIN(ncclAllReduce);

ncclResult_t ncclBroadcast(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                           int root, ncclComm_t comm, cudaStream_t stream) {
  return ncclBroadcastConfig(sendbuff, recvbuff, count, datatype, root, comm, stream, nullptr);
}
CCL_NCCL_TWIN(ncclBroadcast);

ncclResult_t ncclBcast(void* buff, size_t count, ncclDataType_t datatype, int root, ncclComm_t comm,
                       cudaStream_t stream) {
  return ncclBroadcastConfig(buff, buff, count, datatype, root, comm, stream, nullptr);
}
CCL_NCCL_TWIN(ncclBcast);

ncclResult_t ncclReduce(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                        ncclRedOp_t op, int root, ncclComm_t comm, cudaStream_t stream) {
  return ncclReduceConfig(sendbuff, recvbuff, count, datatype, op, root, comm, stream, nullptr);
}
CCL_NCCL_TWIN(ncclReduce);

ncclResult_t ncclAllGather(const void* sendbuff, void* recvbuff, size_t sendcount,
                           ncclDataType_t datatype, ncclComm_t comm, cudaStream_t stream) {
  return ncclAllGatherConfig(sendbuff, recvbuff, sendcount, datatype, comm, stream, nullptr);
}
CCL_NCCL_TWIN(ncclAllGather);

ncclResult_t ncclReduceScatter(const void* sendbuff, void* recvbuff, size_t recvcount,
                               ncclDataType_t datatype, ncclRedOp_t op, ncclComm_t comm,
                               cudaStream_t stream) {
  return ncclReduceScatterConfig(sendbuff, recvbuff, recvcount, datatype, op, comm, stream, nullptr);
}
CCL_NCCL_TWIN(ncclReduceScatter);

ncclResult_t ncclAlltoAll(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                          ncclComm_t comm, cudaStream_t stream) {
  return ncclAlltoAllConfig(sendbuff, recvbuff, count, datatype, comm, stream, nullptr);
}
CCL_NCCL_TWIN(ncclAlltoAll);

ncclResult_t ncclGather(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                        int root, ncclComm_t comm, cudaStream_t stream) {
  return ncclGatherConfig(sendbuff, recvbuff, count, datatype, root, comm, stream, nullptr);
}
CCL_NCCL_TWIN(ncclGather);

ncclResult_t ncclScatter(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                         int root, ncclComm_t comm, cudaStream_t stream) {
  return ncclScatterConfig(sendbuff, recvbuff, count, datatype, root, comm, stream, nullptr);
}
CCL_NCCL_TWIN(ncclScatter);

ncclResult_t ncclSend(const void* sendbuff, size_t count, ncclDataType_t datatype, int peer,
                      ncclComm_t comm, cudaStream_t stream) {
  return Queued(datatype, ncclSum, comm, stream, nullptr, [&](auto own, auto queue, auto*) {
    return cclSend(sendbuff, count, Type(datatype), peer, own, queue);
  });
}
CCL_NCCL_TWIN(ncclSend);

ncclResult_t ncclRecv(void* recvbuff, size_t count, ncclDataType_t datatype, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return Queued(datatype, ncclSum, comm, stream, nullptr, [&](auto own, auto queue, auto*) {
    return cclRecv(recvbuff, count, Type(datatype), peer, own, queue);
  });
}
CCL_NCCL_TWIN(ncclRecv);

ncclResult_t ncclRedOpCreatePreMulSum(ncclRedOp_t* op, void* scalar, ncclDataType_t datatype,
                                      ncclScalarResidence_t residence, ncclComm_t comm) {
  if (op == nullptr) return Refused(ncclInvalidArgument, "op is null");
  if (!IsType(datatype)) return ncclInvalidArgument;
  cclRedOp_t made = cclSum;
  const cclResult_t result = cclRedOpCreatePreMulSum(
      &made, scalar, Type(datatype), static_cast<cclScalarResidence_t>(residence), Own(comm));
  if (result == cclSuccess) *op = static_cast<ncclRedOp_t>(made);
  return Result(result);
}
CCL_NCCL_TWIN(ncclRedOpCreatePreMulSum);

ncclResult_t ncclRedOpDestroy(ncclRedOp_t op, ncclComm_t comm) {
  return Result(cclRedOpDestroy(Op(op), Own(comm)));
}
CCL_NCCL_TWIN(ncclRedOpDestroy);

}  // extern "C"
