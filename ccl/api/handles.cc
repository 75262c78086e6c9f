#include "ccl/api/handles.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"

namespace ccl::api {
namespace {

thread_local std::string last_error;
thread_local Group group;

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

}  // namespace

cclResult_t Report(const absl::Status& status) {
  if (!status.ok()) last_error = std::string(status.message());
  return ResultOf(status);
}

const char* LastError() { return last_error.c_str(); }

Group& ThreadGroup() { return group; }

absl::Status NotInGroup(absl::string_view call) {
  if (!ThreadGroup().open()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(call, " inside a group: its operations start at cclGroupEnd"));
}

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

}  // namespace ccl::api
