// Collectives and messages.
#include <vector>

#include "ccl/bindings/hccl/convert.h"
#include "ccl/bindings/hccl/include/hccl/hccl.h"
#include "ccl/bindings/runtime/queue.h"

namespace ccl::bindings {
namespace {

HcclResult Ready(HcclComm comm) {
  Notes notes;
  if (const HcclResult result = NotesOf(comm, &notes); result != HCCL_SUCCESS) return result;
  if (notes.suspended) return Refused(HCCL_E_SUSPENDING, "the communicator is suspended (HcclCommResume)");
  return HCCL_SUCCESS;
}

// Runs `call` with the library's type and stream.
template <typename F>
HcclResult Queued(HcclDataType type, HcclComm comm, aclrtStream stream, F call) {
  if (const HcclResult result = Ready(comm); result != HCCL_SUCCESS) return result;
  cclDataType_t own = cclInt8;
  if (const HcclResult result = Convert(type, &own); result != HCCL_SUCCESS) return result;
  cclStream_t queue = nullptr;
  if (const cclResult_t result = StreamOf(Own(comm), stream, &queue); result != cclSuccess) {
    return Result(result);
  }
  return Result(call(own, Own(comm), queue));
}

// Likewise with a reduction.
template <typename F>
HcclResult Reduced(HcclDataType type, HcclReduceOp op, HcclComm comm, aclrtStream stream, F call) {
  cclRedOp_t own_op = cclSum;
  if (const HcclResult result = Convert(op, &own_op); result != HCCL_SUCCESS) return result;
  return Queued(type, comm, stream, [&](auto own, auto handle, auto queue) {
    return call(own, own_op, handle, queue);
  });
}

HcclResult NotNull(uint64_t count, std::initializer_list<const void*> buffers) {
  for (const void* buffer : buffers) {
    if (count > 0 && buffer == nullptr) return Refused(HCCL_E_PTR, "a buffer is null");
  }
  return HCCL_SUCCESS;
}

HcclResult SameTypes(HcclDataType send, HcclDataType receive) {
  if (send == receive) return HCCL_SUCCESS;
  return Refused(HCCL_E_PARA, "the types of what is sent and received differ");
}

// An array of the caller's as the library takes it.
std::vector<size_t> Sizes(const void* array, int ranks) {
  const auto* numbers = static_cast<const uint64_t*>(array);
  return std::vector<size_t>(numbers, numbers + ranks);
}

HcclResult RanksOf(HcclComm comm, int* ranks) {
  if (const HcclResult result = Ready(comm); result != HCCL_SUCCESS) return result;
  return Result(cclCommCount(Own(comm), ranks));
}

}  // namespace
}  // namespace ccl::bindings

using namespace ccl::bindings;

#define RETURN_IF_ERROR(call) \
  if (const HcclResult checked = (call); checked != HCCL_SUCCESS) return checked

