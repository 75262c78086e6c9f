#ifndef CCL_CONTEXTS_H_
#define CCL_CONTEXTS_H_

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ccl {

// The contexts of a world, shared out to its communicators in blocks of equal size, as this process
// sees them. Communicators that have a rank in common have different blocks. Thread-safe.
class ContextBlocks {
 public:
  // Half of the bits number the blocks; a block has at least four contexts. The first block, of the
  // world's own communicator, is taken.
  explicit ContextBlocks(uint32_t contexts) {
    uint32_t bits = 0;
    while (bits < 31 && uint32_t{2} << bits <= contexts) ++bits;
    size_ = uint32_t{1} << std::max<uint32_t>(2, bits / 2);
    taken_.assign(std::max<uint32_t>(1, contexts / size_), false);
    taken_[0] = true;
  }

  uint32_t size() const { return size_; }
  uint32_t blocks() const { return static_cast<uint32_t>(taken_.size()); }

  // A block that is free here, or 0: none.
  uint32_t Take() {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto free = std::find(taken_.begin(), taken_.end(), false);
    if (free == taken_.end()) return 0;
    *free = true;
    return static_cast<uint32_t>(free - taken_.begin());
  }
  void Give(uint32_t block) {
    std::lock_guard<std::mutex> lock(mutex_);
    taken_[block] = false;
  }

  // What processes tell each other to agree on a block, a bit each; see TakeCommon. A process tells one
  // group at a time what it has: to the others it says that it has nothing, so that no block is
  // promised twice. `asks` names who asks: the lowest of those that wait has the word next.
  std::string Offer(uint64_t asks);
  // Whether it says what is there, and not that somebody else has the word.
  static bool Says(absl::string_view offer) { return (offer.back() & 0x80) != 0; }
  // The lowest block that all have offered, taken here; 0 when there is none.
  uint32_t TakeCommon(const std::vector<absl::string_view>& offers);
  // The end of an offer. `asks` is out of the way if it is done, else it will ask again.
  void EndOffer(uint64_t asks, bool done);

 private:
  uint32_t size_ = 0;
  std::mutex mutex_;
  std::vector<bool> taken_;
  std::vector<uint64_t> asking_;
  bool offered_ = false;
  uint64_t offered_to_ = 0;
};

}  // namespace ccl

#endif  // CCL_CONTEXTS_H_
