// Memory of this process that other processes of its host can map.
#ifndef CCL_BACKEND_ARENA_H_
#define CCL_BACKEND_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

namespace ccl {

// Where an arena lies: byte i of `file`, an open file of `process`, is base[i]. No bytes: there is none.
struct ArenaPlace {
  std::byte* base = nullptr;
  uint64_t bytes = 0;
  int64_t process = 0;
  int64_t file = -1;
};

// Address space of the size of the machine's memory, of which pages are there when they have been
// touched, and gone when they have been freed. Thread-safe.
class Arena {
 public:
  static constexpr size_t kPage = 4096;
  static constexpr size_t kHuge = size_t{2} << 20;

  // This process's, made when it is first asked for; it stays. After a fork the child has one of its own,
  // and sees its parent's memory as the parent does. Without memory that can be shared nothing fits into it.
  static Arena& OfProcess();

  // At a multiple of a page, of a huge one when it is as large. Null: it does not fit. `bytes` above 0.
  void* Allocate(size_t bytes);
  // False when it is nothing that Allocate has given.
  bool Free(void* memory);
  // Whether the address is the arena's, or was, of the process from which this one was forked.
  bool Has(const void* memory) const;
  ArenaPlace place() const { return place_; }

 private:
  explicit Arena(const Arena* inherited);

  const Arena* const inherited_;
  ArenaPlace place_;
  std::mutex mutex_;
  std::map<uint64_t, uint64_t> free_;   // bytes by offset, never side by side
  std::map<uint64_t, uint64_t> given_;  // likewise
};

}  // namespace ccl

#endif  // CCL_BACKEND_ARENA_H_
