// Communicators made of others, and how they end: split, shrink, revoke, finalize, destroy, abort.
#include <sched.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/api/config.h"
#include "ccl/api/handles.h"
#include "ccl/base/status.h"

namespace ccl::api {
namespace {

// What a communicator made of `parent` starts from: rules and URL come with the parent's world.
Options Inherited(const Communicator& parent) {
  Options options = parent.team()->options();
  options.algorithms.clear();
  options.name.clear();
  return options;
}

absl::StatusOr<Options> OptionsFor(const Communicator& parent, const cclConfig_t* config) {
  CCL_ASSIGN_OR_RETURN(Options options, OptionsOf(config, Inherited(parent)));
  options.backend = parent.team()->options().backend;
  options.phantom = parent.world().phantom();
  // Errors of the rules are found before anybody waits for anybody.
  CCL_RETURN_IF_ERROR(RulesOf(options, {}).status());
  return options;
}

// Adds the making of `*out` to the group. A rank that gets none passes null for `out`.
void Form(cclComm* parent, cclComm** out, bool blocking,
          std::function<absl::StatusOr<std::unique_ptr<Formation>>()> begin) {
  cclComm* made = nullptr;
  if (out != nullptr) {
    *out = made = new cclComm{kCommMagic, blocking};
    made->not_made = absl::InvalidArgumentError(
        "the communicator is not made before cclGroupEnd has returned");
  }
  const auto end = [=](const absl::Status& error, std::unique_ptr<Formation> formation) {
    if (!error.ok()) {
      if (made == nullptr) return;
      made->magic = 0;
      delete made;
      *out = nullptr;
      return;
    }
    if (made == nullptr) {
      if (!blocking) parent->bystanding.push_back(std::move(formation));
      return;
    }
    made->not_made = absl::OkStatus();
    made->formation = std::move(formation);
    CheckMade(made).IgnoreError();  // there already, or later
  };
  ThreadGroup().AddForming({blocking, std::move(begin), end});
}

// What a split and a shrink ask of the parent: revoked ones will do.
absl::Status CheckParent(cclComm* comm) {
  CCL_RETURN_IF_ERROR(CheckMade(comm));
  if (comm->revoked) return absl::OkStatus();
  return CheckComm(comm);
}

// Success, or in progress where what was asked goes on.
cclResult_t Progressing(cclResult_t result, cclComm* made) {
  if (result != cclSuccess || made == nullptr || ThreadGroup().open()) return result;
  return made->formation != nullptr ? cclInProgress : cclSuccess;
}

void Delete(cclComm* comm) {
  // Who waits in another thread has been told, and leaves.
  while (comm->waiting->load() > 0) sched_yield();
  comm->magic = 0;
  delete comm;
}

}  // namespace
}  // namespace ccl::api

using namespace ccl::api;

extern "C" {

cclResult_t cclCommSplit(cclComm_t comm, int color, int key, cclComm_t* newcomm,
                         const cclConfig_t* config) {
  const cclResult_t result = Grouped([&]() -> absl::Status {
    if (newcomm == nullptr) return absl::InvalidArgumentError("newcomm is null");
    *newcomm = nullptr;
    CCL_RETURN_IF_ERROR(CheckParent(comm));
    ccl::Communicator& parent = *comm->communicator;
    CCL_ASSIGN_OR_RETURN(const ccl::Options options, OptionsFor(parent, config));
    CCL_RETURN_IF_ERROR(ccl::Formation::CheckColor(parent, color));
    Form(comm, color == CCL_SPLIT_NOCOLOR ? nullptr : newcomm, options.blocking,
         [&parent, color, key, options] { return ccl::Formation::Split(parent, color, key, options); });
    return absl::OkStatus();
  });
  return Progressing(result, newcomm == nullptr ? nullptr : *newcomm);
}

cclResult_t cclCommShrink(cclComm_t comm, const int* excludeRanksList, int excludeRanksCount,
                          cclComm_t* newcomm, const cclConfig_t* config, int shrinkFlags) {
  const cclResult_t result = Grouped([&]() -> absl::Status {
    if (newcomm == nullptr) return absl::InvalidArgumentError("newcomm is null");
    *newcomm = nullptr;
    const bool aborts = shrinkFlags == CCL_SHRINK_ABORT;
    if (!aborts && shrinkFlags != CCL_SHRINK_DEFAULT) {
      return absl::InvalidArgumentError(absl::StrCat("unknown shrink flags ", shrinkFlags));
    }
    CCL_RETURN_IF_ERROR(aborts ? CheckMade(comm) : CheckParent(comm));
    ccl::Communicator& parent = *comm->communicator;
    if (excludeRanksList == nullptr || excludeRanksCount < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("rank ", parent.rank(), ", shrink: it excludes nobody"));
    }
    CCL_ASSIGN_OR_RETURN(const ccl::Options options, OptionsFor(parent, config));
    std::vector<int> exclude(excludeRanksList, excludeRanksList + excludeRanksCount);
    CCL_RETURN_IF_ERROR(ccl::Formation::Survivors(parent, exclude).status());
    Form(comm, newcomm, options.blocking, [&parent, aborts, exclude, options] {
      if (aborts) {
        parent.Stop(absl::AbortedError(
            absl::StrCat("rank ", parent.rank(), ": its operations were aborted by cclCommShrink")));
      }
      return ccl::Formation::Shrink(parent, exclude, options);
    });
    return absl::OkStatus();
  });
  return Progressing(result, newcomm == nullptr ? nullptr : *newcomm);
}

