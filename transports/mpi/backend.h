#ifndef TRANSPORTS_MPI_BACKEND_H_
#define TRANSPORTS_MPI_BACKEND_H_

#include <mpi.h>

#include <memory>
#include <string>
#include <vector>

#include "ccl/backend/arena.h"
#include "ccl/backend/backend.h"
#include "transports/admission.h"
#include "transports/clock.h"
#include "transports/location.h"
#include "transports/mpi/peers.h"
#include "transports/mpi/session.h"
#include "transports/staging.h"
#include "transports/mpi/tag.h"
#include "transports/shm/endpoint.h"

namespace ccl::mpi {

// One rank per process of a duplicate of an MPI communicator. Messages travel as head.h says: heads
// in the order of posting under the tag of their (context, channel), so that MPI's order of
// matching is the one that Backend promises; bodies on a communicator of their own, straight from
// and to the caller's memory when the message is one piece, else through staging. Ranks of one host do
// not go through MPI: they have an shm::Endpoint, which does group operations among them too.
class MpiBackend final : public Backend, private Tenant {
 public:
  // Collective over `parent`; blocks. `ranks` 0: any number.
  // `shares`: ranks of a host share memory if they can, this process's `arena` among it.
  static absl::StatusOr<std::unique_ptr<Backend>> Open(MPI_Comm parent, int ranks, bool shares,
                                                       const ArenaPlace& arena);
  // Does not wait for peers. Receives in flight are cancelled; their memory may be reused.
  ~MpiBackend() override;

  absl::string_view name() const override { return "mpi"; }
  int ranks() const override { return ranks_; }
  absl::Span<const int> local_ranks() const override { return {&rank_, 1}; }
  const Topology& topology() const override { return topology_; }
  // As many contexts and channels as this MPI's tags hold.
  Abilities abilities() const override {
    return {.group_operations = endpoint_ != nullptr, .contexts = tags_.contexts(),
            .channels = tags_.channels(), .threads = Level()};
  }
  Time Now() const override { return clock_.Now(); }
  void Post(int rank, absl::Span<const Operation> operations) override;
  absl::Status Poll(Waiting waiting, std::vector<Completion>& done) override;
  absl::Status ShareFromRankZero(std::string& bytes) override;
  absl::Status Agree(const absl::Status& own) override;
  absl::StatusOr<std::unique_ptr<Backend>> Survivors(absl::Span<const int> ranks) override;

 private:
  absl::Status Share(int root, std::string& bytes);

  static constexpr uint32_t kHead = UINT32_MAX;

  // In flight. Kept in an array and used again, with the memory of `scatter`.
  struct Message {
    OperationKind kind;
    uint16_t channel;
    int32_t peer;
    uint32_t context;
    uint64_t bytes;
    uint64_t token;
    Consumer* consumer;
    std::byte* memory;           // all bytes in one piece: the caller's or staging's; may be null
    Staging::Block head;         // data == nullptr: the head is sent from `memory`
    Staging::Block staging;      // data == nullptr: none
    std::vector<Piece> scatter;  // where a receive of several pieces goes
    uint32_t requests_left;
  };
  struct Part {
    uint32_t message;
    uint32_t segment;  // of the body; kHead
  };

  MpiBackend(MPI_Comm heads, MPI_Comm bodies, int rank, int ranks, int tag_upper_bound, const ArenaPlace& arena);
  absl::Status DiscoverTopology(bool shares);
  // Collective over `host`, the ranks of this one.
  absl::Status ShareMemory(MPI_Comm host, absl::Span<const Location> locations);
  absl::Status WatchPeers(absl::Span<const Location> locations);

  // Something is under way that waits for others.
  bool waits() const { return !requests_.empty() || (endpoint_ != nullptr && endpoint_->busy()); }
  void Advance(std::vector<Completion>& done);
  void LookForDead();
  void PostSend(const Operation& operation);
  void PostRecv(const Operation& operation);
  uint32_t NewMessage(const Operation& operation);
  void IssueHead(uint32_t message, std::byte* data, uint64_t bytes);
  void IssueBody(uint32_t message, int tag);
  void Track(MPI_Request request, Part part);
  void Test(std::vector<Completion>& done);
  void Arrived(Part part, const MPI_Status& status, std::vector<Completion>& done);
  // True when the head is of the message that is expected; else the backend has failed.
  bool HeadFits(const Message& m, int head_bytes);
  void Deliver(Message& m);
  void Complete(uint32_t message, std::vector<Completion>& done);
  void AbandonRequests();

  void Fail(absl::Status status);
  std::string Describe(OperationKind kind, int peer, uint32_t context, uint16_t channel,
                       uint64_t bytes) const;
  std::string Describe(const Message& m) const {
    return Describe(m.kind, m.peer, m.context, m.channel, m.bytes);
  }
  bool idle() const override { return status_.ok() && !waits(); }

  const MPI_Comm heads_;
  const MPI_Comm bodies_;
  const int rank_;
  const int ranks_;
  const TagScheme tags_;
  const ArenaPlace arena_;
  Admission admission_;
  Topology topology_;
  mutable Clock clock_;
  absl::Status status_;  // the first error

  std::vector<Message> messages_;
  std::vector<uint32_t> free_messages_;
  std::vector<MPI_Request> requests_;  // active ones
  std::vector<Part> parts_;            // what requests_[i] is
  std::vector<int> indices_;           // MPI_Testsome's answers, at least as long as requests_
  std::vector<MPI_Status> statuses_;
  std::vector<Completion> ready_;  // completed while posted
  int next_body_tag_ = 0;
  Peers peers_;
  std::unique_ptr<shm::Endpoint> endpoint_;  // null: all messages go through MPI
  bool shares_ = true;                       // memory, where it can
  bool elsewhere_ = true;                    // some ranks are reached through MPI
  Staging staging_{size_t{128} << 20};
};

}  // namespace ccl::mpi

#endif  // TRANSPORTS_MPI_BACKEND_H_
