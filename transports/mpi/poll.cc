// How a rank waits.
#include <sched.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "transports/mpi/backend.h"
#include "transports/pause.h"

namespace ccl::mpi {
namespace {

constexpr std::chrono::microseconds kLongestWait(1000);
// Giving up the core costs as much as some ten tests; most answers come within a few round trips.
constexpr int kTestsPerYield = 32;

}  // namespace

absl::Status MpiBackend::Poll(Waiting waiting, std::vector<Completion>& done) {
  if (!status_.ok()) return status_;
  const size_t before = done.size();
  done.insert(done.end(), ready_.begin(), ready_.end());
  ready_.clear();
  if (waiting == Waiting::kBriefly) {
    if (done.size() > before) return status_;
    if (endpoint_ != nullptr && requests_.empty()) Fail(endpoint_->ProgressBriefly(done));
    return status_;
  }
  Advance(done);
  if (done.size() > before || !status_.ok()) return status_;
  if (waiting == Waiting::kNo) {
    LookForDead();
    return status_;
  }
  // Ranks may outnumber the cores: whoever has nothing to do soon makes room for the others.
  // MPI moves nothing while nobody calls it: who waits for it does not sleep.
  const bool sleeps = endpoint_ != nullptr && requests_.empty();
  // To ask for the time takes as long as many looks: most answers come before it is asked for.
  std::chrono::nanoseconds deadline{0};
  while (true) {
    const int looks = sleeps ? endpoint_->looks() : kTestsPerYield;
    for (int i = 0; i < looks && done.size() == before && status_.ok(); ++i) {
      Pause();
      Advance(done);
    }
    if (done.size() > before || !status_.ok()) return status_;
    if (!sleeps) sched_yield();
    const std::chrono::nanoseconds now = sleeps ? std::chrono::nanoseconds(endpoint_->patience().Wait())
                                                : std::chrono::steady_clock::now().time_since_epoch();
    if (deadline.count() == 0) deadline = now + kLongestWait;
    if (!waits() || now >= deadline) break;
  }
  LookForDead();
  return status_;
}

void MpiBackend::Advance(std::vector<Completion>& done) {
  if (endpoint_ != nullptr) Fail(endpoint_->Progress(done));
  if (elsewhere_ && status_.ok()) Test(done);
}

void MpiBackend::LookForDead() {
  if (!status_.ok() || !waits()) return;
  const int dead = peers_.FirstDead();
  if (dead < 0) return;
  AbandonFinalize();
  Fail(absl::UnavailableError(absl::StrCat("rank ", rank_, ": rank ", dead, " (process ",
                                           peers_.IdOf(dead), " on this host) has died")));
}

}  // namespace ccl::mpi
