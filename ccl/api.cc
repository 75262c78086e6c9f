// The C edge: handles, validation of enums, and the one mapping of statuses to results.
#include <cstring>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"
#include "ccl/ccl.h"
#include "ccl/communicator.h"
#include "ccl/group.h"
#include "ccl/rendezvous.h"

struct cclComm {
  uint32_t magic;
  std::unique_ptr<ccl::Communicator> communicator;
  std::shared_ptr<void> alive = std::make_shared<int>();
};
struct cclStream {
  uint32_t magic;
  cclComm* comm;                      // for comparison; may be gone
  std::shared_ptr<ccl::World> world;  // outlives the communicator
  std::weak_ptr<void> alive;          // of the communicator
  int rank;
  std::unique_ptr<ccl::Stream> stream;
};

namespace ccl {
namespace {

constexpr uint32_t kCommMagic = 0x63636c43, kStreamMagic = 0x63636c53, kConfigMagic = 0xcc1cafeu;

thread_local std::string last_error;

cclResult_t ResultOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return cclSuccess;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kOutOfRange:
      return cclInvalidArgument;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnimplemented:
      return cclInvalidUsage;
    case absl::StatusCode::kUnavailable:
      return cclRemoteError;
    case absl::StatusCode::kResourceExhausted:
      return cclSystemError;
    default:
      return cclInternalError;
  }
}

cclResult_t Report(const absl::Status& status) {
  if (!status.ok()) last_error = std::string(status.message());
  return ResultOf(status);
}

// A process has one, as it has one set of ids.
Rendezvous& ProcessRendezvous() {
  static auto* rendezvous = new Rendezvous;
  return *rendezvous;
}

absl::StatusOr<Options> OptionsOf(const cclConfig_t* config) {
  Options options;
  if (config == nullptr) return options;
  if (config->magic != kConfigMagic || config->size != sizeof(cclConfig_t)) {
    return absl::InvalidArgumentError(
        "the configuration was not initialised with CCL_CONFIG_INITIALIZER");
  }
  if (config->backend != nullptr) options.backend = config->backend;
  if (config->algorithms != nullptr) options.algorithms = config->algorithms;
  options.phantom = config->phantom != 0;
  return options;
}

absl::StatusOr<cclComm*> NewComm(std::shared_ptr<World> world, int rank) {
  CCL_ASSIGN_OR_RETURN(auto communicator, Communicator::Create(std::move(world), rank));
  auto* comm = new cclComm;
  comm->magic = kCommMagic;
  comm->communicator = std::move(communicator);
  return comm;
}

absl::StatusOr<cclComm*> InitRank(int nranks, const cclUniqueId& id, int rank,
                                  const cclConfig_t* config) {
  if (nranks < 1) return absl::InvalidArgumentError(absl::StrCat("nranks is ", nranks));
  if (rank < 0 || rank >= nranks) {
    return absl::InvalidArgumentError(absl::StrCat("rank ", rank, " is not in 0..", nranks - 1));
  }
  CCL_ASSIGN_OR_RETURN(Options options, OptionsOf(config));
  CCL_ASSIGN_OR_RETURN(
      std::shared_ptr<World> world,
      ProcessRendezvous().Meet({id.internal, CCL_UNIQUE_ID_BYTES}, options, nranks, rank));
  return NewComm(std::move(world), rank);
}

thread_local Group group;

absl::Status CheckComm(cclComm* comm) {
  if (comm == nullptr) return absl::InvalidArgumentError("the communicator is null");
  if (comm->magic != kCommMagic) {
    return absl::InvalidArgumentError("the communicator is not one, or has been destroyed");
  }
  return comm->communicator->world().engine().error();
}

absl::StatusOr<Stream*> StreamOf(cclComm* comm, cclStream* stream) {
  if (stream == nullptr) return comm->communicator->stream();
  if (stream->magic != kStreamMagic) {
    return absl::InvalidArgumentError("the stream is not one, or has been destroyed");
  }
  if (stream->comm != comm) {
    return absl::InvalidArgumentError("the stream belongs to another communicator");
  }
  return stream->stream.get();
}

// Runs `f`; outside a group its error is the call's, inside it is cclGroupEnd's too.
template <typename F>
cclResult_t Grouped(F f) {
  group.Enter();
  absl::Status status = f();
  if (!status.ok()) group.Fail(status);
  absl::Status end = group.Leave();
  return Report(group.open() ? status : end);
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
    if (op < 0 || op >= cclNumOps) return error("reduction", op);
    Request request{collective, static_cast<DataType>(type), static_cast<ReduceOp>(op),
                    count,      root,                        in,
                    out};
    CCL_ASSIGN_OR_RETURN(Stream * queue, StreamOf(comm, stream));
    CCL_RETURN_IF_ERROR(communicator.Validate(request));
    CCL_ASSIGN_OR_RETURN(std::unique_ptr<Work> work, communicator.Make(request, ""));
    group.AddCollective(communicator, queue, std::move(work));
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
    group.AddMessage(communicator, queue, {sends, peer, phantom ? nullptr : data, count * size});
    return absl::OkStatus();
  });
}

