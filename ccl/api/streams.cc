// Streams: queues of one rank's work, waiting for them, and computing on them.
#include "absl/strings/str_cat.h"
#include "ccl/api/handles.h"
#include "ccl/base/status.h"

namespace ccl::api {
namespace {

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
    Communicator& communicator = *comm->communicator;
    ThreadGroup().AddWork(communicator, queue,
                          std::make_unique<Delay>(communicator.world_rank(), picoseconds), picoseconds);
    return absl::OkStatus();
  });
}

}  // namespace
}  // namespace ccl::api

using namespace ccl::api;

extern "C" {

cclResult_t cclStreamCreate(cclComm_t comm, cclStream_t* stream) {
  if (absl::Status status = CheckComm(comm); !status.ok()) return Report(status);
  if (stream == nullptr) return Report(absl::InvalidArgumentError("stream is null"));
  ccl::Communicator& communicator = *comm->communicator;
  *stream = new cclStream{kStreamMagic,   comm,
                          communicator.shared_world(), comm->waiting,
                          communicator.rank(),
                          communicator.world().engine().NewStream(
                              communicator.world_rank(), communicator.scope())};
  return cclSuccess;
}

cclResult_t cclStreamDestroy(cclStream_t stream) {
  if (stream == nullptr) return cclSuccess;
  if (stream->magic != kStreamMagic) {
    return Report(absl::InvalidArgumentError("the stream is not one, or has been destroyed"));
  }
  if (absl::Status status = NotInGroup("cclStreamDestroy"); !status.ok()) {
    return Report(status);
  }
  stream->world->engine().Drop(stream->stream.get());
  stream->magic = 0;
  delete stream;
  return cclSuccess;
}

cclResult_t cclStreamSynchronize(cclStream_t stream) {
  if (absl::Status status = CheckStream(stream); !status.ok()) return Report(status);
  if (absl::Status status = NotInGroup("cclStreamSynchronize"); !status.ok()) {
    return Report(status);
  }
  const std::shared_ptr<std::atomic<int>> count = stream->waiting.lock();
  if (count == nullptr) return Report(CheckStream(stream));
  const Waits waits(count);
  ccl::Stream* queue = stream->stream.get();
  return Report(stream->world->engine().Wait({&queue, 1}));
}

cclResult_t cclStreamQuery(cclStream_t stream) {
  if (absl::Status status = CheckStream(stream); !status.ok()) return Report(status);
  auto empty = stream->world->engine().Query(stream->stream.get());
  if (!empty.ok()) return Report(empty.status());
  return *empty ? cclSuccess : cclInProgress;
}

cclResult_t cclStreamPoll(cclStream_t stream) {
  if (absl::Status status = CheckStream(stream); !status.ok()) return Report(status);
  if (absl::Status status = NotInGroup("cclStreamPoll"); !status.ok()) return Report(status);
  const std::shared_ptr<std::atomic<int>> count = stream->waiting.lock();
  if (count == nullptr) return Report(CheckStream(stream));
  const Waits waits(count);
  auto empty = stream->world->engine().Poll(stream->stream.get());
  if (!empty.ok()) return Report(empty.status());
  return *empty ? cclSuccess : cclInProgress;
}

cclResult_t cclStreamCompute(cclStream_t stream, int64_t picoseconds) {
  if (absl::Status status = CheckStream(stream); !status.ok()) return Report(status);
  return Compute(stream->comm, stream, picoseconds);
}

cclResult_t cclCommCompute(cclComm_t comm, int64_t picoseconds) {
  return Compute(comm, nullptr, picoseconds);
}

}  // extern "C"
