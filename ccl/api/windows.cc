// One-sided: windows on the memory of other ranks, puts into them, signals.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ccl/api/handles.h"
#include "ccl/base/log.h"
#include "ccl/base/status.h"
#include "ccl/plan/cost.h"

namespace ccl::api {
namespace {

constexpr int kMostNumber = 65535;  // of signals and of contexts

absl::Status Error(cclComm* comm, const char* call, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("rank ", comm->communicator->rank(), ", ", call, ": ", what));
}

// Of this communicator, and not deregistered.
absl::StatusOr<cclWindow*> Find(cclComm* comm, const char* call, cclWindow* window) {
  const auto found = std::find_if(comm->windows.begin(), comm->windows.end(),
                                  [&](const auto& kept) { return kept.get() == window; });
  if (found != comm->windows.end()) return window;
  return Error(comm, call, "the window is none of this communicator's, or has been deregistered");
}

absl::Status CheckPeer(cclComm* comm, const char* call, int peer) {
  const int ranks = comm->communicator->ranks();
  if (peer >= 0 && peer < ranks) return absl::OkStatus();
  return Error(comm, call, absl::StrCat("peer ", peer, " is not in 0..", ranks - 1));
}

absl::Status CheckNumbers(cclComm* comm, const char* call, int signal, int context) {
  if (signal < 0 || signal > kMostNumber) {
    return Error(comm, call, absl::StrCat("sigIdx ", signal, " is not in 0..", kMostNumber));
  }
  if (context < 0 || context > kMostNumber) {
    return Error(comm, call, absl::StrCat("ctx ", context, " is not in 0..", kMostNumber));
  }
  return absl::OkStatus();
}

uint32_t NumberOf(int signal, int context) {
  return static_cast<uint32_t>(context) << 16 | static_cast<uint32_t>(signal);
}

// Signals arrive while a window is open.
absl::Status CheckOpen(cclComm* comm, const char* call) {
  if (comm->one_sided != nullptr && comm->one_sided->open() > 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("rank ", comm->communicator->rank(), ", ", call,
                   ": the communicator has no window: signals are of ranks that have registered one"));
}

absl::Status Register(cclComm* comm, void* buffer, size_t size, cclWindow** window, int flags) {
  CCL_RETURN_IF_ERROR(CheckComm(comm));
  const char* const call = "cclCommWindowRegister";
  if (window == nullptr) return Error(comm, call, "win is null");
  const bool phantom = comm->communicator->world().phantom();
  if (size == 0 || (buffer == nullptr && !phantom)) return Error(comm, call, "the buffer is null or empty");
  if ((flags & ~(CCL_WIN_COLL_SYMMETRIC | CCL_WIN_STRICT_ORDERING)) != 0) {
    return Error(comm, call, absl::StrCat("unknown flags ", flags));
  }
  if (comm->one_sided == nullptr) {
    CCL_ASSIGN_OR_RETURN(comm->one_sided, Windows::Of(*comm->communicator));
  }
  const int number = comm->one_sided->Open(phantom ? nullptr : buffer, size);
  comm->windows.push_back(std::make_unique<cclWindow>(cclWindow{number, buffer, size}));
  *window = comm->windows.back().get();
  if (Logs(LogLevel::kInfo, LogPart::kAlloc)) {
    Log(LogLevel::kInfo, LogPart::kAlloc,
        absl::StrFormat("%s: %p, %u bytes, window %d of rank %d", call, buffer, size, number,
                        comm->communicator->rank()));
  }
  return absl::OkStatus();
}

absl::Status Deregister(cclComm* comm, cclWindow* window) {
  CCL_RETURN_IF_ERROR(CheckComm(comm));
  const char* const call = "cclCommWindowDeregister";
  CCL_RETURN_IF_ERROR(NotInGroup(call));
  CCL_RETURN_IF_ERROR(Find(comm, call, window).status());
  const int number = window->number;
  std::erase_if(comm->windows, [&](const auto& kept) { return kept.get() == window; });
  const Waits waits(comm->waiting);
  return comm->one_sided->Close(number);
}

// Queues a put, or a signal.
absl::Status Queue(cclComm* comm, cclStream* stream, const char* name, const Put& put) {
  CCL_ASSIGN_OR_RETURN(Stream * queue, StreamOf(comm, stream));
  Communicator& communicator = *comm->communicator;
  if (Logs(LogLevel::kInfo, LogPart::kP2p)) {
    Log(LogLevel::kInfo, LogPart::kP2p,
        absl::StrFormat("%s: buff %p, %u bytes, peer %d, window %d, offset %u, comm %p [nranks=%d] rank %d "
                        "stream %p",
                        name, put.data, put.bytes, put.peer, put.window, put.offset, comm,
                        communicator.ranks(), put.rank, stream));
  }
  std::unique_ptr<Work> work = comm->one_sided->MakePut(put);
  communicator.RecordMessage(*work, name, put.bytes, put.peer);
  const PeerMessage message{put.peer, true, put.bytes};
  ThreadGroup().AddWork(communicator, queue, std::move(work),
                        static_cast<Time>(PredictExchange({&message, 1}, put.rank,
                                                          communicator.team()->topology())));
  return absl::OkStatus();
}

absl::Status PutSignal(const void* data, size_t count, cclDataType_t type, int peer, cclWindow* window,
                       size_t offset, int signal, int context, unsigned int flags, cclComm* comm,
                       cclStream* stream) {
  CCL_RETURN_IF_ERROR(CheckComm(comm));
  const char* const call = "cclPutSignal";
  if (static_cast<int>(type) < 0 || type >= cclNumTypes) {
    return Error(comm, call, absl::StrCat("unknown data type ", static_cast<int>(type)));
  }
  CCL_RETURN_IF_ERROR(CheckPeer(comm, call, peer));
  CCL_RETURN_IF_ERROR(CheckNumbers(comm, call, signal, context));
  if (flags != 0) return Error(comm, call, absl::StrCat("unknown flags ", flags));
  CCL_RETURN_IF_ERROR(Find(comm, call, window).status());
  const size_t size = SizeOf(static_cast<DataType>(type));
  if (offset > window->size || count > (window->size - offset) / size) {
    return Error(comm, call, absl::StrCat(count, " elements of ", size, " bytes at byte ", offset,
                                          " do not lie within the window's ", window->size, " bytes"));
  }
  const bool phantom = comm->communicator->world().phantom();
  if (data == nullptr && count > 0 && !phantom) return Error(comm, call, "the buffer is null");
  return Queue(comm, stream, "put",
               {comm->communicator->rank(), peer, window->number, window->size, offset, count * size,
                phantom ? nullptr : data, NumberOf(signal, context)});
}

absl::Status Signal(int peer, int signal, int context, unsigned int flags, cclComm* comm,
                    cclStream* stream) {
  CCL_RETURN_IF_ERROR(CheckComm(comm));
  const char* const call = "cclSignal";
  CCL_RETURN_IF_ERROR(CheckPeer(comm, call, peer));
  CCL_RETURN_IF_ERROR(CheckNumbers(comm, call, signal, context));
  if (flags != 0) return Error(comm, call, absl::StrCat("unknown flags ", flags));
  CCL_RETURN_IF_ERROR(CheckOpen(comm, call));
  Put put;
  put.rank = comm->communicator->rank();
  put.peer = peer;
  put.number = NumberOf(signal, context);
  return Queue(comm, stream, "signal", put);
}

absl::Status WaitSignal(int count, const cclWaitSignalDesc_t* descriptions, cclComm* comm,
                        cclStream* stream) {
  CCL_RETURN_IF_ERROR(CheckComm(comm));
  const char* const call = "cclWaitSignal";
  if (count < 1 || descriptions == nullptr) return Error(comm, call, "nothing to wait for");
  std::vector<SignalWish> wishes;
  for (int i = 0; i < count; ++i) {
    const cclWaitSignalDesc_t& d = descriptions[i];
    CCL_RETURN_IF_ERROR(CheckPeer(comm, call, d.peer));
    CCL_RETURN_IF_ERROR(CheckNumbers(comm, call, d.sigIdx, d.ctx));
    if (d.opCnt < 0) return Error(comm, call, absl::StrCat("opCnt is ", d.opCnt));
    wishes.push_back({d.peer, NumberOf(d.sigIdx, d.ctx), static_cast<uint64_t>(d.opCnt)});
  }
  CCL_RETURN_IF_ERROR(CheckOpen(comm, call));
  CCL_ASSIGN_OR_RETURN(Stream * queue, StreamOf(comm, stream));
  std::unique_ptr<Work> work = comm->one_sided->MakeWait(std::move(wishes));
  comm->communicator->RecordMessage(*work, "wait for signals", 0, descriptions[0].peer);
  ThreadGroup().AddWork(*comm->communicator, queue, std::move(work));
  return absl::OkStatus();
}

}  // namespace
}  // namespace ccl::api

