#ifndef FABRIC_MIX_H_
#define FABRIC_MIX_H_

#include <cstdint>

namespace fabric {

// splitmix64's mixer: a hash in which every bit of the input counts.
inline uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

}  // namespace fabric

#endif  // FABRIC_MIX_H_
