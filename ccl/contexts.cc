#include "ccl/contexts.h"

namespace ccl {

std::string ContextBlocks::Offer(uint64_t asks) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (std::find(asking_.begin(), asking_.end(), asks) == asking_.end()) asking_.push_back(asks);
  std::string offer(taken_.size() / 8 + 1, '\0');
  if (offered_ || asks != *std::min_element(asking_.begin(), asking_.end())) return offer;
  offered_ = true;
  offered_to_ = asks;
  for (size_t i = 0; i < taken_.size(); ++i) {
    if (!taken_[i]) offer[i / 8] = static_cast<char>(offer[i / 8] | 1 << i % 8);
  }
  // Says that this is an offer, and none with everything taken.
  offer[taken_.size() / 8] = static_cast<char>(offer[taken_.size() / 8] | 0x80);
  return offer;
}

uint32_t ContextBlocks::TakeCommon(const std::vector<absl::string_view>& offers) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (uint32_t i = 1; i < taken_.size(); ++i) {
    const bool all = std::all_of(offers.begin(), offers.end(), [&](absl::string_view offer) {
      return (offer[i / 8] >> i % 8 & 1) != 0;
    });
    if (!all) continue;
    taken_[i] = true;
    return i;
  }
  return 0;
}

void ContextBlocks::EndOffer(uint64_t asks, bool done) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (offered_ && offered_to_ == asks) offered_ = false;
  if (done) std::erase(asking_, asks);
}

}  // namespace ccl
