#ifndef CCL_COMMUNICATOR_H_
#define CCL_COMMUNICATOR_H_

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/team.h"

namespace ccl {

class Repeats;

// One rank of a team. All ranks make their collective calls in the same order. Operations are
// queued, in order, and never block; Synchronize waits.
class Communicator {
 public:
  // Of a world. The calling thread drives the rank from now on.
  static absl::StatusOr<std::unique_ptr<Communicator>> Create(const std::shared_ptr<World>& world, int rank);
  // Of a team that has been formed; `rank` is the team's.
  static std::unique_ptr<Communicator> Of(std::shared_ptr<Team> team, int rank);
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return rank_; }
  uint64_t calls() const { return calls_; }  // of collectives, so far
  int ranks() const { return team_->ranks(); }
  int world_rank() const { return team_->map().world(rank_); }
  World& world() const { return team_->world(); }
  const std::shared_ptr<World>& shared_world() const { return team_->shared_world(); }
  const std::shared_ptr<Team>& team() const { return team_; }
  // What fails with it.
  const std::shared_ptr<Scope>& scope() { return scope_; }
  // OK, or the first error of the world or of this communicator.
  absl::Status error() { return world().engine().error(*scope_); }
  // Where it is talked about; made when it is first asked for.
  const std::shared_ptr<Control>& control();
  // Ends what is under way: nothing can be asked of it any more.
  void Stop(const absl::Status& error);
  Stream* stream() { return stream_.get(); }  // the communicator's own

  // The last operations, and what those under way wait for, as JSON. `why` it is asked for.
  std::string FlightJson(absl::string_view why);
  // Likewise, by who holds the lock of the engine; `failed` is the communicator's error or the world's.
  std::string FlightJson(absl::string_view why, Time now, const absl::Status& failed);
  // Bytes that it takes beside its operations.
  uint64_t memory() const;

  // OK, or what is wrong with a request: null buffers, a root out of range, counts whose bytes do
  // not fit, in-place pointers that overlap wrongly. Fills in what the communicator decides.
  absl::Status Validate(Request& request) const;
  // Likewise, of what does not hang on buffers and blocks.
  absl::Status ValidateCall(const Request& request) const;
  // The plan for a request.
  absl::StatusOr<std::shared_ptr<const Plan>> PlanFor(const Request& request, Choice choice);
  // How long it is predicted to take, in picoseconds; infinite where there is no formula.
  double Predict(const Request& request, const Plan& plan) const;
  // The work of a valid request, by its plan.
  // `again`, if not null: the plan is of this choice, and Repeat may take the work for another call of the kind.
  absl::StatusOr<std::unique_ptr<Work>> Make(const Request& request,
                                             const std::shared_ptr<const Plan>& plan, const Choice* again = nullptr);
  absl::StatusOr<std::unique_ptr<Work>> Make(const Request& request, const Choice& choice);
  // Starts a call of which Make has had the like and which has ended, with OK or the error of the world
  // or the communicator. Nothing when there is none such or something is wrong with the buffers. Takes
  // no memory.
  std::optional<absl::Status> Repeat(const PlainRequest& request, const Choice& choice, Stream* stream);
  // Point-to-point messages in the order of their calls. They and the work of Make are numbered when
  // they are made, and the numbers pair them with the other ranks': make only what will be enqueued,
  // in the order of the calls. `Unmake` takes the last collective's number back.
  std::unique_ptr<Work> MakeExchange(std::vector<Exchange::Message> messages);
  void Unmake();
  // Keeps a record of work that is of one message, and called `name`.
  void RecordMessage(Work& work, const char* name, uint64_t bytes, int peer);
  // The wire channel of the next send to (or receive from) a peer.
  uint16_t NextChannel(bool sends, int peer);

  // Validate, Make and enqueue on the communicator's own stream.
  absl::Status Run(Request request, const Choice& choice = {});
  absl::Status Synchronize();
  // Nothing is under way on its own stream, and nothing has failed.
  bool Idle();

 private:
  Communicator(std::shared_ptr<Team> team, int rank);
  uint64_t MostBytes() const;
  bool records() const;
  // Fills in all but the number of the record of the next call.
  void Describe(const Request& request, const std::shared_ptr<const Plan>& plan, FlightRecord& record) const;
  // Whether it is worth keeping what such a call was.
  bool Keeps(const Request& request) const;
  void Record(Work& work, const FlightRecord& record);

  const std::shared_ptr<Team> team_;
  const int rank_;
  const std::shared_ptr<Scope> scope_;
  const std::unique_ptr<Stream> stream_;
  std::shared_ptr<Control> control_;
  std::shared_ptr<FlightRing> flight_;      // made with the first operation
  const uint32_t channels_;                 // of the backend
  bool dumps_ = false;                      // by itself, when it fails
  uint64_t calls_ = 0;                      // collectives so far
  struct Pairs {
    absl::flat_hash_map<int, uint64_t> sends, receives;
  };
  std::unique_ptr<Pairs> pairs_;            // point-to-point calls so far, by peer; made with the first
  std::unique_ptr<Repeats> repeats_;        // made with the first call that can run again
};

}  // namespace ccl

#endif  // CCL_COMMUNICATOR_H_