extern "C" {

HcclResult HcclAllReduce(void* sendBuf, void* recvBuf, uint64_t count, HcclDataType dataType,
                         HcclReduceOp op, HcclComm comm, aclrtStream stream) {
  RETURN_IF_ERROR(NotNull(count, {sendBuf, recvBuf}));
  return Reduced(dataType, op, comm, stream, [&](auto type, auto fold, auto own, auto queue) {
    return cclAllReduce(sendBuf, recvBuf, count, type, fold, own, queue);
  });
}

HcclResult HcclBroadcast(void* buf, uint64_t count, HcclDataType dataType, uint32_t root, HcclComm comm,
                         aclrtStream stream) {
  RETURN_IF_ERROR(NotNull(count, {buf}));
  return Queued(dataType, comm, stream, [&](auto type, auto own, auto queue) {
    return cclBroadcast(buf, buf, count, type, static_cast<int>(root), own, queue);
  });
}

HcclResult HcclReduce(void* sendBuf, void* recvBuf, uint64_t count, HcclDataType dataType,
                      HcclReduceOp op, uint32_t root, HcclComm comm, aclrtStream stream) {
  RETURN_IF_ERROR(NotNull(count, {sendBuf}));
  return Reduced(dataType, op, comm, stream, [&](auto type, auto fold, auto own, auto queue) {
    return cclReduce(sendBuf, recvBuf, count, type, fold, static_cast<int>(root), own, queue);
  });
}

HcclResult HcclReduceScatter(void* sendBuf, void* recvBuf, uint64_t recvCount, HcclDataType dataType,
                             HcclReduceOp op, HcclComm comm, aclrtStream stream) {
  RETURN_IF_ERROR(NotNull(recvCount, {sendBuf, recvBuf}));
  return Reduced(dataType, op, comm, stream, [&](auto type, auto fold, auto own, auto queue) {
    return cclReduceScatter(sendBuf, recvBuf, recvCount, type, fold, own, queue);
  });
}

HcclResult HcclScatter(void* sendBuf, void* recvBuf, uint64_t recvCount, HcclDataType dataType,
                       uint32_t root, HcclComm comm, aclrtStream stream) {
  RETURN_IF_ERROR(NotNull(recvCount, {recvBuf}));
  return Queued(dataType, comm, stream, [&](auto type, auto own, auto queue) {
    return cclScatter(sendBuf, recvBuf, recvCount, type, static_cast<int>(root), own, queue);
  });
}

HcclResult HcclAllGather(void* sendBuf, void* recvBuf, uint64_t sendCount, HcclDataType dataType,
                         HcclComm comm, aclrtStream stream) {
  RETURN_IF_ERROR(NotNull(sendCount, {sendBuf, recvBuf}));
  return Queued(dataType, comm, stream, [&](auto type, auto own, auto queue) {
    return cclAllGather(sendBuf, recvBuf, sendCount, type, own, queue);
  });
}

HcclResult HcclReduceScatterV(void* sendBuf, const void* sendCounts, const void* sendDispls,
                              void* recvBuf, uint64_t recvCount, HcclDataType dataType, HcclReduceOp op,
                              HcclComm comm, aclrtStream stream) {
  RETURN_IF_ERROR(NotNull(1, {sendCounts, sendDispls}));
  int ranks = 0;
  RETURN_IF_ERROR(RanksOf(comm, &ranks));
  const std::vector<size_t> counts = Sizes(sendCounts, ranks), displs = Sizes(sendDispls, ranks);
  return Reduced(dataType, op, comm, stream, [&](auto type, auto fold, auto own, auto queue) {
    return cclReduceScatterV(sendBuf, counts.data(), displs.data(), recvBuf, recvCount, type, fold, own,
                             queue);
  });
}

HcclResult HcclAllGatherV(void* sendBuf, uint64_t sendCount, void* recvBuf, const void* recvCounts,
                          const void* recvDispls, HcclDataType dataType, HcclComm comm,
                          aclrtStream stream) {
  RETURN_IF_ERROR(NotNull(1, {recvCounts, recvDispls}));
  int ranks = 0;
  RETURN_IF_ERROR(RanksOf(comm, &ranks));
  const std::vector<size_t> counts = Sizes(recvCounts, ranks), displs = Sizes(recvDispls, ranks);
  return Queued(dataType, comm, stream, [&](auto type, auto own, auto queue) {
    return cclAllGatherV(sendBuf, sendCount, recvBuf, counts.data(), displs.data(), type, own, queue);
  });
}

HcclResult HcclAlltoAll(const void* sendBuf, uint64_t sendCount, HcclDataType sendType,
                        const void* recvBuf, uint64_t recvCount, HcclDataType recvType, HcclComm comm,
                        aclrtStream stream) {
  RETURN_IF_ERROR(NotNull(sendCount, {sendBuf, recvBuf}));
  RETURN_IF_ERROR(SameTypes(sendType, recvType));
  if (sendCount != recvCount) return Refused(HCCL_E_PARA, "the counts of what is sent and received differ");
  return Queued(sendType, comm, stream, [&](auto type, auto own, auto queue) {
    return cclAlltoAll(sendBuf, const_cast<void*>(recvBuf), sendCount, type, own, queue);
  });
}

HcclResult HcclAlltoAllV(const void* sendBuf, const void* sendCounts, const void* sdispls,
                         HcclDataType sendType, const void* recvBuf, const void* recvCounts,
                         const void* rdispls, HcclDataType recvType, HcclComm comm, aclrtStream stream) {
  RETURN_IF_ERROR(NotNull(1, {sendCounts, sdispls, recvCounts, rdispls}));
  RETURN_IF_ERROR(SameTypes(sendType, recvType));
  int ranks = 0;
  RETURN_IF_ERROR(RanksOf(comm, &ranks));
  const std::vector<size_t> sent = Sizes(sendCounts, ranks), from = Sizes(sdispls, ranks),
                            received = Sizes(recvCounts, ranks), to = Sizes(rdispls, ranks);
  return Queued(sendType, comm, stream, [&](auto type, auto own, auto queue) {
    return cclAlltoAllV(sendBuf, sent.data(), from.data(), const_cast<void*>(recvBuf), received.data(),
                        to.data(), type, own, queue);
  });
}

HcclResult HcclAlltoAllVC(const void* sendBuf, const void* sendCountMatrix, HcclDataType sendType,
                          const void* recvBuf, HcclDataType recvType, HcclComm comm, aclrtStream stream) {
  RETURN_IF_ERROR(NotNull(1, {sendCountMatrix}));
  RETURN_IF_ERROR(SameTypes(sendType, recvType));
  int ranks = 0, rank = 0;
  RETURN_IF_ERROR(RanksOf(comm, &ranks));
  RETURN_IF_ERROR(Result(cclCommUserRank(Own(comm), &rank)));
  const auto* matrix = static_cast<const uint64_t*>(sendCountMatrix);
  const size_t n = static_cast<size_t>(ranks), self = static_cast<size_t>(rank);
  std::vector<size_t> sent(n), received(n);
  for (size_t peer = 0; peer < n; ++peer) {
    sent[peer] = matrix[self * n + peer];
    received[peer] = matrix[peer * n + self];
  }
  return Queued(sendType, comm, stream, [&](auto type, auto own, auto queue) {
    return cclAlltoAllV(sendBuf, sent.data(), nullptr, const_cast<void*>(recvBuf), received.data(), nullptr,
                        type, own, queue);
  });
}

HcclResult HcclSend(void* sendBuf, uint64_t count, HcclDataType dataType, uint32_t destRank,
                    HcclComm comm, aclrtStream stream) {
  RETURN_IF_ERROR(NotNull(count, {sendBuf}));
  return Queued(dataType, comm, stream, [&](auto type, auto own, auto queue) {
    return cclSend(sendBuf, count, type, static_cast<int>(destRank), own, queue);
  });
}

HcclResult HcclRecv(void* recvBuf, uint64_t count, HcclDataType dataType, uint32_t srcRank,
                    HcclComm comm, aclrtStream stream) {
  RETURN_IF_ERROR(NotNull(count, {recvBuf}));
  return Queued(dataType, comm, stream, [&](auto type, auto own, auto queue) {
    return cclRecv(recvBuf, count, type, static_cast<int>(srcRank), own, queue);
  });
}

HcclResult HcclBatchSendRecv(HcclSendRecvItem* sendRecvInfo, uint32_t itemNum, HcclComm comm,
                             aclrtStream stream) {
  RETURN_IF_ERROR(NotNull(itemNum, {sendRecvInfo}));
  RETURN_IF_ERROR(Ready(comm));
  HcclResult first = Result(cclGroupStart());
  for (uint32_t i = 0; i < itemNum && first == HCCL_SUCCESS; ++i) {
    const HcclSendRecvItem& item = sendRecvInfo[i];
    if (item.sendRecvType == HCCL_SEND) {
      first = HcclSend(item.buf, item.count, item.dataType, item.remoteRank, comm, stream);
    } else if (item.sendRecvType == HCCL_RECV) {
      first = HcclRecv(item.buf, item.count, item.dataType, item.remoteRank, comm, stream);
    } else {
      first = Refused(HCCL_E_PARA, "item " + std::to_string(i) + " neither sends nor receives");
    }
  }
  // A group with an error does not start: one of this binding's own is made the library's too.
  if (first != HCCL_SUCCESS) cclSend(nullptr, 0, cclInt8, -1, Own(comm), nullptr);
  const cclResult_t end = cclGroupEnd();
  return first != HCCL_SUCCESS ? first : Result(end);
}

HcclResult HcclBarrier(HcclComm comm, aclrtStream stream) {
  return Queued(HCCL_DATA_TYPE_INT8, comm, stream,
                [&](auto, auto own, auto queue) { return cclBarrier(own, queue); });
}

}  // extern "C"
