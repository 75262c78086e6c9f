#include "transports/processors.h"

#include <sched.h>

#include <algorithm>
#include <bitset>
#include <thread>

namespace ccl {

ProcessorSet ProcessorSet::OfThread() {
  ProcessorSet set;
  constexpr unsigned kMost = 64 * 16;
  static_assert(kMost <= CPU_SETSIZE);
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    for (unsigned i = 0; i < kMost; ++i) {
      if (CPU_ISSET(i, &allowed)) set.words[i / 64] |= uint64_t{1} << (i % 64);
    }
  }
  if (set.count() > 0) return set;
  // More than there is room for, or nobody says: as many as there are.
  for (unsigned i = 0; i < std::clamp(std::thread::hardware_concurrency(), 1u, kMost); ++i) {
    set.words[i / 64] |= uint64_t{1} << (i % 64);
  }
  return set;
}

void ProcessorSet::Add(const ProcessorSet& more) {
  for (size_t i = 0; i < words.size(); ++i) words[i] |= more.words[i];
}

int ProcessorSet::count() const {
  size_t bits = 0;
  for (uint64_t word : words) bits += std::bitset<64>(word).count();
  return static_cast<int>(bits);
}

}  // namespace ccl
