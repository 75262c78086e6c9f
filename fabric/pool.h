// Numbered objects in blocks: they stay where they are, and growing copies nothing.
#ifndef FABRIC_POOL_H_
#define FABRIC_POOL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace fabric {

// Memory for a pool, on huge pages when it is large: pools of millions of objects are walked in no
// order that a TLB likes. Throws std::bad_alloc.
void* AllocateSlab(size_t bytes);
void FreeSlab(void* slab);

// An object that comes back is as it was left, a new one as T's default constructor leaves it. Not
// thread-safe.
template <typename T>
class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    for (T* block : blocks_) std::destroy_n(block, kBlock);
    for (void* slab : slabs_) FreeSlab(slab);
  }

  uint32_t New() {
    if (!free_.empty()) {
      const uint32_t index = free_.back();
      free_.pop_back();
      return index;
    }
    Reach(size_);
    return size_++;
  }
  void Free(uint32_t index) { free_.push_back(index); }
  uint32_t size() const { return size_; }  // given so far
  size_t in_use() const { return size_ - free_.size(); }  // that have not come back
  T& operator[](uint32_t index) { return blocks_[index / kBlock][index % kBlock]; }
  const T& operator[](uint32_t index) const { return blocks_[index / kBlock][index % kBlock]; }
  // Numbers up to `index`, given by somebody else, are objects from now on.
  void Reach(uint32_t index) {
    while (blocks_.size() <= index / kBlock) Grow();
  }

 private:
  static constexpr uint32_t kBlock = 256;
  static constexpr size_t kSlab = size_t{2} << 20;  // a huge page

  void Grow() {
    const size_t bytes = kBlock * sizeof(T);
    const size_t blocks = blocks_.size() * bytes < kSlab / 2 ? 1 : kSlab / bytes;
    slabs_.push_back(AllocateSlab(blocks * bytes));
    char* memory = static_cast<char*>(slabs_.back());
    for (size_t i = 0; i < blocks; ++i, memory += bytes) {
      T* const block = reinterpret_cast<T*>(memory);
      std::uninitialized_default_construct_n(block, kBlock);
      blocks_.push_back(block);
    }
  }

  std::vector<T*> blocks_;
  std::vector<void*> slabs_;
  uint32_t size_ = 0;
  std::vector<uint32_t> free_;
};

}  // namespace fabric

#endif  // FABRIC_POOL_H_
