// How a message is cut into MPI messages.
//
// Up to kInlineBytes it is one MPI message, its head. A longer one has a head too, the header below
// and its first kInlineBytes, and a body with the rest, in segments, under a tag that the header
// names. A receive starts with room for the longest head, whatever length it expects; the body is
// received once the head has shown that both sides agree.
//
// Why not receive straight into memory and let MPI report truncation: Open MPI 4.1 pulls a message
// above the eager limit into a shorter buffer in full, over its end (ob1's RDMA protocols, on
// shared memory and TCP alike). Ranks that disagree about a count are a user's mistake to be told,
// not a corrupted heap. The head tells it exactly, one disagreement does not shift its channel, and
// bodies need no order. It costs a short message more for each long one.
#ifndef TRANSPORTS_MPI_HEAD_H_
#define TRANSPORTS_MPI_HEAD_H_

#include <algorithm>
#include <cstdint>

namespace ccl::mpi {

struct Header {
  uint64_t bytes;     // of the whole message
  uint64_t body_tag;  // distinct among the long messages that one rank has in flight
};

// Chosen so that a head stays below the eager limit of Open MPI's shared memory, 4096 bytes with
// its own header.
inline constexpr uint64_t kInlineBytes = 4032;
inline constexpr uint64_t kLongestHead = sizeof(Header) + kInlineBytes;
inline constexpr uint64_t kSegmentBytes = uint64_t{4} << 20;

inline bool HasBody(uint64_t bytes) { return bytes > kInlineBytes; }
inline uint64_t HeadBytes(uint64_t bytes) { return HasBody(bytes) ? kLongestHead : bytes; }

// Segments of the body; each but the last has kSegmentBytes.
inline uint32_t SegmentsOf(uint64_t bytes) {
  if (!HasBody(bytes)) return 0;
  return static_cast<uint32_t>((bytes - kInlineBytes + kSegmentBytes - 1) / kSegmentBytes);
}
// Where a segment starts in the message, and its length.
inline uint64_t SegmentStart(uint32_t segment) { return kInlineBytes + segment * kSegmentBytes; }
inline uint64_t SegmentSize(uint64_t bytes, uint32_t segment) {
  return std::min(kSegmentBytes, bytes - SegmentStart(segment));
}

}  // namespace ccl::mpi

#endif  // TRANSPORTS_MPI_HEAD_H_
