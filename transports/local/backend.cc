#include "transports/local/backend.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "ccl/base/status.h"
#include "transports/host_topology.h"
#include "transports/location.h"
#include "transports/pause.h"

namespace ccl::local {
namespace {

constexpr int64_t kLongestWait = 1'000'000;  // ns

std::vector<int> UpTo(int ranks) {
  std::vector<int> all(static_cast<size_t>(ranks));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> LocalBackend::Open(absl::string_view name, int ranks, int rank,
                                                            std::chrono::milliseconds timeout) {
  CCL_ASSIGN_OR_RETURN(std::shared_ptr<Room> room, Room::Enter(name, ranks, rank, timeout));
  // Threads may be bound to processors, each to its own.
  const Location own = Location::OfThread();
  CCL_ASSIGN_OR_RETURN(const std::vector<std::string> said,
                       room->Exchange(rank, {reinterpret_cast<const char*>(&own), sizeof own}));
  std::vector<Location> locations(said.size());
  for (size_t i = 0; i < said.size(); ++i) std::memcpy(&locations[i], said[i].data(), sizeof own);
  return std::unique_ptr<Backend>(new LocalBackend(std::move(room), rank, locations, timeout));
}

LocalBackend::LocalBackend(std::shared_ptr<Room> room, int rank, absl::Span<const Location> locations,
                           std::chrono::milliseconds timeout)
    : room_(std::move(room)),
      rank_(rank),
      timeout_(timeout),
      admission_("local", rank, static_cast<int>(locations.size()), kContexts, kChannels),
      topology_(HostTopology(locations, CrowdingOf(locations))),
      endpoint_(std::make_unique<shm::Endpoint>(room_->segment(), UpTo(ranks()), rank, ranks(),
                                                CrowdingOf(locations) > 1, nullptr)) {
  admission_.ShareWith(UpTo(ranks()));
}

LocalBackend::~LocalBackend() {
  endpoint_.reset();
  room_->Leave(rank_);
}

void LocalBackend::Fail(absl::Status status) {
  if (status_.ok()) status_ = std::move(status);
}

void LocalBackend::Post(int rank, absl::Span<const Operation> operations) {
  if (rank != rank_) {
    Fail(absl::InvalidArgumentError(absl::StrCat("rank ", rank_, ": operations of rank ", rank,
                                                 " were posted to this backend")));
  }
  for (const Operation& operation : operations) {
    if (!status_.ok()) return;
    if (CostsOnly(operation)) {
      ready_.push_back({rank_, operation.token});
      continue;
    }
    if (!admission_.Takes(operation)) return Fail(admission_.Refusal(operation));
    endpoint_->Post(operation);
  }
}

absl::Status LocalBackend::Poll(Waiting waiting, std::vector<Completion>& done) {
  if (!status_.ok()) return status_;
  const size_t before = done.size();
  done.insert(done.end(), ready_.begin(), ready_.end());
  ready_.clear();
  if (waiting == Waiting::kBriefly) {
    if (done.size() == before) Fail(endpoint_->ProgressBriefly(done));
    return status_;
  }
  Fail(endpoint_->Progress(done));
  int64_t deadline = 0;
  while (waiting == Waiting::kYes && endpoint_->busy() && done.size() == before && status_.ok()) {
    const int looks = endpoint_->looks();
    for (int i = 0; i < looks && done.size() == before && status_.ok(); ++i) {
      Pause();
      Fail(endpoint_->Progress(done));
    }
    if (done.size() > before || !status_.ok()) break;
    const int64_t now = endpoint_->patience().Wait();
    if (deadline == 0) deadline = now + kLongestWait;
    if (now >= deadline) break;
  }
  if (done.size() == before && status_.ok() && room_->left() > 0) LookForLeft(done);
  return status_;
}

// Whatever it has sent was there when it left.
void LocalBackend::LookForLeft(std::vector<Completion>& done) {
  const size_t before = done.size();
  for (int rank = 0; rank < ranks(); ++rank) {
    if (!room_->HasLeft(rank)) continue;
    Fail(endpoint_->Progress(done));
    if (done.size() > before || !status_.ok() || !endpoint_->WaitsFor(rank)) continue;
    Fail(absl::UnavailableError(
        absl::StrCat("rank ", rank_, ": rank ", rank, " has left while this rank waits for it")));
  }
}

absl::Status LocalBackend::ShareFromRankZero(std::string& bytes) {
  CCL_ASSIGN_OR_RETURN(std::vector<std::string> said, room_->Exchange(rank_, rank_ == 0 ? bytes : std::string()));
  bytes = std::move(said[0]);
  return absl::OkStatus();
}

absl::Status LocalBackend::Agree(const absl::Status& own) {
  const std::string says = own.ok() ? "" : absl::StrCat(static_cast<int>(own.code()), " ", own.message());
  CCL_ASSIGN_OR_RETURN(const std::vector<std::string> said, room_->Exchange(rank_, says));
  for (const std::string& one : said) {
    if (one.empty()) continue;
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(one, absl::MaxSplits(' ', 1));
    int code = 0;
    if (!absl::SimpleAtoi(parts.first, &code)) code = static_cast<int>(absl::StatusCode::kInternal);
    return absl::Status(static_cast<absl::StatusCode>(code), parts.second);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Backend>> LocalBackend::Survivors(absl::Span<const int> ranks) {
  const auto me = std::find(ranks.begin(), ranks.end(), rank_);
  if (me == ranks.end()) {
    return absl::InvalidArgumentError(absl::StrCat("rank ", rank_, " is not among the survivors"));
  }
  return Open(absl::StrCat(room_->name(), "/", absl::StrJoin(ranks, ",")), static_cast<int>(ranks.size()),
              static_cast<int>(me - ranks.begin()), timeout_);
}

}  // namespace ccl::local