using namespace ccl::api;

extern "C" {

cclResult_t cclCommWindowRegister(cclComm_t comm, void* buff, size_t size, cclWindow_t* win,
                                  int winFlags) {
  return Report(Register(comm, buff, size, win, winFlags));
}

cclResult_t cclCommWindowDeregister(cclComm_t comm, cclWindow_t win) {
  return Report(Deregister(comm, win));
}

cclResult_t cclWinGetUserPtr(cclComm_t comm, cclWindow_t win, void** ptr) {
  if (absl::Status status = CheckMade(comm); !status.ok()) return Report(status);
  if (ptr == nullptr) return Report(absl::InvalidArgumentError("cclWinGetUserPtr: ptr is null"));
  auto found = Find(comm, "cclWinGetUserPtr", win);
  if (found.ok()) *ptr = (*found)->base;
  return Report(found.status());
}

cclResult_t cclPutSignal(const void* localbuff, size_t count, cclDataType_t datatype, int peer,
                         cclWindow_t peerWin, size_t peerWinOffset, int sigIdx, int ctx,
                         unsigned int flags, cclComm_t comm, cclStream_t stream) {
  return Grouped([&] {
    return PutSignal(localbuff, count, datatype, peer, peerWin, peerWinOffset, sigIdx, ctx, flags, comm,
                     stream);
  });
}

cclResult_t cclSignal(int peer, int sigIdx, int ctx, unsigned int flags, cclComm_t comm,
                      cclStream_t stream) {
  return Grouped([&] { return Signal(peer, sigIdx, ctx, flags, comm, stream); });
}

cclResult_t cclWaitSignal(int nDesc, const cclWaitSignalDesc_t* signalDescs, cclComm_t comm,
                          cclStream_t stream) {
  return Grouped([&] { return WaitSignal(nDesc, signalDescs, comm, stream); });
}

}  // extern "C"
