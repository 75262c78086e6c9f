// From a table to connections between all its ranks.
#include <unistd.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "transports/tcp/caller.h"
#include "transports/tcp/meeting.h"
#include "transports/tcp/reception.h"

namespace ccl::tcp {
namespace {

using Error = boost::system::error_code;

class Connecting {
 public:
  Connecting(asio::io_context& context, const Settings& settings, const Table& table, const Listener& listener)
      : settings_(settings),
        table_(table),
        sockets_(table.ranks.size()),
        reception_(context, listener, settings.secret, Purpose::kPeer, table.session, settings.rank,
                   [this](asio::ip::tcp::socket socket, const Hello& hello, const Announcement&) {
                     Admit(std::move(socket), hello);
                   }) {
    for (int peer = 0; peer < settings_.ranks; ++peer) {
      if (peer == settings_.rank) continue;
      const size_t count = static_cast<size_t>(ConnectionsOf(settings_, table_, peer, settings_.rank));
      sockets_[static_cast<size_t>(peer)].assign(count, -1);
      missing_ += count;
      for (size_t i = 0; i < count && peer < settings_.rank; ++i) Call(context, peer, i);
    }
  }
  ~Connecting() {
    for (const Outgoing& call : calls_) call.caller->Stop();
    for (const std::vector<int>& of_one : sockets_) {
      for (int socket : of_one) {
        if (socket >= 0) close(socket);
      }
    }
  }

  bool done() const { return missing_ == 0 && welcoming_ == 0; }

  absl::StatusOr<std::vector<std::vector<int>>> Result() {
    if (done()) return std::exchange(sockets_, {});
    for (const Outgoing& call : calls_) {
      if (sockets_[static_cast<size_t>(call.peer)][call.connection] >= 0) continue;
      return absl::UnavailableError(absl::StrCat("rank ", settings_.rank, " cannot reach ", NameOf(call.peer),
                                                 ": ", call.caller->trouble()));
    }
    for (int peer = settings_.rank + 1; peer < settings_.ranks; ++peer) {
      const std::vector<int>& of_one = sockets_[static_cast<size_t>(peer)];
      if (std::find(of_one.begin(), of_one.end(), -1) == of_one.end()) continue;
      return absl::UnavailableError(
          absl::StrCat("rank ", settings_.rank, ": ", NameOf(peer), " has not connected in time"));
    }
    return absl::UnavailableError(absl::StrCat("rank ", settings_.rank, ": connecting took too long"));
  }

 private:
  struct Outgoing {
    int peer;
    size_t connection;
    std::shared_ptr<Caller> caller;
  };

  std::string NameOf(int peer) const {
    return absl::StrCat("rank ", peer, " (on ", table_.ranks[static_cast<size_t>(peer)].host_name, ")");
  }

  void Call(asio::io_context& context, int peer, size_t connection) {
    const Announcement& says = table_.ranks[static_cast<size_t>(peer)];
    std::vector<asio::ip::tcp::endpoint> endpoints;
    for (const Ip& ip : says.addresses) {
      if (!IsUnspecified(ip)) endpoints.push_back(EndpointOf(ip, says.port));
    }
    const Hello hello{.purpose = Purpose::kPeer, .connection = static_cast<uint8_t>(connection),
                      .session = table_.session, .rank = static_cast<uint32_t>(settings_.rank),
                      .called = static_cast<uint32_t>(peer)};
    const auto answered = [this, peer, connection](asio::ip::tcp::socket& socket, const Answer& answer) {
      if (answer.kind != AnswerKind::kWelcome || answer.length != 0) return false;
      Keep(peer, connection, socket.release());
      return true;
    };
    calls_.push_back({peer, connection,
                      std::make_shared<Caller>(context, std::move(endpoints), settings_.secret, hello,
                                               Announcement{}, settings_.congestion, answered)});
    calls_.back().caller->Start();
  }

  void Admit(asio::ip::tcp::socket socket, const Hello& hello) {
    const int peer = static_cast<int>(hello.rank);
    if (hello.rank >= sockets_.size() || peer <= settings_.rank ||
        hello.connection >= sockets_[hello.rank].size()) {
      return;
    }
    // One that comes again has not had its welcome.
    const auto shared = std::make_shared<asio::ip::tcp::socket>(std::move(socket));
    ++welcoming_;
    asio::async_write(*shared, asio::buffer(&welcome_, sizeof welcome_),
                      [this, shared, peer, connection = hello.connection](const Error& error, size_t) {
                        --welcoming_;
                        if (!error) Keep(peer, connection, shared->release());
                      });
  }

  void Keep(int peer, size_t connection, int socket) {
    int& place = sockets_[static_cast<size_t>(peer)][connection];
    if (place < 0) --missing_;
    if (place >= 0) close(place);
    place = socket;
  }

  const Settings& settings_;
  const Table& table_;
  const Answer welcome_;
  std::vector<std::vector<int>> sockets_;
  size_t missing_ = 0, welcoming_ = 0;
  std::vector<Outgoing> calls_;
  Reception reception_;
};

}  // namespace

int ConnectionsOf(const Settings& settings, const Table& table, int a, int b) {
  // Ranks of a host that share memory have one to notice each other's end by.
  const bool here = table.ranks[static_cast<size_t>(a)].host == table.ranks[static_cast<size_t>(b)].host;
  return here && settings.shares ? 1 : settings.connections;
}

absl::StatusOr<std::vector<std::vector<int>>> Connect(const Settings& settings, const Table& table,
                                                      const Listener& listener, Deadline deadline) {
  asio::io_context context;
  const auto guard = asio::make_work_guard(context);
  Connecting connecting(context, settings, table, listener);
  while (!connecting.done() && std::chrono::steady_clock::now() < deadline) context.run_one_until(deadline);
  return connecting.Result();
}

}  // namespace ccl::tcp
