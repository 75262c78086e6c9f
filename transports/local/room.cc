#include "transports/local/room.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ccl/base/status.h"
#include "transports/shm/layout.h"

namespace ccl::local {
namespace {

// Those that not all ranks have entered yet.
struct Rooms {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Room>, std::less<>> open;
};
Rooms& AllRooms() {
  static auto* rooms = new Rooms;
  return *rooms;
}

}  // namespace

Room::Room(absl::string_view name, int ranks, std::shared_ptr<shm::Segment> segment)
    : name_(name),
      ranks_(ranks),
      segment_(std::move(segment)),
      here_(static_cast<size_t>(ranks)),
      saying_(static_cast<size_t>(ranks)),
      gone_(static_cast<size_t>(ranks)) {}

absl::StatusOr<std::shared_ptr<Room>> Room::Enter(absl::string_view name, int ranks, int rank,
                                                  std::chrono::milliseconds timeout) {
  Rooms& rooms = AllRooms();
  std::unique_lock<std::mutex> lock(rooms.mutex);
  auto found = rooms.open.find(name);
  if (found == rooms.open.end()) {
    CCL_ASSIGN_OR_RETURN(auto segment, shm::Segment::Create(shm::Layout::Bytes(ranks)));
    segment->Close();
    const shm::Layout layout(segment->data(), ranks);
    if (layout.IsPopulated()) segment->Populate(0, layout.ChunksOf(0));
    found = rooms.open.emplace(name, std::shared_ptr<Room>(new Room(name, ranks, std::move(segment)))).first;
  }
  const std::shared_ptr<Room> room = found->second;
  if (room->ranks_ != ranks) {
    return absl::InvalidArgumentError(absl::StrCat("local: rank ", rank, " joins a job of ", ranks,
                                                   " ranks, others one of ", room->ranks_));
  }
  if (room->here_[static_cast<size_t>(rank)]) {
    return absl::InvalidArgumentError(absl::StrCat("local: rank ", rank, " has already joined; every rank joins once"));
  }
  room->here_[static_cast<size_t>(rank)] = true;
  if (++room->arrived_ == ranks) {
    rooms.open.erase(found);
    room->all_here_.notify_all();
    return room;
  }
  CCL_RETURN_IF_ERROR(room->AwaitAll(lock, rank, timeout));
  return room;
}

absl::Status Room::AwaitAll(std::unique_lock<std::mutex>& lock, int rank, std::chrono::milliseconds timeout) {
  if (all_here_.wait_for(lock, timeout, [&] { return arrived_ == ranks_; })) return absl::OkStatus();
  std::vector<int> missing;
  for (int other = 0; other < ranks_; ++other) {
    if (!here_[static_cast<size_t>(other)]) missing.push_back(other);
  }
  here_[static_cast<size_t>(rank)] = false;
  if (--arrived_ == 0) AllRooms().open.erase(name_);
  return absl::DeadlineExceededError(absl::StrCat(
      "local: rank ", rank, " has waited ", timeout.count(), " ms for the other threads of its job; not there: rank ",
      absl::StrJoin(missing, ", "), ". Every rank joins from a thread of its own, or all at once by cclCommInitAll"));
}

absl::StatusOr<std::vector<std::string>> Room::Exchange(int rank, std::string said) {
  const auto missed = [&] {
    return absl::UnavailableError(
        absl::StrCat("local: rank ", rank, ": another rank has left while this one waits for it"));
  };
  std::unique_lock<std::mutex> lock(mutex_);
  if (left() > 0) return missed();
  const uint64_t round = round_;
  saying_[static_cast<size_t>(rank)] = std::move(said);
  if (++speakers_ == ranks_) {
    speakers_ = 0;
    said_ = saying_;
    ++round_;
    all_said_.notify_all();
    return said_;
  }
  all_said_.wait(lock, [&] { return round_ != round || left() > 0; });
  if (round_ != round) return said_;  // of this round: nobody begins the next one but with us
  return missed();
}

void Room::Leave(int rank) {
  const std::lock_guard<std::mutex> lock(mutex_);
  gone_[static_cast<size_t>(rank)].store(true, std::memory_order_release);
  left_.fetch_add(1, std::memory_order_release);
  all_said_.notify_all();
}

}  // namespace ccl::local
