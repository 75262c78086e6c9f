// What the engine does about work that does not end: deadlocks in virtual time, timeouts in real time.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/exec/engine.h"

namespace ccl {
namespace {

constexpr Time kMillisecond = 1'000'000'000;
constexpr Time kBetweenChecks = 20 * kMillisecond;

// A way from rank to rank that comes back to where it has been, or ends at one that waits for nobody.
std::string FollowWaits(const std::vector<Wait>& waits) {
  std::map<int, const Wait*> next;
  for (const Wait& wait : waits) next.emplace(wait.rank, &wait);
  std::map<int, int> seen;  // in which walk
  std::string chain;
  int walk = 0;
  for (const Wait& from : waits) {
    ++walk;
    std::vector<const Wait*> path;
    int at = from.rank;
    while (next.contains(at) && !seen.contains(at)) {
      seen[at] = walk;
      path.push_back(next[at]);
      at = path.back()->peer;
    }
    const bool closes = seen.contains(at) && seen[at] == walk && next.contains(at);
    if (path.empty() || (!closes && !chain.empty())) continue;
    std::string text;
    const auto begin = std::find_if(path.begin(), path.end(),
                                    [&](const Wait* wait) { return !closes || wait->rank == at; });
    int shown = 0;
    for (auto it = begin; it != path.end() && shown < 16; ++it, ++shown) {
      absl::StrAppend(&text, "rank ", (*it)->rank, (*it)->sends ? " sends to " : " receives from ",
                      (*it)->peer, ", ");
    }
    if (closes) {
      return absl::StrCat(" They wait in a cycle: ", text, "and so on",
                          path.end() - begin > 16 ? absl::StrCat(" through ", path.end() - begin, " ranks") : "",
                          ".");
    }
    if (!next.contains(at)) chain = absl::StrCat(" There is no cycle: ", text, "which waits for nobody.");
  }
  return chain;
}

}  // namespace

std::string Engine::Deadlock() const {
  std::string text = absl::StrCat("deadlock: every rank waits and nothing is under way.",
                                  FollowWaits(backend_->Unmatched()));
  int shown = 0;
  std::vector<bool> busy(ranks_, false);
  for (const Slot& slot : running_) {
    const Stream* stream = slot.stream;
    if (stream == nullptr) continue;
    busy[stream->rank] = true;
    if (shown++ < 8) absl::StrAppend(&text, " ", stream->queue.front().Describe(), ".");
  }
  std::string idle;
  for (int rank : backend_->local_ranks()) {
    if (!busy[rank]) absl::StrAppend(&idle, " ", rank);
    if (idle.size() > 100) break;
  }
  if (!idle.empty()) {
    absl::StrAppend(&text, " Ranks that posted nothing:", idle,
                    ". One thread that drives several ranks starts their operations between "
                    "cclGroupStart and cclGroupEnd.");
  }
  return text;
}

void Engine::Failed() {
  TellWaiters();
  if (on_failure_) on_failure_(backend_->Now(), error_.status());
}

// Everything with work under way, that is.
void Engine::FailWaiting(const absl::Status& error) {
  for (const Slot& slot : running_) {
    if (slot.stream == nullptr) continue;
    (slot.stream->scope == nullptr ? error_ : slot.stream->scope->error).Set(error);
  }
  Failed();
}

void Engine::CheckTimeouts() {
  const Time now = backend_->Now();
  if (now - checked_at_ < kBetweenChecks) return;
  checked_at_ = now;
  std::vector<Scope*> drops;
  for (const Slot& slot : running_) {
    if (slot.stream == nullptr || slot.stream->scope == nullptr) continue;
    Scope& scope = *slot.stream->scope;
    if (scope.timeout == 0 || !scope.error.ok() || now - slot.started < scope.timeout) continue;
    scope.error.Set(absl::DeadlineExceededError(absl::StrCat(
        slot.work->Describe(), ": it has not ended within ", scope.timeout / kMillisecond, " ms; ",
        scope.ended, " operations of the communicator ended before it")));
    if (scope.drops) drops.push_back(&scope);
    Failed();
  }
  for (Scope* scope : drops) {
    for (Stream* stream : scope->streams()) {
      Forget(stream);
      Settle();
    }
  }
  ReleaseWaiters();
}

void Engine::Fail(Scope& scope, const absl::Status& error) {
  const Entry lock(*this);
  if (!scope.error.ok()) return;
  scope.error.Set(error);
  Failed();
  ReleaseWaiters();
}

}  // namespace ccl
