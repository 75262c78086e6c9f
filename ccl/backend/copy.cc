#include "ccl/backend/copy.h"

#include <cstdint>
#include <cstring>
#include <iterator>

namespace ccl {
namespace {

constexpr size_t kLeast = 2048, kMost = size_t{8} << 20;  // between them libc may leave it to the processor
constexpr uintptr_t kPage = 4096, kLine = 64, kSlow = 31;

// Through registers, four of 16 bytes, which any machine has.
void CopyLines(std::byte* to, const std::byte* from, size_t bytes) {
  typedef uint64_t Part __attribute__((vector_size(16)));
  size_t at = 0;
  for (; at + kLine <= bytes; at += kLine) {
    Part parts[kLine / sizeof(Part)];
    for (size_t i = 0; i < std::size(parts); ++i) std::memcpy(&parts[i], from + at + i * sizeof(Part), sizeof(Part));
    for (size_t i = 0; i < std::size(parts); ++i) std::memcpy(to + at + i * sizeof(Part), &parts[i], sizeof(Part));
  }
  std::memcpy(to + at, from + at, bytes - at);
}

}  // namespace

void Copy(void* to, const void* from, size_t bytes) {
  const uintptr_t ahead = reinterpret_cast<uintptr_t>(to) - reinterpret_cast<uintptr_t>(from);
  const bool slow = bytes > kLeast && bytes < kMost && (ahead - 1) % kPage < kSlow;
  const bool apart = ahead >= bytes && -ahead >= bytes;
  if (!slow || !apart) {
    std::memmove(to, from, bytes);
    return;
  }
  CopyLines(static_cast<std::byte*>(to), static_cast<const std::byte*>(from), bytes);
}

}  // namespace ccl
