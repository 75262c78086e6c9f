// What goes over a connection between two ranks.
//
// Frames, each a head of fixed length and so many bytes of payload. Heads of messages go over the first
// connection of a pair, so that they arrive in the order of posting, which is that of matching. A short
// message follows its head at once. A long one waits until its receive has been posted, in the sender's
// memory, and then goes in segments over all connections, straight from memory and into it.
#ifndef TRANSPORTS_TCP_WIRE_H_
#define TRANSPORTS_TCP_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "transports/staging.h"

namespace ccl::tcp {

enum class FrameKind : uint8_t {
  kMessage = 1,  // a: its bytes; b: the sender's number of it. All bytes follow, or none of a long one's
  kGrant = 2,    // the receive is there. a: the sender's number; b: the receiver's
  kBody = 3,     // a: the receiver's number; b: where the bytes that follow belong
  kCredit = 4,   // a: bytes of short messages that have left the receiver's care, so far
  kUnequal = 5,  // the receive of a message, which may have been sent to its end, is of another length. a: the
                 // message's; b: the receive's; and which it was
  kBye = 6,      // nothing follows. a: 0 when all is done, else one more than the rank that has failed
};

struct Frame {
  static constexpr uint16_t kMark = 0xcc1a;
  uint16_t mark = kMark;
  FrameKind kind = FrameKind::kMessage;
  uint8_t unused = 0;
  uint16_t channel = 0;
  uint16_t unused_too = 0;
  uint32_t context = 0;
  uint32_t length = 0;  // of the payload
  uint64_t a = 0, b = 0;
};
static_assert(sizeof(Frame) == 32);

inline constexpr uint32_t kShortBytes = 64 << 10;     // the longest message that does not wait
// A long one goes in segments of so many bytes, and what is left: whole elements of every type.
inline constexpr uint32_t kSegmentBytes = 256 << 10;
// Bytes of short messages that a sender may have at a receiver who does not expect them. Beyond, they
// wait as long ones do: nobody's memory is filled by others.
inline constexpr uint64_t kShortWindow = 4 << 20;
inline constexpr uint32_t kNone = UINT32_MAX;

// One connection.
struct Wire {
  // A frame that goes out, with bytes of a message of ours.
  struct Out {
    Frame frame;
    uint32_t message = kNone;  // whose bytes they are; kNone: of none
    uint64_t offset = 0;
  };

  int socket = -1;  // closed: -1
  bool bye = false;  // the peer will say no more
  bool dirty = false;
  bool blocked = false;  // the system takes no more for now

  std::vector<Out> out;
  size_t out_first = 0;   // of those in `out` that have not gone
  uint64_t out_gone = 0;  // bytes of the first, its head included

  Frame in;
  uint32_t head_bytes = 0;     // of `in` that have come
  uint32_t left = 0;           // of its payload that have not
  uint32_t message = kNone;    // that takes the payload
  uint32_t arrival = kNone;    // or who keeps it until somebody asks for it
  uint64_t offset = 0;         // in the message
  uint64_t begin = 0;          // of this payload in the message
  Staging::Block segment;      // where a payload lies that is reduced: in the cache, as they follow each other

  int64_t unanswered_ns = 0;  // since when the peer's system owes an answer; 0: it does not

  bool idle() const { return out_first == out.size(); }
};

}  // namespace ccl::tcp

#endif  // TRANSPORTS_TCP_WIRE_H_
