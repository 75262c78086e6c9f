// A port of this process.
#ifndef TRANSPORTS_TCP_LISTENER_H_
#define TRANSPORTS_TCP_LISTENER_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "transports/tcp/address.h"

namespace ccl::tcp {

// Who connects waits in the system until somebody accepts. Closed with its last owner.
class Listener {
 public:
  // `ip` unspecified: on all interfaces, IPv4 and IPv6. `port` 0: one that is free.
  // Unavailable, with the reason, when the port is taken or the address is none of this host's.
  static absl::StatusOr<std::shared_ptr<Listener>> Open(const Ip& ip, uint16_t port);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int descriptor() const { return descriptor_; }
  int family() const { return family_; }  // AF_INET, AF_INET6
  uint16_t port() const { return port_; }

 private:
  Listener(int descriptor, int family, uint16_t port)
      : descriptor_(descriptor), family_(family), port_(port) {}

  const int descriptor_, family_;
  const uint16_t port_;
};

}  // namespace ccl::tcp

#endif  // TRANSPORTS_TCP_LISTENER_H_
