#include "transports/tcp/congestion.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace ccl::tcp {
namespace {

constexpr size_t kLongestName = 16;  // the system's

bool Set(int socket, const std::string& name) {
  return setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(), static_cast<socklen_t>(name.size())) == 0;
}

std::string Get(int socket) {
  char name[kLongestName] = "";
  socklen_t length = sizeof name;
  getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name, &length);
  return std::string(name, strnlen(name, sizeof name));
}

}  // namespace

absl::Status SetCongestion(int socket, const std::string& name) {
  if (name.empty()) {
    if (Get(socket) == "bbr" && !Set(socket, "cubic")) Set(socket, "reno");
    return absl::OkStatus();
  }
  if (Set(socket, name)) return absl::OkStatus();
  const std::string why = std::strerror(errno);
  std::string has;
  std::ifstream file("/proc/sys/net/ipv4/tcp_available_congestion_control");
  std::getline(file, has);
  return absl::InvalidArgumentError(
      absl::StrCat("congestion=", name, ": ", why, "; this system has: ", has));
}

}  // namespace ccl::tcp
