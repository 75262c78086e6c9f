// Where a process can be reached.
#ifndef TRANSPORTS_TCP_ADDRESS_H_
#define TRANSPORTS_TCP_ADDRESS_H_

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ccl::tcp {

// Of IPv6, or of IPv4 mapped into it (::ffff:a.b.c.d).
using Ip = std::array<uint8_t, 16>;

bool IsUnspecified(const Ip& ip);  // 0.0.0.0 or ::
bool IsLoopback(const Ip& ip);
std::string ToString(const Ip& ip);
// "10.0.0.1:29500", "[fe80::1]:29500".
std::string ToString(const Ip& ip, uint16_t port);

// "HOST:PORT" or "[IPV6]:PORT". InvalidArgument says what it should look like.
absl::StatusOr<std::pair<std::string, uint16_t>> ParseHostAndPort(absl::string_view text);

// Addresses of this host's interfaces that are up, in their order, those of the loopback last and of
// one link left out. `interface`: only those of the one with this name, or within this network
// ("10.1.0.0/16", "fd00::/8"); empty: all. NotFound names what there is when nothing fits.
absl::StatusOr<std::vector<Ip>> LocalAddresses(absl::string_view interface);

}  // namespace ccl::tcp

#endif  // TRANSPORTS_TCP_ADDRESS_H_
