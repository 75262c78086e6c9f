// Collectives and point-to-point messages: validation of enums, and their way into the group.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ccl/api/handles.h"
#include "ccl/base/log.h"
#include "ccl/base/status.h"

namespace ccl::api {
namespace {

// NCCL's line of a call.
void LogCall(const Request& request, const Communicator& communicator, const void* comm,
             const void* stream) {
  Log(LogLevel::kInfo, LogPart::kColl,
      absl::StrFormat("%s: opCount %x sendbuff %p recvbuff %p count %u datatype %d op %d root %d comm %p "
                      "[nranks=%d] rank %d stream %p",
                      Name(request.collective), communicator.calls(), request.in, request.out,
                      request.count, static_cast<int>(request.type), static_cast<int>(request.op),
                      request.root, comm, communicator.ranks(), communicator.rank(), stream));
}

cclResult_t Collect(Collective collective, const void* in, void* out, size_t count,
                    cclDataType_t type, int op, int root, cclComm* comm, cclStream* stream) {
  return Grouped([&]() -> absl::Status {
    CCL_RETURN_IF_ERROR(CheckComm(comm));
    Communicator& communicator = *comm->communicator;
    const auto error = [&](absl::string_view what, int value) {
      return absl::InvalidArgumentError(absl::StrCat("rank ", communicator.rank(), ", ",
                                                     Name(collective), ": unknown ", what, " ",
                                                     value));
    };
    if (static_cast<int>(type) < 0 || type >= cclNumTypes) return error("data type", type);
    Request request{collective, static_cast<DataType>(type), ReduceOp::kSum, count, root, in, out};
    if (op >= 0 && op < cclNumOps) {
      request.op = static_cast<ReduceOp>(op);
    } else {
      request.custom = comm->operators.Find(op);
      if (request.custom == nullptr) return error("reduction", op);
    }
    CCL_ASSIGN_OR_RETURN(Stream * queue, StreamOf(comm, stream));
    CCL_RETURN_IF_ERROR(communicator.Validate(request));
    if (Logs(LogLevel::kInfo, LogPart::kColl)) LogCall(request, communicator, comm, stream);
    CCL_ASSIGN_OR_RETURN(std::unique_ptr<Work> work, communicator.Make(request, ""));
    ThreadGroup().AddCollective(communicator, queue, std::move(work));
    return absl::OkStatus();
  });
}

cclResult_t PointToPoint(bool sends, void* data, size_t count, cclDataType_t type, int peer,
                         cclComm* comm, cclStream* stream) {
  return Grouped([&]() -> absl::Status {
    CCL_RETURN_IF_ERROR(CheckComm(comm));
    Communicator& communicator = *comm->communicator;
    const auto error = [&](auto... what) {
      return absl::InvalidArgumentError(absl::StrCat("rank ", communicator.rank(), ", ",
                                                     sends ? "send" : "recv", ": ", what...));
    };
    if (static_cast<int>(type) < 0 || type >= cclNumTypes) return error("unknown data type ", type);
    if (peer < 0 || peer >= communicator.ranks()) {
      return error("peer ", peer, " is not in 0..", communicator.ranks() - 1);
    }
    const size_t size = SizeOf(static_cast<DataType>(type));
    if (count > (uint64_t{1} << 40) / size) return error("count ", count, " is negative or too large");
    const bool phantom = communicator.world().phantom();
    if (data == nullptr && count > 0 && !phantom) return error("the buffer is null");
    CCL_ASSIGN_OR_RETURN(Stream * queue, StreamOf(comm, stream));
    ThreadGroup().AddMessage(communicator, queue, {sends, peer, phantom ? nullptr : data, count * size});
    return absl::OkStatus();
  });
}

}  // namespace
}  // namespace ccl::api

using ccl::Collective;
using namespace ccl::api;

extern "C" {

cclResult_t cclAllReduce(const void* in, void* out, size_t count, cclDataType_t type, cclRedOp_t op,
                         cclComm_t comm, cclStream_t stream) {
  return Collect(Collective::kAllReduce, in, out, count, type, op, 0, comm, stream);
}
cclResult_t cclBroadcast(const void* in, void* out, size_t count, cclDataType_t type, int root,
                         cclComm_t comm, cclStream_t stream) {
  return Collect(Collective::kBroadcast, in, out, count, type, cclSum, root, comm, stream);
}
cclResult_t cclReduce(const void* in, void* out, size_t count, cclDataType_t type, cclRedOp_t op,
                      int root, cclComm_t comm, cclStream_t stream) {
  return Collect(Collective::kReduce, in, out, count, type, op, root, comm, stream);
}
cclResult_t cclAllGather(const void* in, void* out, size_t count, cclDataType_t type,
                         cclComm_t comm, cclStream_t stream) {
  return Collect(Collective::kAllGather, in, out, count, type, cclSum, 0, comm, stream);
}
cclResult_t cclReduceScatter(const void* in, void* out, size_t count, cclDataType_t type,
                             cclRedOp_t op, cclComm_t comm, cclStream_t stream) {
  return Collect(Collective::kReduceScatter, in, out, count, type, op, 0, comm, stream);
}
cclResult_t cclAlltoAll(const void* in, void* out, size_t count, cclDataType_t type, cclComm_t comm,
                        cclStream_t stream) {
  return Collect(Collective::kAllToAll, in, out, count, type, cclSum, 0, comm, stream);
}
cclResult_t cclGather(const void* in, void* out, size_t count, cclDataType_t type, int root,
                      cclComm_t comm, cclStream_t stream) {
  return Collect(Collective::kGather, in, out, count, type, cclSum, root, comm, stream);
}
cclResult_t cclScatter(const void* in, void* out, size_t count, cclDataType_t type, int root,
                       cclComm_t comm, cclStream_t stream) {
  return Collect(Collective::kScatter, in, out, count, type, cclSum, root, comm, stream);
}
cclResult_t cclBarrier(cclComm_t comm, cclStream_t stream) {
  return Collect(Collective::kBarrier, nullptr, nullptr, 0, cclInt8, cclSum, 0, comm, stream);
}
cclResult_t cclSend(const void* data, size_t count, cclDataType_t type, int peer, cclComm_t comm,
                    cclStream_t stream) {
  return PointToPoint(true, const_cast<void*>(data), count, type, peer, comm, stream);
}
cclResult_t cclRecv(void* data, size_t count, cclDataType_t type, int peer, cclComm_t comm,
                    cclStream_t stream) {
  return PointToPoint(false, data, count, type, peer, comm, stream);
}

}  // extern "C"
