// What two processes say before either believes the other.
//
//   guest -> host   Hello      who, what for, a number that nobody has used
//   host  -> guest  Challenge  another such number, and a hash of all this under the secret
//   guest -> host   Proof      another hash of all this, and what the guest has to say of itself
//   host  -> guest  Answer     the guest is in
//
// All are of fixed length: nothing that a stranger says decides how much is read or kept. The two hashes
// differ by a label, so that neither can be had from the other side and sent back. Later bytes are
// neither encrypted nor signed: who can write into other people's connections is not kept out.
#ifndef TRANSPORTS_TCP_HANDSHAKE_H_
#define TRANSPORTS_TCP_HANDSHAKE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "transports/tcp/address.h"
#include "transports/tcp/siphash.h"

namespace ccl::tcp {

inline constexpr uint32_t kMagic = 0x4c434363;  // "cCCL" in the byte order that both must have
inline constexpr uint16_t kVersion = 3;         // of everything in this folder that goes over a wire

using Nonce = std::array<uint8_t, 16>;

enum class Purpose : uint8_t { kMeeting = 1, kPeer = 2 };

struct Hello {
  uint32_t magic = kMagic;
  uint16_t version = kVersion;
  Purpose purpose = Purpose::kMeeting;
  uint8_t connection = 0;  // which of a pair's
  uint64_t session = 0;    // of a world; of the one that has failed when its survivors meet
  uint32_t rank = 0;       // the guest's
  uint32_t called = 0;     // whom it means, by rank: hosts behind different networks may share an address
  Nonce nonce{};
};
static_assert(sizeof(Hello) == 40);

struct Challenge {
  uint32_t magic = kMagic;
  uint16_t version = kVersion;
  uint16_t unused = 0;
  Nonce nonce{};
  uint64_t hash = 0;
};
static_assert(sizeof(Challenge) == 32);

// What a rank tells of itself when all meet; zeros on the way to a peer.
struct Announcement {
  static constexpr size_t kAddresses = 4;
  uint32_t rank = 0, ranks = 0;
  Ip addresses[kAddresses] = {};  // those unspecified are none
  uint16_t port = 0;
  uint8_t connections = 0;
  uint8_t shares = 0;
  uint32_t process = 0;
  uint64_t host = 0;       // equal numbers, same host
  char host_name[64] = {};  // for reports; ends with a zero
};
static_assert(sizeof(Announcement) == 152);

struct Proof {
  uint32_t magic = kMagic;
  uint16_t version = kVersion;
  uint16_t unused = 0;
  uint64_t hash = 0;
  Announcement announcement;
};
static_assert(sizeof(Proof) == 168);

absl::StatusOr<Nonce> NewNonce();
uint64_t HostHash(const Secret& secret, const Hello& hello, const Nonce& hosts);
uint64_t GuestHash(const Secret& secret, const Hello& hello, const Nonce& hosts,
                   const Announcement& announcement);
// In time that does not depend on where they differ.
bool SameHash(uint64_t a, uint64_t b);

// To a guest that is believed. Of a meeting, once all ranks have come: a table of their announcements, in
// order; or why there is none.
enum class AnswerKind : uint16_t { kTable = 1, kRefusal = 2, kWelcome = 3 };
struct Answer {
  uint32_t magic = kMagic;
  AnswerKind kind = AnswerKind::kWelcome;
  uint16_t unused = 0;
  uint32_t length = 0;  // bytes that follow
  uint32_t unused_too = 0;
  uint64_t session = 0;  // of the new world
};
static_assert(sizeof(Answer) == 24);
inline constexpr uint32_t kLongestRefusal = 1024;

}  // namespace ccl::tcp

#endif  // TRANSPORTS_TCP_HANDSHAKE_H_
