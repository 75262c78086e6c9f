// Sorting many things by a number, when comparing them one with another takes too long.
#ifndef FABRIC_RADIX_SORT_H_
#define FABRIC_RADIX_SORT_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fabric {

// Stable, ascending by key(item), an unsigned 64-bit number. Only digits in which keys differ cost a
// pass. `scratch` keeps its memory.
template <typename T, typename Key>
void RadixSort(std::vector<T>& items, std::vector<T>& scratch, Key key) {
  constexpr int kBits = 11;
  constexpr uint64_t kMask = (1u << kBits) - 1;
  uint64_t differ = 0;
  for (const T& item : items) differ |= key(item) ^ key(items.front());
  scratch.resize(items.size());
  while (differ != 0) {
    const int shift = std::countr_zero(differ);
    std::array<uint32_t, kMask + 1> place = {};
    for (const T& item : items) ++place[key(item) >> shift & kMask];
    uint32_t before = 0;
    for (uint32_t& entry : place) {
      const uint32_t count = entry;
      entry = before;
      before += count;
    }
    for (const T& item : items) scratch[place[key(item) >> shift & kMask]++] = item;
    items.swap(scratch);
    differ = shift + kBits >= 64 ? 0 : differ >> (shift + kBits) << (shift + kBits);
  }
}

}  // namespace fabric

#endif  // FABRIC_RADIX_SORT_H_
