// Communicators: how they come to be, what they say of themselves, how they end.
#include <cstring>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccl/api/config.h"
#include "ccl/api/handles.h"
#include "ccl/backend/open.h"
#include "ccl/base/status.h"
#include "ccl/join.h"
#include "ccl/rendezvous.h"

namespace ccl::api {
namespace {

// A process has one, as it has one set of ids.
Rendezvous& ProcessRendezvous() {
  static auto* rendezvous = new Rendezvous;
  return *rendezvous;
}

absl::StatusOr<cclComm*> NewComm(std::shared_ptr<World> world, int rank, bool blocking) {
  CCL_ASSIGN_OR_RETURN(auto communicator, Communicator::Create(std::move(world), rank));
  auto* comm = new cclComm{kCommMagic, blocking};
  comm->communicator = std::move(communicator);
  return comm;
}

absl::StatusOr<cclUniqueId> NewId(const std::string& url) {
  cclUniqueId id;
  std::random_device random;
  for (size_t i = 0; i < sizeof id.internal; i += 4) {
    const uint32_t word = random();
    std::memcpy(id.internal + i, &word, 4);
  }
  CCL_ASSIGN_OR_RETURN(const std::string place, NewJobId(url, sizeof id.internal));
  place.copy(id.internal, sizeof id.internal);
  return id;
}

constexpr int kMostThreads = 1024;

// The worlds of all ranks, which may be one. Where ranks meet by themselves each has its own, and joins from
// a thread of its own.
absl::StatusOr<std::vector<std::shared_ptr<World>>> OpenAll(const Options& options, int ranks) {
  const std::string url = BackendOf(options);
  if (!MeetsByItself(url)) {
    CCL_ASSIGN_OR_RETURN(std::shared_ptr<World> world, World::Open(options, ranks));
    return std::vector<std::shared_ptr<World>>(static_cast<size_t>(ranks), world);
  }
  if (ranks > kMostThreads) {
    return absl::InvalidArgumentError(absl::StrCat(ranks, " ranks: those that are threads of one process are at most ",
                                                   kMostThreads));
  }
  CCL_ASSIGN_OR_RETURN(const cclUniqueId id, NewId(url));
  std::vector<std::shared_ptr<World>> worlds(static_cast<size_t>(ranks));
  std::vector<absl::Status> statuses(worlds.size());
  const auto join = [&](int rank) {
    auto joined = JoinWorld(options, {ranks, rank, {id.internal, sizeof id.internal}});
    statuses[static_cast<size_t>(rank)] = joined.status();
    if (joined.ok()) worlds[static_cast<size_t>(rank)] = *std::move(joined);
  };
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    try {
      threads.emplace_back(join, rank);
    } catch (const std::system_error& error) {  // the others wait for it in vain, and not for ever
      statuses[static_cast<size_t>(rank)] = absl::ResourceExhaustedError(
          absl::StrCat("a thread for rank ", rank, " to join from: ", error.what()));
      break;
    }
  }
  for (std::thread& thread : threads) thread.join();
  // Who has waited for one that had an error says less than that one.
  for (const absl::Status& status : statuses) {
    if (!absl::IsDeadlineExceeded(status)) CCL_RETURN_IF_ERROR(status);
  }
  for (const absl::Status& status : statuses) CCL_RETURN_IF_ERROR(status);
  return worlds;
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
  return NewComm(std::move(world), rank, options.blocking);
}

}  // namespace
}  // namespace ccl::api

using namespace ccl::api;

extern "C" {

cclResult_t cclGetUniqueId(cclUniqueId* id) {
  if (id == nullptr) return Report(absl::InvalidArgumentError("the unique id is null"));
  auto made = NewId(ccl::BackendOf({}));
  if (!made.ok()) return Report(made.status());
  *id = *made;
  return cclSuccess;
}

cclResult_t cclCommInitRank(cclComm_t* comm, int nranks, cclUniqueId id, int rank) {
  return cclCommInitRankConfig(comm, nranks, id, rank, nullptr);
}

cclResult_t cclCommInitRankConfig(cclComm_t* comm, int nranks, cclUniqueId id, int rank,
                                  const cclConfig_t* config) {
  if (comm == nullptr) return Report(absl::InvalidArgumentError("comm is null"));
  auto made = InitRank(nranks, id, rank, config);
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
  auto options = OptionsOf(config);
  if (!options.ok()) return Report(options.status());
  auto worlds = OpenAll(*options, ndev);
  if (!worlds.ok()) return Report(worlds.status());
  for (int i = 0; i < ndev; ++i) {
    auto comm = NewComm((*worlds)[static_cast<size_t>(i)], i, options->blocking);
    if (!comm.ok()) {
      while (i > 0) delete comms[--i];
      return Report(comm.status());
    }
    comms[i] = *comm;
  }
  return cclSuccess;
}

cclResult_t cclCommCount(cclComm_t comm, int* count) {
  if (absl::Status status = CheckMade(comm); !status.ok()) return Report(status);
  if (count == nullptr) return Report(absl::InvalidArgumentError("count is null"));
  *count = comm->communicator->ranks();
  return cclSuccess;
}

cclResult_t cclCommUserRank(cclComm_t comm, int* rank) {
  if (absl::Status status = CheckMade(comm); !status.ok()) return Report(status);
  if (rank == nullptr) return Report(absl::InvalidArgumentError("rank is null"));
  *rank = comm->communicator->rank();
  return cclSuccess;
}

cclResult_t cclCommMemStats(cclComm_t comm, cclCommMemStat_t stat, uint64_t* value) {
  if (absl::Status status = CheckMade(comm); !status.ok()) return Report(status);
  if (value == nullptr) return Report(absl::InvalidArgumentError("value is null"));
  ccl::Communicator& communicator = *comm->communicator;
  const uint64_t persists = sizeof(cclComm) + communicator.memory();
  switch (stat) {
    case cclStatMemSuspend:
    case cclStatMemSuspended:
      *value = 0;
      return cclSuccess;
    case cclStatMemPersist:
      *value = persists;
      return cclSuccess;
    case cclStatMemTotal:
      *value = persists + communicator.world().engine().MemoryOf(*communicator.scope());
      return cclSuccess;
  }
  return Report(absl::InvalidArgumentError(absl::StrCat("unknown memory statistic ", int{stat})));
}

cclResult_t cclCommGetTime(cclComm_t comm, int64_t* picoseconds) {
  if (absl::Status status = CheckMade(comm); !status.ok()) return Report(status);
  if (picoseconds == nullptr) return Report(absl::InvalidArgumentError("picoseconds is null"));
  *picoseconds = comm->communicator->world().engine().Now();
  return cclSuccess;
}

cclResult_t cclCommSynchronize(cclComm_t comm) {
  if (absl::Status status = CheckUsable(comm); !status.ok()) return Report(status);
  if (absl::Status status = NotInGroup("cclCommSynchronize"); !status.ok()) {
    return Report(status);
  }
  if (comm->communicator->Idle()) return cclSuccess;
  const Waits waits(comm->waiting);
  return Report(comm->communicator->Synchronize());
}

}  // extern "C"
