// Copies past the cache.
#ifndef TRANSPORTS_SHM_COPY_H_
#define TRANSPORTS_SHM_COPY_H_

#include <cstddef>
#include <cstdint>

namespace ccl::shm {

// As memcpy. Whole lines go to memory and into no cache. A flag that others read the bytes by is written
// after CopyFence.
void CopyPastCache(std::byte* to, const void* from, size_t bytes);
void CopyFence();

// What is longer has left the cache before its end has come.
inline constexpr uint64_t kLeastResultPastCache = uint64_t{8} << 20;

}  // namespace ccl::shm

#endif  // TRANSPORTS_SHM_COPY_H_
