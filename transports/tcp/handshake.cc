#include "transports/tcp/handshake.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace ccl::tcp {
namespace {

struct HostText {
  uint64_t label = 1;
  Hello hello;
  Nonce hosts;
};
struct GuestText {
  uint64_t label = 2;
  Hello hello;
  Nonce hosts;
  Announcement announcement;
};
static_assert(sizeof(HostText) == 64 && sizeof(GuestText) == 216, "there must be no gaps");

}  // namespace

absl::StatusOr<Nonce> NewNonce() {
  Nonce nonce;
  size_t done = 0;
  while (done < nonce.size()) {
    const ssize_t got = getrandom(nonce.data() + done, nonce.size() - done, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::UnavailableError(absl::StrCat("getrandom: ", std::strerror(errno)));
    done += static_cast<size_t>(got);
  }
  return nonce;
}

uint64_t HostHash(const Secret& secret, const Hello& hello, const Nonce& hosts) {
  HostText text;
  text.hello = hello;
  text.hosts = hosts;
  return SipHash(secret, &text, sizeof text);
}

uint64_t GuestHash(const Secret& secret, const Hello& hello, const Nonce& hosts,
                   const Announcement& announcement) {
  GuestText text;
  text.hello = hello;
  text.hosts = hosts;
  text.announcement = announcement;
  return SipHash(secret, &text, sizeof text);
}

bool SameHash(uint64_t a, uint64_t b) {
  volatile uint64_t difference = a ^ b;
  return difference == 0;
}

}  // namespace ccl::tcp
