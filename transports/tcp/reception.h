// Who comes to a listener, and whether to believe him.
#ifndef TRANSPORTS_TCP_RECEPTION_H_
#define TRANSPORTS_TCP_RECEPTION_H_

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "transports/tcp/handshake.h"
#include "transports/tcp/listener.h"

namespace ccl::tcp {

namespace asio = boost::asio;

// Accepts while the context runs. A guest has a few seconds and a few hundred bytes for its handshake;
// kMostGuests at once are heard, and for one more the oldest goes: who asks for nothing, or for the
// wrong thing, costs a bounded amount of memory and descriptors, and keeps nobody else out for long.
class Reception {
 public:
  static constexpr size_t kMostGuests = 64;
  // Of a guest that knows the secret.
  using Admit = std::function<void(asio::ip::tcp::socket socket, const Hello& hello, const Announcement& says)>;

  // Of guests that come for `purpose` in `session` and mean `rank`. The context does not run once this is
  // gone.
  Reception(asio::io_context& context, const Listener& listener, const Secret& secret, Purpose purpose,
            uint64_t session, int rank, Admit admit);
  ~Reception();
  Reception(const Reception&) = delete;
  Reception& operator=(const Reception&) = delete;

  // Guests that went without having been believed, and how many of those gave a wrong proof.
  uint64_t strangers() const { return strangers_; }
  uint64_t imposters() const { return imposters_; }

 private:
  class Guest;
  void Accept();
  void Rest();
  void Remove(const Guest* guest);

  asio::io_context& context_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer rest_;
  const Secret secret_;
  const Purpose purpose_;
  const uint64_t session_;
  const uint32_t rank_;
  const Admit admit_;
  std::deque<std::shared_ptr<Guest>> guests_;  // the oldest first
  uint64_t strangers_ = 0, imposters_ = 0;
};

}  // namespace ccl::tcp

#endif  // TRANSPORTS_TCP_RECEPTION_H_
