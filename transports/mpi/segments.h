// How a message is cut into MPI messages.
#ifndef TRANSPORTS_MPI_SEGMENTS_H_
#define TRANSPORTS_MPI_SEGMENTS_H_

#include <algorithm>
#include <cstdint>

namespace ccl::mpi {

// Every segment but the last is full and the last one never is, so that it also says where the
// message ends: a receiver sees any disagreement about the length at the first segment that is not
// as long as it expects. A message of an exact multiple thus closes with an empty segment; a little
// more than 4 MiB, the segment divides no power of two and few real messages pay for that.
inline constexpr uint64_t kSegmentBytes = (uint64_t{4} << 20) + 64;

inline uint32_t SegmentsOf(uint64_t bytes) {
  return static_cast<uint32_t>(bytes / kSegmentBytes + 1);
}

inline uint64_t SegmentSize(uint64_t bytes, uint32_t segment) {
  return std::min(kSegmentBytes, bytes - segment * kSegmentBytes);
}

}  // namespace ccl::mpi

#endif  // TRANSPORTS_MPI_SEGMENTS_H_
