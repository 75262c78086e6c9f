#include "transports/shm/copy.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "ccl/backend/copy.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace ccl::shm {

#ifdef __x86_64__
namespace {

// Whole lines.
__attribute__((target("avx512f"))) void StreamWide(std::byte* to, const std::byte* from, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 64) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i), _mm512_loadu_si512(from + i));
  }
}

void StreamNarrow(std::byte* to, const std::byte* from, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 16) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
  }
}

}  // namespace

void CopyPastCache(std::byte* to, const void* from, size_t bytes) {
  static const bool wide = __builtin_cpu_supports("avx512f");
  const auto* source = static_cast<const std::byte*>(from);
  const size_t head = std::min(bytes, -reinterpret_cast<uintptr_t>(to) % 64);
  if (head > 0) std::memcpy(to, source, head);
  to += head, source += head, bytes -= head;
  const size_t lines = bytes / 64 * 64;
  (wide ? StreamWide : StreamNarrow)(to, source, lines);
  if (bytes > lines) std::memcpy(to + lines, source + lines, bytes - lines);
}

void CopyFence() { _mm_sfence(); }
#else
void CopyPastCache(std::byte* to, const void* from, size_t bytes) { Copy(to, from, bytes); }
void CopyFence() {}
#endif

}  // namespace ccl::shm
