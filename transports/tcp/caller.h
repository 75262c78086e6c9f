// How a process gets to another one's reception.
#ifndef TRANSPORTS_TCP_CALLER_H_
#define TRANSPORTS_TCP_CALLER_H_

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "transports/tcp/handshake.h"

namespace ccl::tcp {

namespace asio = boost::asio;

asio::ip::tcp::endpoint EndpointOf(const Ip& ip, uint16_t port);
Ip IpOf(const asio::ip::address& address);

// Connects to the first of some endpoints that answers and knows the secret, and goes on trying: whom it
// calls may not be there yet, or about to leave the port to another. Works while the context runs.
class Caller : public std::enable_shared_from_this<Caller> {
 public:
  // A connection on which the proof has been given, and the head of the answer to it. False: the answer
  // will not do, and the caller tries again.
  using Answered = std::function<bool(asio::ip::tcp::socket& socket, const Answer& answer)>;

  Caller(asio::io_context& context, std::vector<asio::ip::tcp::endpoint> endpoints, const Secret& secret,
         const Hello& hello, const Announcement& says, const std::string& congestion, Answered answered);
  void Start();
  // Nothing comes of it any more; the connection that was made stays.
  void Stop();
  // Why nothing has come of it so far, and where.
  const std::string& trouble() const { return trouble_; }

 private:
  void Greet();
  void Prove();
  void Hear();
  void Again(const std::string& why);
  // Ends the attempt unless something happens in time.
  void Limit(std::chrono::milliseconds time);
  void Unlimit();

  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  const std::vector<asio::ip::tcp::endpoint> endpoints_;
  const Secret secret_;
  const Announcement says_;
  const std::string congestion_;
  const Answered answered_;
  Hello hello_;
  Challenge challenge_;
  Proof proof_;
  Answer answer_;
  size_t next_ = 0;  // endpoint
  int passes_ = 0;   // over all of them
  uint64_t attempt_ = 0;
  bool late_ = false, stopped_ = false;
  std::string trouble_ = "no attempt has ended yet";
};

}  // namespace ccl::tcp

#endif  // TRANSPORTS_TCP_CALLER_H_
