// From a URL to an open MpiBackend, and its end.
#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ccl/base/log.h"
#include "ccl/base/status.h"
#include "transports/host_topology.h"
#include "transports/location.h"
#include "transports/mpi/backend.h"
#include "transports/mpi/error.h"
#include "transports/mpi/module.h"

namespace ccl::mpi {
namespace {

struct Address {
  MPI_Comm communicator = MPI_COMM_WORLD;
  bool shares = true;
};

absl::StatusOr<Address> ParseAddress(absl::string_view rest) {
  Address address;
  if (rest.empty()) return address;
  if (rest[0] != '?') {
    return absl::InvalidArgumentError(
        absl::StrCat("mpi: '", rest, "' does not start with '?'; write mpi: or mpi:?comm=N"));
  }
  for (absl::string_view option : absl::StrSplit(rest.substr(1), '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(option, absl::MaxSplits('=', 1));
    int handle = 0;
    if (parts.first == "shm") {
      if (parts.second != "yes" && parts.second != "no") {
        return absl::InvalidArgumentError(absl::StrCat("mpi: shm='", parts.second, "' is neither yes nor no"));
      }
      address.shares = parts.second == "yes";
      continue;
    }
    if (parts.first != "comm") {
      return absl::InvalidArgumentError(absl::StrCat(
          "mpi: unknown option '", parts.first, "'; the options are comm=N and shm=yes|no"));
    }
    if (!absl::SimpleAtoi(parts.second, &handle)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "mpi: comm='", parts.second, "' is not an integer, the value of MPI_Comm_c2f"));
    }
    address.communicator = MPI_Comm_f2c(handle);
    // Of an unknown number Open MPI makes a null pointer.
    if (address.communicator == MPI_COMM_NULL || address.communicator == MPI_Comm{}) {
      return absl::InvalidArgumentError(
          absl::StrCat("mpi: comm=", handle, " names no communicator"));
    }
  }
  return address;
}

absl::StatusOr<std::unique_ptr<Backend>> OpenModule(absl::string_view rest, int ranks, const ArenaPlace& arena) {
  CCL_RETURN_IF_ERROR(Start());
  CCL_ASSIGN_OR_RETURN(const Address address, ParseAddress(rest));
  return MpiBackend::Open(address.communicator, ranks, address.shares, arena);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> MpiBackend::Open(MPI_Comm parent, int ranks, bool shares,
                                                          const ArenaPlace& arena) {
  int rank = -1, size = 0;
  CCL_RETURN_IF_ERROR(ToStatus(MPI_Comm_rank(parent, &rank), rank, "MPI_Comm_rank"));
  CCL_RETURN_IF_ERROR(ToStatus(MPI_Comm_size(parent, &size), rank, "MPI_Comm_size"));
  if (ranks != 0 && ranks != size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "rank ", rank, ": ", ranks, " ranks are wanted, the MPI communicator has ", size));
  }
  MPI_Comm heads = MPI_COMM_NULL, bodies = MPI_COMM_NULL;
  CCL_RETURN_IF_ERROR(ToStatus(MPI_Comm_dup(parent, &heads), rank, "MPI_Comm_dup"));
  MPI_Comm_set_errhandler(heads, MPI_ERRORS_RETURN);
  CCL_RETURN_IF_ERROR(ToStatus(MPI_Comm_dup(heads, &bodies), rank, "MPI_Comm_dup"));
  MPI_Comm_set_errhandler(bodies, MPI_ERRORS_RETURN);

  void* attribute = nullptr;
  int present = 0;
  MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &attribute, &present);
  const int tag_upper_bound = present ? *static_cast<int*>(attribute) : 32767;  // MPI's least

  std::unique_ptr<MpiBackend> backend(new MpiBackend(heads, bodies, rank, size, tag_upper_bound, arena));
  Join(backend.get());
  CCL_RETURN_IF_ERROR(backend->DiscoverTopology(shares));
  return std::unique_ptr<Backend>(std::move(backend));
}

absl::Status MpiBackend::DiscoverTopology(bool shares) {
  shares_ = shares;
  MPI_Comm host = MPI_COMM_NULL;
  CCL_RETURN_IF_ERROR(
      ToStatus(MPI_Comm_split_type(heads_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &host),
               rank_, "MPI_Comm_split_type"));
  // A host is known by its lowest rank.
  Location own = Location::OfThread();
  own.host = rank_;
  const int code = MPI_Bcast(&own.host, 1, MPI_INT32_T, 0, host);
  CCL_RETURN_IF_ERROR(ToStatus(code, rank_, "MPI_Bcast within the host"));
  std::vector<Location> locations(static_cast<size_t>(ranks_));
  CCL_RETURN_IF_ERROR(ToStatus(MPI_Allgather(&own, sizeof own, MPI_BYTE, locations.data(), sizeof own, MPI_BYTE, heads_),
                               rank_, "MPI_Allgather of where ranks are"));
  if (shares) CCL_RETURN_IF_ERROR(ShareMemory(host, locations));
  MPI_Comm_free(&host);
  topology_ = HostTopology(locations, endpoint_ == nullptr ? 0 : CrowdingOf(locations));
  CCL_RETURN_IF_ERROR(WatchPeers(locations));
  return Validate(topology_);
}

