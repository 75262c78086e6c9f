#include "transports/tcp/siphash.h"

#include <bit>

namespace ccl::tcp {
namespace {

// Little-endian, whatever the machine is.
uint64_t Load(const uint8_t* bytes, size_t count) {
  uint64_t word = 0;
  for (size_t i = 0; i < count; ++i) word |= uint64_t{bytes[i]} << (8 * i);
  return word;
}

struct State {
  uint64_t v0, v1, v2, v3;

  void Rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v0 += v1, v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0, v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32);
      v2 += v1, v0 += v3;
      v1 = std::rotl(v1, 17) ^ v2, v3 = std::rotl(v3, 21) ^ v0;
      v2 = std::rotl(v2, 32);
    }
  }
  void Absorb(uint64_t word) {
    v3 ^= word;
    Rounds(2);
    v0 ^= word;
  }
};

}  // namespace

uint64_t SipHash(const Secret& key, const void* data, size_t bytes) {
  const uint64_t k0 = Load(key.data(), 8), k1 = Load(key.data() + 8, 8);
  State state{k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
              k1 ^ 0x7465646279746573u};
  const auto* const from = static_cast<const uint8_t*>(data);
  size_t at = 0;
  for (; at + 8 <= bytes; at += 8) state.Absorb(Load(from + at, 8));
  state.Absorb(Load(from + at, bytes - at) | uint64_t{bytes} << 56);
  state.v2 ^= 0xff;
  state.Rounds(4);
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace ccl::tcp
