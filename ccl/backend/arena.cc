#include "ccl/backend/arena.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

namespace ccl {
namespace {

uint64_t RoundUp(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

// Space for `bytes` of an empty file, aligned so that huge pages fit. Nothing of it takes memory yet.
ArenaPlace Reserve(uint64_t bytes) {
  rlimit most{};  // of a file: to ask for more would end the process
  if (getrlimit(RLIMIT_FSIZE, &most) != 0 || (most.rlim_cur != RLIM_INFINITY && most.rlim_cur < bytes)) return {};
  const int file = memfd_create("ccl arena", MFD_CLOEXEC);
  if (file < 0) return {};
  if (ftruncate(file, static_cast<off_t>(bytes)) == 0) {
    void* const space = mmap(nullptr, bytes + Arena::kHuge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space != MAP_FAILED) {
      auto* const base = reinterpret_cast<std::byte*>(RoundUp(reinterpret_cast<uintptr_t>(space), Arena::kHuge));
      if (mmap(base, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, file, 0) == base) {
        madvise(base, bytes, MADV_HUGEPAGE);
        madvise(base, bytes, MADV_DONTDUMP);  // a core file would be of the size of the machine's memory
        return {base, bytes, getpid(), file};
      }
      munmap(space, bytes + Arena::kHuge);
    }
  }
  close(file);
  return {};
}

}  // namespace

Arena& Arena::OfProcess() {
  static std::mutex mutex;
  static Arena* arena = nullptr;
  static pid_t owner = 0;
  const std::lock_guard<std::mutex> lock(mutex);
  if (arena == nullptr || owner != getpid()) {
    owner = getpid();
    arena = new Arena(arena);
  }
  return *arena;
}

Arena::Arena(const Arena* inherited) : inherited_(inherited) {
  const auto pages = static_cast<uint64_t>(std::max(0L, sysconf(_SC_PHYS_PAGES)));
  place_ = Reserve(RoundUp(pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)), kHuge));
  if (place_.bytes > 0) free_[0] = place_.bytes;
}

void* Arena::Allocate(size_t bytes) {
  if (bytes > place_.bytes) return nullptr;
  const uint64_t size = RoundUp(bytes, kPage), alignment = size >= kHuge ? kHuge : kPage;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto range = free_.begin(); range != free_.end(); ++range) {
    const auto [begin, length] = *range;
    const uint64_t at = RoundUp(begin, alignment);
    if (at + size > begin + length) continue;
    free_.erase(range);
    if (at > begin) free_[begin] = at - begin;
    if (at + size < begin + length) free_[at + size] = begin + length - at - size;
    given_[at] = size;
    return place_.base + at;
  }
  return nullptr;
}

bool Arena::Free(void* memory) {
  if (inherited_ != nullptr && inherited_->Has(memory)) return true;  // the parent's, who still has it
  const auto at = static_cast<uint64_t>(static_cast<std::byte*>(memory) - place_.base);
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = given_.find(at);
  if (found == given_.end()) return false;
  uint64_t begin = at, end = at + found->second;
  given_.erase(found);
  fallocate(static_cast<int>(place_.file), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin),
            static_cast<off_t>(end - begin));
  const auto after = free_.lower_bound(begin);
  if (after != free_.end() && after->first == end) end += after->second;
  if (after != free_.begin()) {
    const auto before = std::prev(after);
    if (before->first + before->second == begin) begin = before->first;
  }
  if (after != free_.end() && after->first < end) free_.erase(after);
  free_[begin] = end - begin;
  return true;
}

bool Arena::Has(const void* memory) const {
  const auto at = reinterpret_cast<uintptr_t>(memory) - reinterpret_cast<uintptr_t>(place_.base);
  return at < place_.bytes || (inherited_ != nullptr && inherited_->Has(memory));
}

}  // namespace ccl
