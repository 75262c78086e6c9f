#include "transports/tcp/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ccl::tcp {
namespace {

constexpr uint8_t kMapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool IsV4(const Ip& ip) { return std::equal(std::begin(kMapped), std::end(kMapped), ip.begin()); }

Ip Mapped(const void* v4) {
  Ip ip{};
  std::copy(std::begin(kMapped), std::end(kMapped), ip.begin());
  std::memcpy(ip.data() + sizeof kMapped, v4, 4);
  return ip;
}

bool ParseIp(absl::string_view text, Ip& ip) {
  const std::string owned(text);
  in_addr v4;
  if (inet_pton(AF_INET, owned.c_str(), &v4) == 1) {
    ip = Mapped(&v4);
    return true;
  }
  return inet_pton(AF_INET6, owned.c_str(), ip.data()) == 1;
}

struct Network {
  Ip ip{};
  int bits = 0;

  bool Has(const Ip& other) const {
    for (int bit = 0; bit < bits; ++bit) {
      const size_t byte = static_cast<size_t>(bit / 8);
      if (((ip[byte] ^ other[byte]) >> (7 - bit % 8) & 1) != 0) return false;
    }
    return true;
  }
};

// "IP/BITS".
bool ParseNetwork(absl::string_view text, Network& network) {
  const size_t slash = text.find('/');
  if (slash == absl::string_view::npos || !ParseIp(text.substr(0, slash), network.ip)) return false;
  const int most = IsV4(network.ip) ? 32 : 128;
  if (!absl::SimpleAtoi(text.substr(slash + 1), &network.bits) || network.bits < 0 || network.bits > most) {
    return false;
  }
  network.bits += 128 - most;
  return true;
}

bool OfOneLink(const Ip& ip) { return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80; }

}  // namespace

bool IsUnspecified(const Ip& ip) {
  return std::all_of(ip.begin() + (IsV4(ip) ? 12 : 0), ip.end(), [](uint8_t byte) { return byte == 0; });
}

bool IsLoopback(const Ip& ip) {
  if (IsV4(ip)) return ip[12] == 127;
  return ip[15] == 1 && std::all_of(ip.begin(), ip.end() - 1, [](uint8_t byte) { return byte == 0; });
}

std::string ToString(const Ip& ip) {
  char text[INET6_ADDRSTRLEN] = "";
  const bool v4 = IsV4(ip);
  inet_ntop(v4 ? AF_INET : AF_INET6, ip.data() + (v4 ? 12 : 0), text, sizeof text);
  return text;
}

std::string ToString(const Ip& ip, uint16_t port) {
  return IsV4(ip) ? absl::StrCat(ToString(ip), ":", port) : absl::StrCat("[", ToString(ip), "]:", port);
}

absl::StatusOr<std::pair<std::string, uint16_t>> ParseHostAndPort(absl::string_view text) {
  const auto error = [&] {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is not HOST:PORT, [IPV6]:PORT with a port in 1..65535"));
  };
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return error();
  absl::string_view host = text.substr(0, colon);
  uint32_t port = 0;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port < 1 || port > 65535) return error();
  const bool brackets = host.size() > 1 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  if (host.empty() || (!brackets && host.find(':') != absl::string_view::npos)) return error();
  return std::make_pair(std::string(host), static_cast<uint16_t>(port));
}

absl::StatusOr<std::vector<Ip>> LocalAddresses(absl::string_view interface) {
  Network network;
  const bool by_network = ParseNetwork(interface, network);
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) {
    return absl::UnavailableError(absl::StrCat("getifaddrs: ", std::strerror(errno)));
  }
  std::vector<Ip> found;
  std::string known;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    Ip ip{};
    if (entry->ifa_addr->sa_family == AF_INET) {
      ip = Mapped(&reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr);
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      std::memcpy(ip.data(), &reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr, 16);
    } else {
      continue;
    }
    if (OfOneLink(ip)) continue;
    absl::StrAppend(&known, known.empty() ? "" : ", ", entry->ifa_name, " ", ToString(ip));
    if (interface.empty() || (by_network ? network.Has(ip) : interface == entry->ifa_name)) found.push_back(ip);
  }
  freeifaddrs(list);
  std::stable_partition(found.begin(), found.end(), [](const Ip& ip) { return !IsLoopback(ip); });
  if (found.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "no interface that is up ", interface.empty() ? "has an address" : absl::StrCat("fits '", interface, "'"),
        "; there are ", known.empty() ? "none" : known));
  }
  return found;
}

}  // namespace ccl::tcp
