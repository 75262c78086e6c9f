#include "tests/transports/ensemble.h"

#include <functional>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ccl/backend/open.h"
#include "ccl/base/status.h"

namespace ccl {
namespace {

// What is collective is called by all at once.
absl::Status OfAll(size_t ranks, const std::function<absl::Status(size_t rank)>& call) {
  std::vector<absl::Status> statuses(ranks);
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] { statuses[rank] = call(rank); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : statuses) CCL_RETURN_IF_ERROR(status);
  return absl::OkStatus();
}

class Ensemble final : public Backend {
 public:
  explicit Ensemble(std::vector<std::unique_ptr<Backend>> ranks) : backends_(std::move(ranks)), all_(backends_.size()) {
    std::iota(all_.begin(), all_.end(), 0);
  }

  absl::string_view name() const override { return backends_[0]->name(); }
  int ranks() const override { return backends_[0]->ranks(); }
  absl::Span<const int> local_ranks() const override { return all_; }
  const Topology& topology() const override { return backends_[0]->topology(); }
  Abilities abilities() const override { return backends_[0]->abilities(); }
  Time Now() const override { return backends_[0]->Now(); }
  void Post(int rank, absl::Span<const Operation> operations) override {
    backends_[static_cast<size_t>(rank)]->Post(rank, operations);
  }
  absl::Status Poll(Waiting, std::vector<Completion>& done) override {
    for (const auto& backend : backends_) CCL_RETURN_IF_ERROR(backend->Poll(Waiting::kNo, done));
    return absl::OkStatus();
  }
  absl::Status ShareFromRankZero(std::string& bytes) override {
    std::vector<std::string> said(backends_.size(), bytes);
    const absl::Status status = OfAll(backends_.size(), [&](size_t rank) { return backends_[rank]->ShareFromRankZero(said[rank]); });
    bytes = said.back();
    return status;
  }
  absl::Status Agree(const absl::Status& own) override {
    return OfAll(backends_.size(), [&](size_t rank) { return backends_[rank]->Agree(own); });
  }

 private:
  const std::vector<std::unique_ptr<Backend>> backends_;
  std::vector<int> all_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> OpenEnsemble(absl::string_view url, int ranks) {
  std::vector<std::unique_ptr<Backend>> backends(static_cast<size_t>(ranks));
  CCL_RETURN_IF_ERROR(OfAll(backends.size(), [&](size_t rank) -> absl::Status {
    CCL_ASSIGN_OR_RETURN(backends[rank], OpenBackend(url, {.ranks = ranks, .rank = static_cast<int>(rank)}));
    return absl::OkStatus();
  }));
  return std::unique_ptr<Backend>(new Ensemble(std::move(backends)));
}

}  // namespace ccl
