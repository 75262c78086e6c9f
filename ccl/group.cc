#include "ccl/group.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ccl/plan/cost.h"

namespace ccl {

void Group::Fail(const absl::Status& status) {
  if (error_.ok()) error_ = status;
}

void Group::AddCollective(Communicator& communicator, Stream* stream, std::unique_ptr<Work> work,
                          std::shared_ptr<const Plan> plan, uint64_t bytes) {
  pending_.push_back({&communicator, stream, std::move(work)});
  pending_.back().plan = std::move(plan);
  pending_.back().bytes = bytes;
}

void Group::AddWork(Communicator& communicator, Stream* stream, std::unique_ptr<Work> work, Time time) {
  pending_.push_back({&communicator, stream, std::move(work)});
  pending_.back().time = time;
}

void Group::AddMessage(Communicator& communicator, Stream* stream,
                       const Exchange::Message& message) {
  auto last = std::find_if(pending_.rbegin(), pending_.rend(),
                           [&](const Pending& item) { return item.stream == stream; });
  if (last == pending_.rend() || last->work != nullptr) {
    pending_.push_back({&communicator, stream, nullptr});
    last = pending_.rbegin();
  }
  last->messages.push_back(message);
  last->order.push_back(messages_++);
}

absl::Status Group::Leave() {
  if (--depth_ > 0) return absl::OkStatus();
  std::vector<Pending> pending = std::exchange(pending_, {});
  std::vector<Forming> forming = std::exchange(forming_, {});
  absl::Status error = std::exchange(error_, absl::OkStatus());
  if (!error.ok()) {
    Unmake(pending);
    for (const Forming& item : forming) item.end(error, nullptr);
    return error;
  }
  NumberMessages(pending);
  Start(pending);
  return Form(forming);
}

double Group::Predict(const Pending& item) {
  Team& team = *item.communicator->team();
  if (item.plan != nullptr) {
    const ProgramInfo& info = item.plan->program->info();
    return team.planner().Predict(item.plan->spec, info.collective, item.bytes, info.root);
  }
  if (item.messages.empty()) return static_cast<double>(item.time);
  std::vector<PeerMessage> messages;
  for (const Exchange::Message& message : item.messages) {
    messages.push_back({message.peer, message.sends, message.bytes});
  }
  return PredictExchange(messages, item.communicator->rank(), team.topology());
}

absl::Status Group::Simulate(double& picoseconds) {
  picoseconds = 0;
  if (--depth_ > 0) return absl::OkStatus();
  std::vector<Pending> pending = std::exchange(pending_, {});
  std::vector<Forming> forming = std::exchange(forming_, {});
  absl::Status error = std::exchange(error_, absl::OkStatus());
  if (error.ok() && !forming.empty()) {
    error = absl::FailedPreconditionError("a group that makes communicators cannot be simulated");
  }
  std::map<std::pair<const World*, int>, double> ranks;
  for (const Pending& item : pending) {
    Communicator& communicator = *item.communicator;
    double& time = ranks[{&communicator.world(), communicator.world_rank()}];
    picoseconds = std::max(picoseconds, time += Predict(item));
  }
  Unmake(pending);
  for (const Forming& item : forming) item.end(error, nullptr);
  return error;
}

// All are begun before any is waited for: what one rank asks may hang on another's.
absl::Status Group::Form(std::vector<Forming>& list) {
  absl::Status error;
  std::vector<std::unique_ptr<Formation>> formations;
  std::vector<Formation*> waits;
  for (const Forming& item : list) {
    auto begun = item.begin();
    if (!begun.ok()) {
      error = begun.status();
      break;
    }
    formations.push_back(*std::move(begun));
    if (item.blocking) waits.push_back(formations.back().get());
  }
  if (error.ok()) error = Formation::Finish(waits);
  for (size_t i = 0; i < list.size(); ++i) {
    list[i].end(error, error.ok() ? std::move(formations[i]) : nullptr);
  }
  return error;
}

// What was numbered and will not run gives its number back: the communicators stay in step.
void Group::Unmake(std::vector<Pending>& pending) {
  for (Pending& item : pending) {
    if (item.plan != nullptr) item.communicator->Unmake();
  }
}

// Channels in the order of the calls, whatever streams they are on.
void Group::NumberMessages(std::vector<Pending>& pending) {
  std::vector<std::pair<uint64_t, std::pair<Communicator*, Exchange::Message*>>> calls;
  for (Pending& item : pending) {
    for (size_t i = 0; i < item.messages.size(); ++i) {
      calls.push_back({item.order[i], {item.communicator, &item.messages[i]}});
    }
  }
  std::sort(calls.begin(), calls.end());
  for (auto& [order, call] : calls) {
    call.second->channel = call.first->NextChannel(call.second->sends, call.second->peer);
  }
}

// The worlds of a group one after the other, each with all its streams at once.
void Group::Start(std::vector<Pending>& pending) {
  for (size_t i = 0; i < pending.size(); ++i) {
    if (pending[i].communicator == nullptr) continue;
    World& world = pending[i].communicator->world();
    std::vector<Stream*> streams;
    std::vector<std::unique_ptr<Work>> work;
    for (size_t k = i; k < pending.size(); ++k) {
      Pending& item = pending[k];
      if (item.communicator == nullptr || &item.communicator->world() != &world) continue;
      if (item.work == nullptr) item.work = item.communicator->MakeExchange(std::move(item.messages));
      streams.push_back(item.stream);
      work.push_back(std::move(item.work));
      item.communicator = nullptr;
    }
    world.engine().Enqueue(streams, std::move(work));
  }
}

}  // namespace ccl
