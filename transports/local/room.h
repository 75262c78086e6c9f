#ifndef TRANSPORTS_LOCAL_ROOM_H_
#define TRANSPORTS_LOCAL_ROOM_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "transports/shm/segment.h"

namespace ccl::local {

// Where the threads of one job meet, and what they have in common. Thread-safe.
class Room {
 public:
  // Blocks until all ranks have come by this name. Errors, after which nobody has come: the rank is there
  // already or the number of ranks is another than the first one's (InvalidArgument); some have not come
  // within `timeout` (DeadlineExceeded, which names them). A name is free again when all have come.
  static absl::StatusOr<std::shared_ptr<Room>> Enter(absl::string_view name, int ranks, int rank,
                                                     std::chrono::milliseconds timeout);

  // Collective over the ranks: what all have said, by rank. Unavailable when one has left.
  absl::StatusOr<std::vector<std::string>> Exchange(int rank, std::string said);
  // The rank says and takes nothing more.
  void Leave(int rank);
  // How many have left.
  uint32_t left() const { return left_.load(std::memory_order_acquire); }
  bool HasLeft(int rank) const { return gone_[static_cast<size_t>(rank)].load(std::memory_order_acquire); }

  const std::string& name() const { return name_; }
  const std::shared_ptr<shm::Segment>& segment() const { return segment_; }

 private:
  Room(absl::string_view name, int ranks, std::shared_ptr<shm::Segment> segment);
  absl::Status AwaitAll(std::unique_lock<std::mutex>& lock, int rank, std::chrono::milliseconds timeout);

  const std::string name_;
  const int ranks_;
  const std::shared_ptr<shm::Segment> segment_;
  std::vector<bool> here_;  // guarded by the mutex of all rooms, as is arrived_
  int arrived_ = 0;
  std::condition_variable all_here_;

  std::mutex mutex_;
  std::condition_variable all_said_;
  std::vector<std::string> saying_, said_;
  int speakers_ = 0;
  uint64_t round_ = 0;
  std::vector<std::atomic<bool>> gone_;
  std::atomic<uint32_t> left_{0};
};

}  // namespace ccl::local

#endif  // TRANSPORTS_LOCAL_ROOM_H_
