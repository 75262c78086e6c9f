#include "transports/tcp/listener.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"

namespace ccl::tcp {
namespace {

constexpr int kBacklog = 1024;

absl::Status Error(const Ip& ip, uint16_t port, const char* what, int error) {
  return absl::UnavailableError(
      absl::StrCat("listening at ", ToString(ip, port), ": ", what, ": ", std::strerror(error)));
}

// IPv4 addresses too, through an IPv6 socket that takes both. nullopt: there is no IPv6 here.
std::optional<int> Socket(int& family) {
  family = AF_INET6;
  int descriptor = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) {
    family = AF_INET;
    descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  }
  if (descriptor < 0) return std::nullopt;
  const int off = 0, on = 1;
  if (family == AF_INET6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return descriptor;
}

}  // namespace

absl::StatusOr<std::shared_ptr<Listener>> Listener::Open(const Ip& ip, uint16_t port) {
  int family = AF_INET6;
  const std::optional<int> descriptor = Socket(family);
  if (!descriptor) return Error(ip, port, "socket", errno);
  sockaddr_storage address{};
  socklen_t length = sizeof(sockaddr_in6);
  if (family == AF_INET6) {
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    if (!IsUnspecified(ip)) std::memcpy(&v6->sin6_addr, ip.data(), 16);
  } else {
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&address);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    if (!IsUnspecified(ip)) std::memcpy(&v4->sin_addr, ip.data() + 12, 4);
    length = sizeof(sockaddr_in);
  }
  const char* what = "bind";
  bool good = bind(*descriptor, reinterpret_cast<sockaddr*>(&address), length) == 0;
  if (good) what = "listen", good = listen(*descriptor, kBacklog) == 0;
  if (good) what = "getsockname", length = sizeof address;
  if (good) good = getsockname(*descriptor, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  if (!good) {
    const int error = errno;
    close(*descriptor);
    return Error(ip, port, what, error);
  }
  const uint16_t bound = family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                            : reinterpret_cast<sockaddr_in*>(&address)->sin_port;
  return std::shared_ptr<Listener>(new Listener(*descriptor, family, ntohs(bound)));
}

Listener::~Listener() { close(descriptor_); }

}  // namespace ccl::tcp
