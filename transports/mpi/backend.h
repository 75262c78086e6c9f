#ifndef TRANSPORTS_MPI_BACKEND_H_
#define TRANSPORTS_MPI_BACKEND_H_

#include <mpi.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ccl/backend/backend.h"
#include "transports/mpi/session.h"
#include "transports/mpi/staging.h"
#include "transports/mpi/tag.h"

namespace ccl::mpi {

// One rank per process of a duplicate of an MPI communicator. A message of one piece travels
// straight from and to the caller's memory; one of several pieces, and every receive that is to be
// reduced, passes through staging. All of a message's segments are handed to MPI while it is
// posted, so MPI's own order of matching is the one that Backend promises.
class MpiBackend final : public Backend, private Tenant {
 public:
  // Collective over `parent`; blocks. `ranks` 0: any number.
  static absl::StatusOr<std::unique_ptr<Backend>> Open(MPI_Comm parent, int ranks);
  // Does not wait for peers. Receives in flight are cancelled; their memory may be reused.
  ~MpiBackend() override;

  absl::string_view name() const override { return "mpi"; }
  int ranks() const override { return ranks_; }
  absl::Span<const int> local_ranks() const override { return {&rank_, 1}; }
  const Topology& topology() const override { return topology_; }
  Abilities abilities() const override { return Abilities{}; }
  Time Now() const override;
  void Post(int rank, absl::Span<const Operation> operations) override;
  absl::Status Poll(Waiting waiting, std::vector<Completion>& done) override;
  absl::Status ShareFromRankZero(std::string& bytes) override;

 private:
  // In flight. Kept in an array and used again, with the memory of `scatter`.
  struct Message {
    OperationKind kind;
    uint16_t channel;
    int32_t peer;
    uint32_t context;
    uint64_t bytes;
    uint64_t token;
    Consumer* consumer;
    Staging::Block staging;      // data == nullptr: none
    std::vector<Piece> scatter;  // where a staged receive goes
    uint32_t segments_left;
  };
  struct Segment {
    uint32_t message;
    uint32_t index;
    uint64_t sequence;  // of posting
  };
  // A receive that is not as long as its message.
  struct Misfit {
    Segment segment;
    int64_t bytes = 0;  // of the segment that came; -1: longer than expected, MPI says not how long
  };

  MpiBackend(MPI_Comm communicator, int rank, int ranks, int tag_upper_bound)
      : communicator_(communicator), rank_(rank), ranks_(ranks), tags_(tag_upper_bound) {}
  absl::Status DiscoverTopology();

  // True when `operation` may be posted; else the backend has failed.
  bool Admits(const Operation& operation, uint64_t pieces_bytes);
  void PostSend(const Operation& operation);
  void PostRecv(const Operation& operation);
  uint32_t NewMessage(const Operation& operation);
  void Issue(uint32_t message, std::byte* data);
  void Test(std::vector<Completion>& done);
  void Arrived(Segment segment, const MPI_Status& status, int code,
               std::vector<Completion>& done);
  void NoteMisfit(const Misfit& misfit);
  void ReportMisfit();
  void Complete(uint32_t message, std::vector<Completion>& done);
  void AbandonRequests();

  void Fail(absl::Status status);
  std::string Describe(OperationKind kind, int peer, uint32_t context, uint16_t channel,
                       uint64_t bytes) const;
  std::string Describe(const Message& m) const {
    return Describe(m.kind, m.peer, m.context, m.channel, m.bytes);
  }
  bool idle() const override { return status_.ok() && requests_.empty(); }

  const MPI_Comm communicator_;
  const int rank_;
  const int ranks_;
  const TagScheme tags_;
  Topology topology_;
  absl::Status status_;  // the first error

  std::vector<Message> messages_;
  std::vector<uint32_t> free_messages_;
  std::vector<MPI_Request> requests_;  // active ones
  std::vector<Segment> segments_;      // what requests_[i] is
  std::vector<int> indices_;           // MPI_Testsome's answers, at least as long as requests_
  std::vector<MPI_Status> statuses_;
  std::vector<Completion> ready_;  // completed while posted
  uint64_t next_sequence_ = 0;
  std::optional<Misfit> misfit_;
  Staging staging_{size_t{128} << 20};
};

}  // namespace ccl::mpi

#endif  // TRANSPORTS_MPI_BACKEND_H_
