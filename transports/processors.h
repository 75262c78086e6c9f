#ifndef TRANSPORTS_PROCESSORS_H_
#define TRANSPORTS_PROCESSORS_H_

#include <array>
#include <cstdint>

namespace ccl {

// Processors of one host, by the system's numbers, as far as there is room.
struct ProcessorSet {
  std::array<uint64_t, 16> words{};

  // Those on which the calling thread may run, which a launcher or a container may have said; never none.
  static ProcessorSet OfThread();
  void Add(const ProcessorSet& more);
  int count() const;
};

}  // namespace ccl

#endif  // TRANSPORTS_PROCESSORS_H_
