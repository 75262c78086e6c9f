// Calls that start together: what one thread asks for between cclGroupStart and cclGroupEnd.
#ifndef CCL_GROUP_H_
#define CCL_GROUP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "ccl/formation.h"

namespace ccl {

// Groups nest; operations start when the outermost one is left. Of one thread. Communicators and
// streams of what has been added must live until then.
class Group {
 public:
  bool open() const { return depth_ > 0; }
  void Enter() { ++depth_; }
  // Leaving the outermost group starts everything, or nothing if a call in it has failed: then the
  // first failure comes back, and the communicators are as if nothing had been asked for.
  absl::Status Leave();
  void Fail(const absl::Status& status);

  // Leaves the group, and if it is the outermost starts nothing: how long its operations are predicted
  // to take, in picoseconds. Those of one rank add up; the rank that takes longest counts. An inner
  // group's is 0. Errors as of Leave.
  absl::Status Simulate(double& picoseconds);

  // `work` is numbered, by Communicator::Make, of `plan`; `bytes` are OwnBytes.
  void AddCollective(Communicator& communicator, Stream* stream, std::unique_ptr<Work> work,
                     std::shared_ptr<const Plan> plan, uint64_t bytes);
  // Work that is of no use to other ranks; `time` is how long it takes.
  void AddWork(Communicator& communicator, Stream* stream, std::unique_ptr<Work> work, Time time = 0);
  // Messages of one stream with no other work between them are one exchange.
  void AddMessage(Communicator& communicator, Stream* stream, const Exchange::Message& message);
  // A communicator to be made of another one.
  struct Forming {
    bool blocking = true;  // the group ends when it is there
    std::function<absl::StatusOr<std::unique_ptr<Formation>>()> begin;
    // With OK and the formation, which is done if it is blocking, or with the error and null.
    std::function<void(const absl::Status&, std::unique_ptr<Formation>)> end;
  };
  void AddForming(Forming forming) { forming_.push_back(std::move(forming)); }

 private:
  struct Pending {
    Communicator* communicator;  // null once it has started
    Stream* stream;
    std::unique_ptr<Work> work;               // or messages:
    std::vector<Exchange::Message> messages = {};
    std::vector<uint64_t> order = {};         // of the messages among the group's calls
    std::shared_ptr<const Plan> plan = nullptr;  // the work is a collective, numbered
    uint64_t bytes = 0;                          // of it
    Time time = 0;                               // of other work
  };

  static double Predict(const Pending& item);
  void Unmake(std::vector<Pending>& pending);
  void NumberMessages(std::vector<Pending>& pending);
  void Start(std::vector<Pending>& pending);
  static absl::Status Form(std::vector<Forming>& list);

  int depth_ = 0;
  uint64_t messages_ = 0;
  std::vector<Pending> pending_;
  std::vector<Forming> forming_;
  absl::Status error_;
};

}  // namespace ccl

#endif  // CCL_GROUP_H_
