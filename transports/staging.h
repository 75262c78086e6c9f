// Memory for messages that cannot travel straight from or to the caller's.
#ifndef TRANSPORTS_STAGING_H_
#define TRANSPORTS_STAGING_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ccl {

// Contiguous blocks in sizes of powers of two, handed out again once given back. What is out is not
// bounded: refusing a posted receive until another completes could close a cycle of waiting ranks.
// What is kept for later is: beyond `retained_limit` a block given back returns to the system.
// Blocks that are out end with it, too, so that whoever fails in the middle of something leaves nothing
// behind.
class Staging {
 public:
  struct Block {
    std::byte* data = nullptr;
    uint8_t size_class = 0;
  };

  explicit Staging(size_t retained_limit) : retained_limit_(retained_limit) {}
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // bytes > 0. Aligned to 64 bytes. Throws std::bad_alloc as operator new does.
  Block Take(size_t bytes);
  void Give(Block block);
  // Somebody else may touch it for ever: it is never handed out again, and outlives this.
  void Abandon(Block block);

  size_t retained() const { return retained_; }

 private:
  static constexpr int kSmallest = 8;  // log2 of the smallest block
  static constexpr int kClasses = 56;
  static size_t SizeOf(int size_class) { return size_t{1} << (size_class + kSmallest); }
  // Lies before a block.
  struct alignas(64) Head {
    Head* next;
    Head** place;  // that refers to this one
  };
  static void Unlink(std::byte* data);
  static void Free(std::byte* data);

  const size_t retained_limit_;
  size_t retained_ = 0;
  Head* all_ = nullptr;
  std::array<std::vector<std::byte*>, kClasses> free_;
};

}  // namespace ccl

#endif  // TRANSPORTS_STAGING_H_