// A day, far below where picoseconds overflow.
constexpr int64_t kLongestCompute = int64_t{86400} * 1'000'000'000'000;

cclResult_t Compute(cclComm* comm, cclStream* stream, int64_t picoseconds) {
  return Grouped([&]() -> absl::Status {
    CCL_RETURN_IF_ERROR(CheckComm(comm));
    CCL_ASSIGN_OR_RETURN(Stream * queue, StreamOf(comm, stream));
    if (picoseconds < 0 || picoseconds > kLongestCompute) {
      return absl::InvalidArgumentError(
          absl::StrCat("a time to compute of ", picoseconds, " ps is not in 0 .. one day"));
    }
    group.AddDelay(*comm->communicator, queue, picoseconds);
    return absl::OkStatus();
  });
}

absl::Status CheckStream(cclStream* stream) {
  if (stream == nullptr) {
    return absl::InvalidArgumentError(
        "the stream is null; the communicator's own is waited for by cclCommSynchronize");
  }
  if (stream->magic != kStreamMagic) {
    return absl::InvalidArgumentError("the stream is not one, or has been destroyed");
  }
  if (stream->alive.expired()) {
    return absl::InvalidArgumentError("the stream's communicator has been destroyed");
  }
  return stream->world->engine().error();
}

absl::Status NotInGroup(absl::string_view call) {
  if (!group.open()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(call, " inside a group: its operations start at cclGroupEnd"));
}

}  // namespace
}  // namespace ccl

using ccl::Collect;
using ccl::Collective;
using ccl::Report;