absl::Status MpiBackend::ShareMemory(MPI_Comm host, absl::Span<const Location> locations) {
  std::vector<int> here;
  for (int rank = 0; rank < ranks_; ++rank) {
    if (locations[static_cast<size_t>(rank)].host == locations[static_cast<size_t>(rank_)].host) here.push_back(rank);
  }
  const size_t bytes = shm::Layout::Bytes(static_cast<int>(here.size()));
  std::unique_ptr<shm::Segment> segment;
  int64_t name[] = {0, -1};
  absl::Status status;
  const auto keep = [&](absl::StatusOr<std::unique_ptr<shm::Segment>> made) {
    if (made.ok()) {
      segment = *std::move(made);
    } else {
      status = made.status();
    }
  };
  if (here.front() == rank_) {
    keep(shm::Segment::Create(bytes));
    if (segment != nullptr) name[0] = segment->name().process, name[1] = segment->name().file;
  }
  CCL_RETURN_IF_ERROR(ToStatus(MPI_Bcast(name, 2, MPI_INT64_T, 0, host), rank_,
                               "MPI_Bcast of the host's shared memory"));
  if (here.front() != rank_ && name[1] >= 0) keep(shm::Segment::Attach({name[0], name[1]}, bytes));
  // All hosts do, or none: plans are everybody's.
  int own = segment != nullptr, all = 0;
  CCL_RETURN_IF_ERROR(ToStatus(MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MIN, heads_), rank_,
                               "MPI_Allreduce of who shares memory"));
  if (!status.ok()) {
    Log(LogLevel::kWarn, LogPart::kInit,
        absl::StrCat("rank ", rank_, ": messages within hosts go through MPI: ", status.message()));
  }
  if (all == 0) return absl::OkStatus();
  segment->Close();
  elsewhere_ = static_cast<int>(here.size()) < ranks_;
  const bool crowded = CrowdingOf(locations) > 1;  // all members of a group fold alike
  admission_.ShareWith(here);
  endpoint_ = std::make_unique<shm::Endpoint>(std::move(segment), std::move(here), rank_, ranks_, crowded, &arena_);
  return absl::OkStatus();
}

absl::Status MpiBackend::WatchPeers(absl::Span<const Location> locations) {
  const Process self = ThisProcess();
  const int64_t own[] = {self.id, self.started};
  std::vector<int64_t> all(2 * locations.size());
  CCL_RETURN_IF_ERROR(ToStatus(MPI_Allgather(own, 2, MPI_INT64_T, all.data(), 2, MPI_INT64_T, heads_),
                               rank_, "MPI_Allgather of the processes"));
  std::vector<Process> processes;
  const std::unique_ptr<bool[]> here(new bool[locations.size()]);
  for (size_t i = 0; i < locations.size(); ++i) {
    processes.push_back({all[2 * i], all[2 * i + 1]});
    here[i] = locations[i].host == locations[static_cast<size_t>(rank_)].host;
  }
  peers_.Watch(processes, absl::MakeConstSpan(here.get(), locations.size()), rank_);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Backend>> MpiBackend::Survivors(absl::Span<const int> ranks) {
  MPI_Group all = MPI_GROUP_NULL, some = MPI_GROUP_NULL;
  MPI_Comm part = MPI_COMM_NULL;
  CCL_RETURN_IF_ERROR(ToStatus(MPI_Comm_group(heads_, &all), rank_, "MPI_Comm_group"));
  int code = MPI_Group_incl(all, static_cast<int>(ranks.size()), ranks.data(), &some);
  if (code == MPI_SUCCESS) code = MPI_Comm_create_group(heads_, some, 0, &part);
  if (some != MPI_GROUP_NULL) MPI_Group_free(&some);
  MPI_Group_free(&all);
  CCL_RETURN_IF_ERROR(ToStatus(code, rank_, "MPI_Comm_create_group"));
  absl::StatusOr<std::unique_ptr<Backend>> backend = Open(part, static_cast<int>(ranks.size()), shares_, arena_);
  MPI_Comm_free(&part);
  return backend;
}

MpiBackend::~MpiBackend() {
  Leave(this);
  if (!Running()) return;
  if (idle()) {
    for (MPI_Comm communicator : {heads_, bodies_}) MPI_Comm_free(&communicator);
    return;
  }
  // MPI_Comm_free may wait for peers, which may have failed as well: the communicators stay.
  AbandonRequests();
}

void MpiBackend::AbandonRequests() {
  for (size_t i = 0; i < requests_.size(); ++i) {
    if (messages_[parts_[i].message].kind != OperationKind::kSend) MPI_Cancel(&requests_[i]);
  }
  // A cancelled receive completes at once unless its message is on the way. That, and sends, get a
  // moment to end by themselves.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  int complete = 0;
  while (true) {
    complete = 1;
    for (MPI_Request& request : requests_) {
      if (request == MPI_REQUEST_NULL) continue;
      int done = 0;
      if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) done = 1;
      complete &= done;
    }
    if (complete || std::chrono::steady_clock::now() >= deadline) break;
    sched_yield();
  }
  for (size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i] == MPI_REQUEST_NULL) continue;
    // MPI may still touch the blocks of this one.
    Message& message = messages_[parts_[i].message];
    for (Staging::Block* const block : {&message.head, &message.staging}) {
      if (block->data != nullptr) staging_.Abandon(std::exchange(*block, {}));
    }
    MPI_Request_free(&requests_[i]);
  }
}

}  // namespace ccl::mpi

extern "C" __attribute__((visibility("default"))) const ccl::mpi::Module ccl_mpi_module;
const ccl::mpi::Module ccl_mpi_module = {CCL_MPI_MODULE_ABI, ccl::mpi::OpenModule,
                                          &ccl::mpi::kCollectives};