cclResult_t cclCommRevoke(cclComm_t comm, int revokeFlags) {
  if (absl::Status status = CheckMade(comm); !status.ok()) return Report(status);
  if (revokeFlags != 0) {
    return Report(absl::InvalidArgumentError(absl::StrCat("unknown revoke flags ", revokeFlags)));
  }
  if (absl::Status status = NotInGroup("cclCommRevoke"); !status.ok()) return Report(status);
  if (comm->finalizing) return Report(CheckComm(comm));
  comm->revoked = true;
  comm->communicator->Stop(absl::AbortedError(absl::StrCat(
      "rank ", comm->communicator->rank(), ": the communicator was revoked while this waited")));
  return cclSuccess;
}

cclResult_t cclCommFinalize(cclComm_t comm) {
  if (absl::Status status = CheckComm(comm); !status.ok()) return Report(status);
  if (absl::Status status = NotInGroup("cclCommFinalize"); !status.ok()) return Report(status);
  ccl::Communicator& communicator = *comm->communicator;
  comm->finalizing = true;
  if (comm->blocking) {
    const Waits waits(comm->waiting);
    return Report(communicator.world().engine().Wait(*communicator.scope()));
  }
  auto done = communicator.world().engine().Flush(*communicator.scope());
  if (!done.ok()) return Report(done.status());
  return *done ? cclSuccess : cclInProgress;
}

cclResult_t cclCommDestroy(cclComm_t comm) {
  if (comm == nullptr) return cclSuccess;
  if (absl::Status status = CheckHandle(comm); !status.ok()) return Report(status);
  if (absl::Status status = NotInGroup("cclCommDestroy"); !status.ok()) return Report(status);
  Delete(comm);
  return cclSuccess;
}

cclResult_t cclCommAbort(cclComm_t comm) {
  if (comm == nullptr) return cclSuccess;
  if (absl::Status status = CheckHandle(comm); !status.ok()) return Report(status);
  if (absl::Status status = NotInGroup("cclCommAbort"); !status.ok()) return Report(status);
  if (comm->communicator != nullptr) {
    comm->communicator->Stop(absl::AbortedError(absl::StrCat(
        "rank ", comm->communicator->rank(), ": the communicator was aborted while this waited")));
  }
  Delete(comm);
  return cclSuccess;
}

cclResult_t cclCommGetAsyncError(cclComm_t comm, cclResult_t* error) {
  if (absl::Status status = CheckHandle(comm); !status.ok()) return Report(status);
  if (error == nullptr) return Report(absl::InvalidArgumentError("the result pointer is null"));
  *error = cclInProgress;
  if (absl::Status status = CheckMade(comm); !status.ok()) {
    if (comm->not_made.ok()) return cclSuccess;
    *error = Report(status);
    return cclSuccess;
  }
  while (!comm->bystanding.empty()) {
    auto done = comm->bystanding.front()->Poll();
    if (done.ok() && !*done) return cclSuccess;
    comm->bystanding.erase(comm->bystanding.begin());
    if (done.ok()) continue;
    *error = Report(done.status());
    return cclSuccess;
  }
  ccl::Communicator& communicator = *comm->communicator;
  absl::Status status = communicator.error();
  if (comm->revoked && absl::IsAborted(status)) status = absl::OkStatus();
  if (status.ok() && comm->finalizing) {
    auto done = communicator.world().engine().Flush(*communicator.scope());
    if (done.ok() && !*done) return cclSuccess;
    status = done.status();
  }
  *error = Report(status);
  return cclSuccess;
}

}  // extern "C"
