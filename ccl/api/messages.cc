// Point-to-point messages: validation, and their way into the group.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ccl/api/handles.h"
#include "ccl/base/log.h"
#include "ccl/base/status.h"

namespace ccl::api {
namespace {

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
    if (Logs(LogLevel::kInfo, LogPart::kP2p)) {
      Log(LogLevel::kInfo, LogPart::kP2p,
          absl::StrFormat("%s: buff %p count %u datatype %d peer %d comm %p [nranks=%d] rank %d stream %p",
                          sends ? "send" : "recv", data, count, static_cast<int>(type), peer, comm,
                          communicator.ranks(), communicator.rank(), stream));
    }
    ThreadGroup().AddMessage(communicator, queue, {sends, peer, phantom ? nullptr : data, count * size});
    return absl::OkStatus();
  });
}

}  // namespace
}  // namespace ccl::api

using namespace ccl::api;

extern "C" {

cclResult_t cclSend(const void* data, size_t count, cclDataType_t type, int peer, cclComm_t comm,
                    cclStream_t stream) {
  return PointToPoint(true, const_cast<void*>(data), count, type, peer, comm, stream);
}
cclResult_t cclRecv(void* data, size_t count, cclDataType_t type, int peer, cclComm_t comm,
                    cclStream_t stream) {
  return PointToPoint(false, data, count, type, peer, comm, stream);
}

}  // extern "C"
