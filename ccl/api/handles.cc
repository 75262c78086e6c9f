#include "ccl/api/handles.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "ccl/base/log.h"
#include "ccl/base/status.h"

namespace ccl::api {
namespace {

thread_local std::string last_error;
thread_local Group* thread_group = nullptr;  // costs less to look at than what has a constructor

cclResult_t ResultOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return cclSuccess;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kOutOfRange:
      return cclInvalidArgument;
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnimplemented:
      return cclInvalidUsage;
    case absl::StatusCode::kUnavailable:
      return cclRemoteError;
    case absl::StatusCode::kDeadlineExceeded:
      return cclTimeout;
    case absl::StatusCode::kResourceExhausted:
      return cclSystemError;
    default:
      return cclInternalError;
  }
}

}  // namespace

cclResult_t Report(const absl::Status& status) {
  if (!status.ok() && status.message() != last_error) {
    last_error = std::string(status.message());
    Log(LogLevel::kWarn, LogPart::kInit, last_error);
  }
  return ResultOf(status);
}

const char* LastError() { return last_error.c_str(); }

Group& ThreadGroup() {
  thread_local Group group;
  thread_group = &group;
  return group;
}

bool InGroup() { return thread_group != nullptr && thread_group->open(); }

absl::Status RefuseInGroup(absl::string_view call) {
  return absl::FailedPreconditionError(
      absl::StrCat(call, " inside a group: its operations start at cclGroupEnd"));
}

absl::Status NotInHostCall() {
  if (!InHostCall()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "a function given to cclLaunchHostFunc calls ccl: it runs while the world stands still");
}

absl::Status CheckHandle(cclComm* comm) {
  CCL_RETURN_IF_ERROR(NotInHostCall());
  if (comm == nullptr) return absl::InvalidArgumentError("the communicator is null");
  if (comm->magic != kCommMagic) {
    return absl::InvalidArgumentError("the communicator is not one, or has been destroyed");
  }
  return absl::OkStatus();
}

absl::Status CheckMade(cclComm* comm) {
  CCL_RETURN_IF_ERROR(CheckHandle(comm));
  if (comm->formation != nullptr) {
    auto done = comm->formation->Poll();
    if (done.ok() && !*done) {
      return absl::InvalidArgumentError(
          "the communicator is still being made: call cclCommGetAsyncError until it says so no more");
    }
    if (done.ok()) {
      comm->communicator = comm->formation->Take();
    } else {
      comm->not_made = done.status();
    }
    comm->formation = nullptr;
  }
  return comm->not_made;
}

absl::Status CheckUsable(cclComm* comm) {
  CCL_RETURN_IF_ERROR(CheckMade(comm));
  if (comm->revoked) {
    return absl::FailedPreconditionError(absl::StrCat(
        "rank ", comm->communicator->rank(), ": the communicator has been revoked; it can be split, "
        "shrunk and destroyed"));
  }
  if (comm->finalizing) {
    return absl::FailedPreconditionError(absl::StrCat(
        "rank ", comm->communicator->rank(), ": the communicator has been finalised; it can be "
        "destroyed"));
  }
  return absl::OkStatus();
}

absl::Status CheckComm(cclComm* comm) {
  CCL_RETURN_IF_ERROR(CheckUsable(comm));
  return comm->communicator->error();
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

absl::Status CheckStream(cclStream* stream) {
  CCL_RETURN_IF_ERROR(NotInHostCall());
  if (stream == nullptr) {
    return absl::InvalidArgumentError(
        "the stream is null; the communicator's own is waited for by cclCommSynchronize");
  }
  if (stream->magic != kStreamMagic) {
    return absl::InvalidArgumentError("the stream is not one, or has been destroyed");
  }
  if (stream->waiting.expired()) {
    return absl::InvalidArgumentError("the stream's communicator has been destroyed");
  }
  return stream->world->engine().error(*stream->stream->scope);
}

}  // namespace ccl::api
