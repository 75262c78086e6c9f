#ifndef CCL_SCHEDULE_VERIFY_WIRES_H_
#define CCL_SCHEDULE_VERIFY_WIRES_H_

#include <cstdint>
#include <utility>
#include <vector>

namespace ccl {

inline constexpr uint32_t kNoLane = ~uint32_t{0};
inline constexpr uint32_t kWholeBatch = ~uint32_t{0};  // a step: none in particular

// A step whose batch is under way: its lane, counted over all ranks, and its place in the batch.
struct Site {
  uint32_t lane = kNoLane;
  uint32_t step = 0;
};

// The messages that wait for their other side, by wire: sender, receiver and channel. On a wire
// either sends wait or receives, never both. Open addressing, since this is looked up twice a
// message.
class Wires {
 public:
  struct Wire {
    uint64_t key = ~uint64_t{0};
    uint32_t sender = kNoLane, receiver = kNoLane;  // the lanes that use it
    uint32_t head = kNone, tail = kNone;            // of the queue of those who wait
    bool sends_wait = false;
  };

  Wires() : slots_(1024) {}

  // Valid until the next call.
  Wire& Find(uint64_t key) {
    if (2 * used_ >= slots_.size()) Grow();
    Wire& wire = slots_[Slot(key)];
    if (wire.key != key) {
      wire.key = key;
      ++used_;
    }
    return wire;
  }
  void Push(Wire& wire, Site site) {
    uint32_t node = free_;
    if (node == kNone) {
      node = static_cast<uint32_t>(nodes_.size());
      nodes_.push_back({});
    } else {
      free_ = nodes_[node].next;
    }
    nodes_[node] = {site, kNone};
    (wire.head == kNone ? wire.head : nodes_[wire.tail].next) = node;
    wire.tail = node;
  }
  static bool Empty(const Wire& wire) { return wire.head == kNone; }
  Site Pop(Wire& wire) {
    const uint32_t node = wire.head;
    wire.head = nodes_[node].next;
    nodes_[node].next = free_;
    free_ = node;
    return nodes_[node].site;
  }
  // Calls visit(site) for everything that waits.
  template <typename Visit>
  void ForEachWaiting(Visit visit) const {
    for (const Wire& wire : slots_) {
      for (uint32_t n = wire.head; n != kNone; n = nodes_[n].next) visit(nodes_[n].site);
    }
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  struct Node {
    Site site;
    uint32_t next = kNone;
  };

  size_t Slot(uint64_t key) const {
    const size_t mask = slots_.size() - 1;
    size_t slot = (key * 0x9e3779b97f4a7c15u >> 20) & mask;
    while (slots_[slot].key != key && slots_[slot].key != ~uint64_t{0}) slot = (slot + 1) & mask;
    return slot;
  }
  void Grow() {
    std::vector<Wire> old(2 * slots_.size());
    old.swap(slots_);
    for (const Wire& wire : old) {
      if (wire.key != ~uint64_t{0}) slots_[Slot(wire.key)] = wire;
    }
  }

  std::vector<Wire> slots_;
  size_t used_ = 0;
  std::vector<Node> nodes_;
  uint32_t free_ = kNone;
};

}  // namespace ccl

#endif  // CCL_SCHEDULE_VERIFY_WIRES_H_
