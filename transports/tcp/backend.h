#ifndef TRANSPORTS_TCP_BACKEND_H_
#define TRANSPORTS_TCP_BACKEND_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ccl/backend/backend.h"
#include "transports/admission.h"
#include "transports/clock.h"
#include "transports/location.h"
#include "transports/shm/endpoint.h"
#include "transports/tcp/links.h"
#include "transports/tcp/meeting.h"
#include "transports/tcp/settings.h"

namespace ccl::tcp {

// One rank per process. Ranks of one host share memory, through an shm::Endpoint, which does group
// operations among them too; all others have TCP connections. Those of the same host have one as well:
// what processes tell each other outside of operations goes over it, and when it ends, so has the peer.
class TcpBackend final : public Backend {
 public:
  // Collective over the ranks that meet at `place`; blocks until all are there.
  static absl::StatusOr<std::unique_ptr<Backend>> Open(const Settings& settings, const Place& place);

  absl::string_view name() const override { return settings_.one_host ? "shm" : "tcp"; }
  int ranks() const override { return settings_.ranks; }
  absl::Span<const int> local_ranks() const override { return {&settings_.rank, 1}; }
  const Topology& topology() const override { return topology_; }
  Abilities abilities() const override {
    return {.group_operations = endpoint_ != nullptr, .contexts = kContexts, .channels = kChannels};
  }
  Time Now() const override { return clock_.Now(); }
  void Post(int rank, absl::Span<const Operation> operations) override;
  absl::Status Poll(Waiting waiting, std::vector<Completion>& done) override;
  absl::Status ShareFromRankZero(std::string& bytes) override { return Share(0, bytes); }
  absl::Status Agree(const absl::Status& own) override;
  // They meet at the door that the first of them has kept open, so that `ranks` may be any.
  absl::StatusOr<std::unique_ptr<Backend>> Survivors(absl::Span<const int> ranks) override;

 private:
  static constexpr uint32_t kContexts = 1 << 19, kChannels = 1 << 12;

  TcpBackend(const Settings& settings, Table table, std::shared_ptr<Listener> door,
             std::vector<std::vector<int>> sockets);
  static std::vector<std::string> Names(const Table& table);
  absl::Status DiscoverTopology();
  absl::Status ShareMemory(absl::Span<const Location> locations);

  // poll.cc
  void Advance(std::vector<Completion>& done);
  void LookForLeft();
  absl::Status WaitForMemory(std::vector<Completion>& done);
  absl::Status WaitForSockets(std::vector<Completion>& done);

  // agree.cc: messages of the transport's own, over TCP. They block; what completes meanwhile is kept.
  absl::Status Share(int root, std::string& bytes);
  // Equally long texts of all ranks, in order, on all of them.
  absl::Status Gather(absl::string_view own, std::string& all);
  absl::Status Tell(int peer, absl::string_view bytes);
  absl::Status Hear(int peer, char* bytes, size_t count);
  absl::Status Control(const Operation& operation);

  void Fail(absl::Status status);

  const Settings settings_;
  const Table table_;
  const std::shared_ptr<Listener> door_;
  Admission admission_;
  Topology topology_;
  mutable Clock clock_;
  absl::Status status_;            // the first error
  std::vector<Completion> ready_;  // completed while posted, or while something else was waited for
  Links links_;
  std::unique_ptr<shm::Endpoint> endpoint_;  // null: all messages go over TCP
  std::vector<int> here_;                    // other ranks that share memory with this one
  bool crowded_ = false;                     // ranks of this host are more than its processors
  bool elsewhere_ = true;                    // some ranks are reached over TCP
  uint32_t passes_ = 0;                      // that have not looked at sockets
  Time left_since_ = 0;                      // somebody here has, and is waited for
};

}  // namespace ccl::tcp

#endif  // TRANSPORTS_TCP_BACKEND_H_
