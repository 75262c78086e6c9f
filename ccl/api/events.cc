// Events and host functions: what ties streams to each other and to the program.
#include "absl/strings/str_cat.h"
#include "ccl/api/handles.h"
#include "ccl/base/status.h"

namespace ccl::api {
namespace {

absl::Status CheckEvent(cclEvent* event) {
  CCL_RETURN_IF_ERROR(NotInHostCall());
  if (event == nullptr) return absl::InvalidArgumentError("the event is null");
  if (event->magic != kEventMagic) {
    return absl::InvalidArgumentError("the event is not one, or has been destroyed");
  }
  return absl::OkStatus();
}

// Adds work to a stream of `comm`.
template <typename Make>
cclResult_t Add(cclComm* comm, cclStream* stream, Make make) {
  return Grouped([&]() -> absl::Status {
    CCL_RETURN_IF_ERROR(CheckComm(comm));
    CCL_ASSIGN_OR_RETURN(Stream * queue, StreamOf(comm, stream));
    CCL_ASSIGN_OR_RETURN(std::unique_ptr<Work> work, make(*comm->communicator));
    ThreadGroup().AddWork(*comm->communicator, queue, std::move(work));
    return absl::OkStatus();
  });
}

bool Reached(const cclEvent& event) { return event.event->done >= event.event->asked; }

absl::Status Timed(const char* which, cclEvent* event) {
  CCL_RETURN_IF_ERROR(CheckEvent(event));
  if (event->event->asked == 0) {
    return absl::InvalidArgumentError(absl::StrCat("the ", which, " event has never been recorded"));
  }
  if (!Reached(*event)) return absl::OkStatus();
  if (event->event->time < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ", which, " event was recorded on a stream whose work was dropped"));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace ccl::api

using namespace ccl::api;

extern "C" {

cclResult_t cclEventCreate(cclEvent_t* event) {
  if (event == nullptr) return Report(absl::InvalidArgumentError("event is null"));
  *event = new cclEvent{kEventMagic};
  return cclSuccess;
}

cclResult_t cclEventDestroy(cclEvent_t event) {
  if (event == nullptr) return cclSuccess;
  if (absl::Status status = CheckEvent(event); !status.ok()) return Report(status);
  event->magic = 0;
  delete event;
  return cclSuccess;
}

cclResult_t cclEventRecord(cclEvent_t event, cclComm_t comm, cclStream_t stream) {
  return Add(comm, stream, [&](ccl::Communicator& communicator) -> absl::StatusOr<std::unique_ptr<ccl::Work>> {
    CCL_RETURN_IF_ERROR(CheckEvent(event));
    event->world = communicator.shared_world();
    event->rank = communicator.world_rank();
    return ccl::MakeRecord(event->event, communicator.world_rank());
  });
}

cclResult_t cclStreamWaitEvent(cclComm_t comm, cclStream_t stream, cclEvent_t event) {
  return Add(comm, stream, [&](ccl::Communicator& communicator) -> absl::StatusOr<std::unique_ptr<ccl::Work>> {
    CCL_RETURN_IF_ERROR(CheckEvent(event));
    if (!Reached(*event) && event->world.lock() != communicator.shared_world()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "rank ", communicator.rank(), ": the event was recorded in another world, whose time is not "
          "this one's"));
    }
    return ccl::MakeAwait(event->event, communicator.world_rank());
  });
}

cclResult_t cclLaunchHostFunc(cclComm_t comm, cclStream_t stream, cclHostFn_t function,
                              void* userData) {
  return Add(comm, stream, [&](ccl::Communicator& communicator) -> absl::StatusOr<std::unique_ptr<ccl::Work>> {
    if (function == nullptr) return absl::InvalidArgumentError("the host function is null");
    return ccl::MakeHostCall(function, userData, communicator.world_rank());
  });
}

cclResult_t cclEventQuery(cclEvent_t event) {
  if (absl::Status status = CheckEvent(event); !status.ok()) return Report(status);
  return Reached(*event) ? cclSuccess : cclInProgress;
}

cclResult_t cclEventSynchronize(cclEvent_t event) {
  if (absl::Status status = CheckEvent(event); !status.ok()) return Report(status);
  if (absl::Status status = NotInGroup("cclEventSynchronize"); !status.ok()) return Report(status);
  if (Reached(*event)) return cclSuccess;
  const std::shared_ptr<ccl::World> world = event->world.lock();
  if (world == nullptr) return cclSuccess;
  // A stream that has nothing to do but wait for it.
  ccl::Engine& engine = world->engine();
  const std::unique_ptr<ccl::Stream> stream =
      engine.NewStream(event->rank, std::make_shared<ccl::Scope>());
  std::vector<std::unique_ptr<ccl::Work>> work;
  work.push_back(ccl::MakeAwait(event->event, event->rank));
  ccl::Stream* queue = stream.get();
  engine.Enqueue({&queue, 1}, std::move(work));
  const absl::Status status = engine.Wait({&queue, 1});
  engine.Drop(queue);
  return Report(status);
}

cclResult_t cclEventElapsedTime(int64_t* picoseconds, cclEvent_t start, cclEvent_t end) {
  if (picoseconds == nullptr) return Report(absl::InvalidArgumentError("picoseconds is null"));
  for (const auto& [which, event] : {std::make_pair("first", start), std::make_pair("second", end)}) {
    if (absl::Status status = Timed(which, event); !status.ok()) return Report(status);
  }
  if (!Reached(*start) || !Reached(*end)) return cclInProgress;
  *picoseconds = end->event->time - start->event->time;
  return cclSuccess;
}

}  // extern "C"
