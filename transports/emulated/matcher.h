// Which operations wait for their other side.
#ifndef TRANSPORTS_EMULATED_MATCHER_H_
#define TRANSPORTS_EMULATED_MATCHER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ccl {

// A table from (context, channel, source, distance to the destination) to a queue of records. Open addressing with
// linear probing and no tombstones: a message comes and goes in two short walks, without allocating.
class Matcher {
 public:
  static constexpr uint32_t kNone = ~0u;

  struct Key {
    uint32_t context;
    int32_t src, distance;
    uint16_t channel;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Waiting {
    Key key;
    uint32_t head = kNone, tail = kNone;  // records; a queue in the table has a head
  };

  // Sources are numbers below `sources`.
  explicit Matcher(int sources);

  // The place of a key. Without a head it is new: the caller gives it one. Until the next call.
  uint32_t Find(const Key& key);
  Waiting& at(uint32_t place) { return table_[place]; }
  void Erase(uint32_t place);
  bool empty() const { return size_ == 0; }
  // Calls `f` with every queue.
  template <typename F>
  void ForEach(F f) const {
    for (const Waiting& waiting : table_) {
      if (waiting.head != kNone) f(waiting);
    }
  }

 private:
  // Sources that go in step, each with one message, have neighbouring homes: they are walked in
  // order. What one source has waiting is spread over the table.
  size_t Home(const Key& key) const;
  void Resize(size_t places);
  void Grow();

  const size_t sources_;
  std::vector<Waiting> table_;  // a power of two, at most half full
  size_t stride_ = 1;           // from the home of a source to that of the next
  size_t size_ = 0;
};

}  // namespace ccl

#endif  // TRANSPORTS_EMULATED_MATCHER_H_
