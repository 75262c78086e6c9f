#ifndef CCL_SCHEDULE_VERIFY_WIRES_H_
#define CCL_SCHEDULE_VERIFY_WIRES_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace ccl {

// The messages that wait for their other side, by wire: sender, receiver and channel. On a wire
// either sends wait or receives, never both; those that wait are steps of one batch, since a wire
// belongs to one lane on each side and a lane does not go on while a step waits.
//
// This is looked up twice a message: a table, whose pages exist once they are used.
class Wires {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  struct Wire {
    uint16_t sender = 0, receiver = 0;  // the lanes that use it, plus one; 0: none yet
    bool sends_wait = false;
    uint32_t head = kNone, tail = kNone;  // the steps that wait; their lane links them
  };

  explicit Wires(uint64_t wires) : pages_((wires + kPage - 1) / kPage) {}

  Wire& operator[](uint64_t wire) {
    std::unique_ptr<Page>& page = pages_[wire / kPage];
    if (page == nullptr) page = std::make_unique<Page>();
    return (*page)[wire % kPage];
  }
  // Calls visit(index, wire) for every wire on which something waits.
  template <typename Visit>
  void ForEachWaiting(Visit visit) const {
    for (size_t page = 0; page < pages_.size(); ++page) {
      for (size_t i = 0; pages_[page] != nullptr && i < kPage; ++i) {
        const Wire& wire = (*pages_[page])[i];
        if (wire.head != kNone) visit(page * kPage + i, wire);
      }
    }
  }

 private:
  static constexpr size_t kPage = 64;
  using Page = std::array<Wire, kPage>;

  std::vector<std::unique_ptr<Page>> pages_;
};

}  // namespace ccl

#endif  // CCL_SCHEDULE_VERIFY_WIRES_H_