extern "C" {

cclResult_t cclGetVersion(int* version) {
  if (version == nullptr) return Report(absl::InvalidArgumentError("version is null"));
  *version = CCL_VERSION_CODE;
  return cclSuccess;
}

const char* cclGetErrorString(cclResult_t result) {
  switch (result) {
    case cclSuccess: return "no error";
    case cclUnhandledBackendError: return "unhandled backend error";
    case cclSystemError: return "unhandled system error";
    case cclInternalError: return "internal error";
    case cclInvalidArgument: return "invalid argument";
    case cclInvalidUsage: return "invalid usage";
    case cclRemoteError: return "remote process exited or there was a network error";
    case cclInProgress: return "operation in progress";
  }
  return "unknown result code";
}

const char* cclGetLastError(cclComm_t) { return ccl::last_error.c_str(); }

cclResult_t cclGetUniqueId(cclUniqueId* id) {
  if (id == nullptr) return Report(absl::InvalidArgumentError("the unique id is null"));
  std::random_device random;
  for (size_t i = 0; i < sizeof id->internal; i += 4) {
    const uint32_t word = random();
    std::memcpy(id->internal + i, &word, 4);
  }
  return cclSuccess;
}

cclResult_t cclCommInitRank(cclComm_t* comm, int nranks, cclUniqueId id, int rank) {
  return cclCommInitRankConfig(comm, nranks, id, rank, nullptr);
}

cclResult_t cclCommInitRankConfig(cclComm_t* comm, int nranks, cclUniqueId id, int rank,
                                  const cclConfig_t* config) {
  if (comm == nullptr) return Report(absl::InvalidArgumentError("comm is null"));
  auto made = ccl::InitRank(nranks, id, rank, config);
  *comm = made.ok() ? *made : nullptr;
  return Report(made.status());
}

cclResult_t cclCommInitAll(cclComm_t* comms, int ndev, const int* devlist) {
  return cclCommInitAllConfig(comms, ndev, devlist, nullptr);
}

cclResult_t cclCommInitAllConfig(cclComm_t* comms, int ndev, const int*,
                                 const cclConfig_t* config) {
  if (comms == nullptr || ndev < 1) {
    return Report(absl::InvalidArgumentError("comms is null or ndev is below 1"));
  }
  auto options = ccl::OptionsOf(config);
  if (!options.ok()) return Report(options.status());
  auto world = ccl::World::Open(*options, ndev);
  if (!world.ok()) return Report(world.status());
  for (int i = 0; i < ndev; ++i) {
    auto comm = ccl::NewComm(*world, i);
    if (!comm.ok()) {
      while (i > 0) delete comms[--i];
      return Report(comm.status());
    }
    comms[i] = *comm;
  }
  return cclSuccess;
}

cclResult_t cclCommDestroy(cclComm_t comm) {
  if (comm == nullptr) return cclSuccess;
  if (comm->magic != ccl::kCommMagic) return Report(ccl::CheckComm(comm));
  if (absl::Status status = ccl::NotInGroup("cclCommDestroy"); !status.ok()) return Report(status);
  comm->magic = 0;
  delete comm;
  return cclSuccess;
}

cclResult_t cclCommCount(cclComm_t comm, int* count) {
  if (absl::Status status = ccl::CheckComm(comm); !status.ok()) return Report(status);
  if (count == nullptr) return Report(absl::InvalidArgumentError("count is null"));
  *count = comm->communicator->ranks();
  return cclSuccess;
}

cclResult_t cclCommUserRank(cclComm_t comm, int* rank) {
  if (absl::Status status = ccl::CheckComm(comm); !status.ok()) return Report(status);
  if (rank == nullptr) return Report(absl::InvalidArgumentError("rank is null"));
  *rank = comm->communicator->rank();
  return cclSuccess;
}

cclResult_t cclCommGetAsyncError(cclComm_t comm, cclResult_t* error) {
  if (comm == nullptr || comm->magic != ccl::kCommMagic || error == nullptr) {
    return Report(absl::InvalidArgumentError("the communicator or the result pointer is invalid"));
  }
  *error = Report(comm->communicator->world().engine().error());
  return cclSuccess;
}

cclResult_t cclCommGetTime(cclComm_t comm, int64_t* picoseconds) {
  if (absl::Status status = ccl::CheckComm(comm); !status.ok()) return Report(status);
  if (picoseconds == nullptr) return Report(absl::InvalidArgumentError("picoseconds is null"));
  *picoseconds = comm->communicator->world().engine().Now();
  return cclSuccess;
}

cclResult_t cclCommSynchronize(cclComm_t comm) {
  if (absl::Status status = ccl::CheckComm(comm); !status.ok()) return Report(status);
  if (absl::Status status = ccl::NotInGroup("cclCommSynchronize"); !status.ok()) {
    return Report(status);
  }
  return Report(comm->communicator->Synchronize());
}

cclResult_t cclStreamCreate(cclComm_t comm, cclStream_t* stream) {
  if (absl::Status status = ccl::CheckComm(comm); !status.ok()) return Report(status);
  if (stream == nullptr) return Report(absl::InvalidArgumentError("stream is null"));
  ccl::Communicator& communicator = *comm->communicator;
  *stream = new cclStream{ccl::kStreamMagic,   comm,
                          communicator.shared_world(), comm->alive,
                          communicator.rank(),
                          communicator.world().engine().NewStream(communicator.rank())};
  return cclSuccess;
}

cclResult_t cclStreamDestroy(cclStream_t stream) {
  if (stream == nullptr) return cclSuccess;
  if (stream->magic != ccl::kStreamMagic) {
    return Report(absl::InvalidArgumentError("the stream is not one, or has been destroyed"));
  }
  if (absl::Status status = ccl::NotInGroup("cclStreamDestroy"); !status.ok()) {
    return Report(status);
  }
  stream->world->engine().Drop(stream->stream.get());
  stream->magic = 0;
  delete stream;
  return cclSuccess;
}

cclResult_t cclStreamSynchronize(cclStream_t stream) {
  if (absl::Status status = ccl::CheckStream(stream); !status.ok()) return Report(status);
  if (absl::Status status = ccl::NotInGroup("cclStreamSynchronize"); !status.ok()) {
    return Report(status);
  }
  ccl::Stream* queue = stream->stream.get();
  return Report(stream->world->engine().Wait({&queue, 1}));
}

cclResult_t cclStreamQuery(cclStream_t stream) {
  if (absl::Status status = ccl::CheckStream(stream); !status.ok()) return Report(status);
  auto empty = stream->world->engine().Query(stream->stream.get());
  if (!empty.ok()) return Report(empty.status());
  return *empty ? cclSuccess : cclInProgress;
}

cclResult_t cclStreamCompute(cclStream_t stream, int64_t picoseconds) {
  if (absl::Status status = ccl::CheckStream(stream); !status.ok()) return Report(status);
  return ccl::Compute(stream->comm, stream, picoseconds);
}

cclResult_t cclCommCompute(cclComm_t comm, int64_t picoseconds) {
  return ccl::Compute(comm, nullptr, picoseconds);
}

cclResult_t cclGroupStart(void) {
  ccl::group.Enter();
  return cclSuccess;
}

cclResult_t cclGroupEnd(void) {
  if (!ccl::group.open()) {
    return Report(absl::FailedPreconditionError("cclGroupEnd without cclGroupStart"));
  }
  return Report(ccl::group.Leave());
}

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
  return ccl::PointToPoint(true, const_cast<void*>(data), count, type, peer, comm, stream);
}
cclResult_t cclRecv(void* data, size_t count, cclDataType_t type, int peer, cclComm_t comm,
                    cclStream_t stream) {
  return ccl::PointToPoint(false, data, count, type, peer, comm, stream);
}

}  // extern "C"
