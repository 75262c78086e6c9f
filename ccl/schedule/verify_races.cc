#include "ccl/schedule/verify_races.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ccl {

RaceDetector::RaceDetector(int ranks, uint32_t lanes, uint32_t locations)
    : lanes_(lanes), accesses_(locations), issued_(lanes == 1 ? static_cast<size_t>(ranks) : 0) {
  if (lanes == 1) return;
  epochs_of_rank_.resize(static_cast<size_t>(ranks), std::vector<Batch>(1));
  lanes_of_rank_.resize(static_cast<size_t>(ranks) * lanes);
  for (Lane& lane : lanes_of_rank_) lane.clock.resize(lanes);
}

void RaceDetector::Begin(int rank, uint32_t lane, uint32_t batch, absl::Span<const Dep> deps) {
  lane_ = lane;
  if (lanes_ == 1) {
    epoch_ = ++issued_[static_cast<size_t>(rank)];
    return;
  }
  std::vector<Batch>& epochs = epochs_of_rank_[static_cast<size_t>(rank)];
  epoch_ = static_cast<uint32_t>(epochs.size());
  epochs.push_back({lane, batch});
  epochs_ = &epochs;
  Lane* const lanes = lanes_of_rank_.data() + static_cast<size_t>(rank) * lanes_;
  Lane& own = lanes[lane];
  clock_ = &own.clock;
  bool changed = false;
  const auto know = [&](uint32_t other, uint32_t ended) {
    if (own.clock[other] >= ended) return;
    own.clock[other] = ended;
    changed = true;
  };
  for (const Dep& dep : deps) {
    if (dep.lane == lane || dep.batches == 0) continue;
    know(dep.lane, dep.batches);
    // What the batch waited for had itself waited for. Not what its lane has waited for since.
    const Lane& other = lanes[dep.lane];
    const auto after =
        std::upper_bound(other.changed_at.begin(), other.changed_at.end(), dep.batches - 1);
    if (after == other.changed_at.begin()) continue;
    const size_t row = static_cast<size_t>(after - other.changed_at.begin() - 1) * lanes_;
    for (uint32_t l = 0; l < lanes_; ++l) know(l, other.clocks[row + l]);
  }
  if (!changed) return;
  own.changed_at.push_back(batch);
  own.clocks.insert(own.clocks.end(), own.clock.begin(), own.clock.end());
}

bool RaceDetector::SpillRead(Access& access, uint32_t step) {
  if ((access.read & kSpilled) == 0) {
    spilled_.push_back({access.read});
    access.read = kSpilled | static_cast<uint32_t>(spilled_.size() - 1);
  }
  std::vector<uint32_t>& reads = spilled_[access.read & ~kSpilled];
  if (reads.back() == epoch_) {
    access.reader = kMany;
    return true;
  }
  std::erase_if(reads, [this](uint32_t epoch) { return After(epoch); });
  reads.push_back(epoch_);
  access.reader = step;
  return true;
}

bool RaceDetector::AfterSpilled(const Access& access, uint32_t step, bool own) {
  for (const uint32_t epoch : spilled_[access.read & ~kSpilled]) {
    const bool ordered = epoch == epoch_ ? own && access.reader == step : After(epoch);
    if (!ordered) return Raced(epoch, "read");
  }
  return true;
}

std::string RaceDetector::Conflict() const {
  if (raced_with_ == epoch_) return absl::StrCat(did_, " in the same batch");
  const Batch& batch = (*epochs_)[raced_with_];
  return absl::StrCat(did_, " by lane ", batch.lane, " batch ", batch.batch,
                      ", which need not have ended");
}

}  // namespace ccl
