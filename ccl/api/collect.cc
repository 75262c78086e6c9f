#include "ccl/api/collect.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ccl/base/log.h"
#include "ccl/base/status.h"

namespace ccl::api {
namespace {

constexpr unsigned int kCallConfigMagic = 0xca11cafeu, kCallConfigVersion = 1;

absl::Status Error(const Call& call, cclComm* comm, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("rank ", comm->communicator->rank(), ", ",
                                                 Name(call.collective), ": ", what));
}

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

absl::Status Queue(const Call& call, cclComm* comm, cclStream* stream,
                   const cclCallConfig_t* config) {
  CCL_RETURN_IF_ERROR(CheckComm(comm));
  Communicator& communicator = *comm->communicator;
  CCL_ASSIGN_OR_RETURN(Request request, RequestOf(call, comm));
  auto choice = ChoiceOf(config);
  if (!choice.ok()) return Error(call, comm, choice.status().message());
  if (config != nullptr) request.tag = config->profilerTag;
  CCL_ASSIGN_OR_RETURN(Stream * queue, StreamOf(comm, stream));
  CCL_RETURN_IF_ERROR(communicator.Validate(request));
  if (Logs(LogLevel::kInfo, LogPart::kColl)) LogCall(request, communicator, comm, stream);
  CCL_ASSIGN_OR_RETURN(auto plan, communicator.PlanFor(request, *choice));
  CCL_ASSIGN_OR_RETURN(std::unique_ptr<Work> work, communicator.Make(request, plan, &*choice));
  ThreadGroup().AddCollective(communicator, queue, std::move(work), std::move(plan),
                              OwnBytes(request, communicator.ranks()));
  return absl::OkStatus();
}

// A call like one before is short of most checks and decisions. Nothing: it is none, or something is
// wrong with it, which those will find.
std::optional<absl::Status> Again(const Call& call, cclComm* comm, cclStream* stream,
                                  const cclCallConfig_t* config) {
  if (call.blocks || comm == nullptr || InHostCall() || comm->magic != kCommMagic ||
      comm->communicator == nullptr || comm->revoked || comm->finalizing || call.op < 0 ||
      call.op >= cclNumOps || Logs(LogLevel::kInfo, LogPart::kColl)) {
    return std::nullopt;
  }
  Stream* queue = comm->communicator->stream();
  if (stream != nullptr) {
    if (stream->magic != kStreamMagic || stream->comm != comm) return std::nullopt;
    queue = stream->stream.get();
  }
  static const Choice free;
  PlainRequest request{call.collective, static_cast<DataType>(call.type), static_cast<ReduceOp>(call.op), call.count,
                       call.root, call.in, call.out, 0};
  if (config == nullptr) return comm->communicator->Repeat(request, free, queue);
  const absl::StatusOr<Choice> choice = ChoiceOf(config);
  if (!choice.ok()) return std::nullopt;
  request.tag = config->profilerTag;
  return comm->communicator->Repeat(request, *choice, queue);
}

}  // namespace

absl::StatusOr<Choice> ChoiceOf(const cclCallConfig_t* config) {
  Choice choice;
  if (config == nullptr) return choice;
  const auto error = [](auto... what) {
    return absl::InvalidArgumentError(absl::StrCat("the call's configuration ", what...));
  };
  if (config->magic != kCallConfigMagic || config->size != sizeof(cclCallConfig_t) ||
      config->version != kCallConfigVersion) {
    return error("was not initialised with CCL_CALL_CONFIG_INITIALIZER");
  }
  if (config->channels < 0 || config->channels > 4096) {
    return error("has ", config->channels, " channels, which is not in 0..4096");
  }
  const bool says = config->deterministic != CCL_CONFIG_UNDEF_INT;
  if (says && (config->deterministic < cclDeterminismOff ||
               config->deterministic > cclDeterminismShapeInvariant)) {
    return error("has an unknown determinism ", config->deterministic);
  }
  if (config->algorithm != nullptr) choice.algorithm = config->algorithm;
  choice.forced = config->forceAlgorithm != 0;
  choice.slices = static_cast<uint32_t>(config->channels);
  if (says) {
    choice.determinism = static_cast<Determinism>(config->deterministic);
  }
  return choice;
}

absl::StatusOr<Request> RequestOf(const Call& call, cclComm* comm) {
  if (static_cast<int>(call.type) < 0 || call.type >= cclNumTypes) {
    return Error(call, comm, absl::StrCat("unknown data type ", call.type));
  }
  Request request{call.collective, static_cast<DataType>(call.type), ReduceOp::kSum, call.count,
                  call.root, call.in, call.out};
  if (call.op >= 0 && call.op < cclNumOps) {
    request.op = static_cast<ReduceOp>(call.op);
  } else {
    request.custom = comm->operators.Find(call.op);
    if (request.custom == nullptr) {
      return Error(call, comm, absl::StrCat("unknown reduction ", call.op));
    }
  }
  if (call.blocks) {
    auto blocks = call.blocks(comm->communicator->rank(), comm->communicator->ranks());
    if (!blocks.ok()) return Error(call, comm, blocks.status().message());
    request.blocks = *std::move(blocks);
  }
  return request;
}

cclResult_t Collect(const Call& call, cclComm* comm, cclStream* stream,
                    const cclCallConfig_t* config) {
  if (!InGroup()) {
    if (std::optional<absl::Status> again = Again(call, comm, stream, config)) return Report(*again);
  }
  return Grouped([&] { return Queue(call, comm, stream, config); });
}

}  // namespace ccl::api
