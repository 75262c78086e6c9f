// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of 64 bits that nobody without the key can
// make or guess.
#ifndef TRANSPORTS_TCP_SIPHASH_H_
#define TRANSPORTS_TCP_SIPHASH_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace ccl::tcp {

using Secret = std::array<uint8_t, 16>;

uint64_t SipHash(const Secret& key, const void* data, size_t bytes);

}  // namespace ccl::tcp

#endif  // TRANSPORTS_TCP_SIPHASH_H_
