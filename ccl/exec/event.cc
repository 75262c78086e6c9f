#include "ccl/exec/event.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ccl {
namespace {

thread_local bool in_host_call = false;

// Wakes whoever waits for `recording` or an earlier one.
void Reach(Event& event, uint64_t recording) {
  if (event.done < recording) event.done = recording;
  std::erase_if(event.waiting, [&](const Event::Waiting& waiting) {
    if (waiting.recording > recording) return false;
    waiting.ready->push_back(waiting.token);
    return true;
  });
}

class Record final : public Work {
 public:
  Record(std::shared_ptr<Event> event, int rank)
      : event_(std::move(event)), rank_(rank), recording_(++event_->asked) {}
  // Dropped, it will never be reached; nobody waits for it for ever.
  ~Record() override {
    if (!done_) Reach(*event_, recording_);
  }
  void Start(Backend& backend) override {
    done_ = true;
    event_->time = backend.Now();
    Reach(*event_, recording_);
  }
  void Complete(uint64_t, Backend&) override {}
  bool done() const override { return done_; }
  size_t outstanding() const override { return 0; }
  std::string Describe() const override { return absl::StrCat("rank ", rank_, " records an event"); }

 private:
  const std::shared_ptr<Event> event_;
  const int rank_;
  const uint64_t recording_;
  bool done_ = false;
};

class Await final : public Work {
 public:
  Await(std::shared_ptr<Event> event, int rank)
      : event_(std::move(event)), rank_(rank), recording_(event_->asked) {}
  ~Await() override {
    if (!started_ || done_) return;
    std::erase_if(event_->waiting, [&](const Event::Waiting& w) { return w.token == Token(0); });
  }
  void Start(Backend&) override {
    started_ = true;
    done_ = event_->done >= recording_;
    if (!done_) event_->waiting.push_back({recording_, Token(0), &workspace().ready});
  }
  void Complete(uint64_t, Backend&) override { done_ = true; }
  bool done() const override { return done_; }
  size_t outstanding() const override { return 0; }
  std::string Describe() const override {
    return absl::StrCat("rank ", rank_, " waits for an event that another stream has not reached");
  }

 private:
  const std::shared_ptr<Event> event_;
  const int rank_;
  const uint64_t recording_;
  bool started_ = false, done_ = false;
};

class HostCall final : public Work {
 public:
  HostCall(void (*function)(void*), void* argument, int rank)
      : function_(function), argument_(argument), rank_(rank) {}
  void Start(Backend&) override {
    in_host_call = true;
    function_(argument_);
    in_host_call = false;
    done_ = true;
  }
  void Complete(uint64_t, Backend&) override {}
  bool done() const override { return done_; }
  size_t outstanding() const override { return 0; }
  std::string Describe() const override { return absl::StrCat("rank ", rank_, " in a host function"); }

 private:
  void (*const function_)(void*);
  void* const argument_;
  const int rank_;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<Work> MakeRecord(std::shared_ptr<Event> event, int rank) {
  return std::make_unique<Record>(std::move(event), rank);
}
std::unique_ptr<Work> MakeAwait(std::shared_ptr<Event> event, int rank) {
  return std::make_unique<Await>(std::move(event), rank);
}
std::unique_ptr<Work> MakeHostCall(void (*function)(void*), void* argument, int rank) {
  return std::make_unique<HostCall>(function, argument, rank);
}
bool InHostCall() { return in_host_call; }

}  // namespace ccl
