#ifndef TRANSPORTS_LOCAL_BACKEND_H_
#define TRANSPORTS_LOCAL_BACKEND_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "ccl/backend/backend.h"
#include "transports/admission.h"
#include "transports/clock.h"
#include "transports/local/room.h"
#include "transports/location.h"
#include "transports/shm/endpoint.h"

namespace ccl::local {

// One rank of a job whose ranks are threads of this process, each with a backend of its own: what stands
// between them is an shm::Endpoint, which lends everything that is long.
class LocalBackend final : public Backend {
 public:
  // Collective over the ranks of `name`; blocks until all are there, up to `timeout`.
  static absl::StatusOr<std::unique_ptr<Backend>> Open(absl::string_view name, int ranks, int rank,
                                                       std::chrono::milliseconds timeout);
  ~LocalBackend() override;

  absl::string_view name() const override { return "local"; }
  int ranks() const override { return topology_.ranks; }
  absl::Span<const int> local_ranks() const override { return {&rank_, 1}; }
  const Topology& topology() const override { return topology_; }
  Abilities abilities() const override {
    return {.group_operations = true, .contexts = kContexts, .channels = kChannels};
  }
  Time Now() const override { return clock_.Now(); }
  void Post(int rank, absl::Span<const Operation> operations) override;
  absl::Status Poll(Waiting waiting, std::vector<Completion>& done) override;
  absl::Status ShareFromRankZero(std::string& bytes) override;
  absl::Status Agree(const absl::Status& own) override;
  absl::StatusOr<std::unique_ptr<Backend>> Survivors(absl::Span<const int> ranks) override;

 private:
  static constexpr uint32_t kContexts = 1 << 19, kChannels = 1 << 12;

  LocalBackend(std::shared_ptr<Room> room, int rank, absl::Span<const Location> locations,
               std::chrono::milliseconds timeout);
  void Fail(absl::Status status);
  void LookForLeft(std::vector<Completion>& done);

  const std::shared_ptr<Room> room_;
  const int rank_;
  const std::chrono::milliseconds timeout_;
  Admission admission_;
  const Topology topology_;
  mutable Clock clock_;
  absl::Status status_;            // the first error
  std::vector<Completion> ready_;  // completed while posted
  std::unique_ptr<shm::Endpoint> endpoint_;
};

}  // namespace ccl::local

#endif  // TRANSPORTS_LOCAL_BACKEND_H_
