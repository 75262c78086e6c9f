#include "transports/tcp/meeting.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "ccl/base/status.h"
#include "transports/tcp/caller.h"
#include "transports/tcp/reception.h"

namespace ccl::tcp {
namespace {

using Error = boost::system::error_code;

constexpr int kHost = 0;  // the rank at whose door all meet

std::string HostName() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

// Containers and network namespaces share the boot, and may have names of their own.
uint64_t HostNumber() {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  const std::string text = HostName() + "/" + boot;
  return SipHash({}, text.data(), text.size());
}

// The address by which it is seen goes into the place that a rank has left for it.
void FillIn(Announcement& says, const asio::ip::tcp::socket& socket) {
  if (!IsUnspecified(says.addresses[0])) return;
  Error error;
  const asio::ip::tcp::endpoint seen = socket.remote_endpoint(error);
  if (!error) says.addresses[0] = IpOf(seen.address());
}

std::string Describe(const Announcement& says) {
  return absl::StrCat("rank ", says.rank, " (process ", says.process, " on ", says.host_name, ")");
}

// What must be equal, or both sides of it.
absl::Status SameJob(const Announcement& own, const Announcement& says) {
  const auto differs = [&](const char* what, int here, int there) {
    return absl::InvalidArgumentError(absl::StrCat(Describe(own), " has ", what, " ", here, ", ", Describe(says),
                                                   " ", there, "; they are equal on all ranks"));
  };
  if (own.ranks != says.ranks) return differs("ranks", int(own.ranks), int(says.ranks));
  if (own.connections != says.connections) return differs("connections", own.connections, says.connections);
  if (own.shares != says.shares) return differs("shm", own.shares, says.shares);
  if (says.rank >= own.ranks) {
    return absl::InvalidArgumentError(absl::StrCat(Describe(says), " is not in 0..", own.ranks - 1));
  }
  return absl::OkStatus();
}

class Host {
 public:
  Host(asio::io_context& context, const Settings& settings, const Place& place, const Announcement& own)
      : own_(own),
        come_(own.ranks, false),
        sockets_(own.ranks),
        reception_(context, *place.door, settings.secret, Purpose::kMeeting, place.session, kHost,
                   [this](asio::ip::tcp::socket socket, const Hello&, const Announcement& says) {
                     Admit(std::move(socket), says);
                   }) {
    table_.ranks.resize(own.ranks);
    Enter(own);
  }

  bool done() const { return !error_.ok() || (told_ && writing_ == 0); }

  absl::StatusOr<Table> Result() {
    if (!error_.ok()) return error_;
    if (done()) return std::move(table_);
    std::string missing;
    for (size_t rank = 0; rank < come_.size(); ++rank) {
      if (missing.size() > 100) break;
      if (!come_[rank]) absl::StrAppend(&missing, missing.empty() ? "" : ", ", rank);
    }
    return absl::UnavailableError(absl::StrCat(
        Describe(own_), ": not all ranks have come to the meeting in time; missing: ", missing, ". ",
        reception_.strangers(), " strangers were turned away, ", reception_.imposters(),
        " of them with a wrong secret"));
  }

 private:
  using Socket = std::shared_ptr<asio::ip::tcp::socket>;

  void Admit(asio::ip::tcp::socket socket, Announcement says) {
    FillIn(says, socket);
    const auto shared = std::make_shared<asio::ip::tcp::socket>(std::move(socket));
    if (absl::Status same = SameJob(own_, says); !same.ok()) {
      // Nothing can come of it any more: all hear why.
      error_ = same;
      Refuse(shared, same);
      for (const Socket& other : sockets_) {
        if (other != nullptr) Refuse(other, same);
      }
      return;
    }
    if (come_[says.rank] && (sockets_[says.rank] == nullptr || !Gone(*sockets_[says.rank]))) {
      return Refuse(shared, absl::InvalidArgumentError(absl::StrCat(
                                Describe(says), " comes second: there is ", Describe(table_.ranks[says.rank]))));
    }
    sockets_[says.rank] = shared;
    Enter(says);
  }

  void Enter(const Announcement& says) {
    if (!come_[says.rank]) ++count_;
    come_[says.rank] = true;
    table_.ranks[says.rank] = says;
    if (count_ == come_.size()) Tell();
  }

  void Tell() {
    absl::StatusOr<Nonce> lot = NewNonce();
    if (!lot.ok()) {
      error_ = lot.status();
      return;
    }
    std::memcpy(&table_.session, lot->data(), sizeof table_.session);
    const size_t bytes = table_.ranks.size() * sizeof(Announcement);
    const Answer answer{.kind = AnswerKind::kTable, .length = static_cast<uint32_t>(bytes),
                        .session = table_.session};
    text_.assign(reinterpret_cast<const char*>(&answer), sizeof answer);
    text_.append(reinterpret_cast<const char*>(table_.ranks.data()), bytes);
    told_ = true;
    for (const Socket& socket : sockets_) {
      if (socket == nullptr) continue;
      ++writing_;
      asio::async_write(*socket, asio::buffer(text_), [this, socket](const Error&, size_t) { --writing_; });
    }
  }

  // Short enough for the system's buffers, so it does not wait for anybody to read it.
  static void Refuse(const Socket& socket, const absl::Status& why) {
    const std::string text(why.message().substr(0, kLongestRefusal));
    const Answer answer{.kind = AnswerKind::kRefusal, .length = static_cast<uint32_t>(text.size())};
    Error ignored;
    socket->non_blocking(true, ignored);
    asio::write(*socket, asio::buffer(&answer, sizeof answer), ignored);
    asio::write(*socket, asio::buffer(text), ignored);
  }

  static bool Gone(asio::ip::tcp::socket& socket) {
    char byte;
    return recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }

  const Announcement own_;
  Table table_;
  std::vector<bool> come_;
  size_t count_ = 0;
  std::vector<Socket> sockets_;
  std::string text_;
  bool told_ = false;
  size_t writing_ = 0;
  absl::Status error_;
  Reception reception_;
};

// One who has called the host.
class Visit {
 public:
  Visit(asio::io_context& context, const Settings& settings, const Place& place, const Announcement& own)
      : own_(own) {
    std::vector<asio::ip::tcp::endpoint> endpoints;
    for (const Ip& ip : place.addresses) endpoints.push_back(EndpointOf(ip, place.port));
    const Hello hello{.purpose = Purpose::kMeeting, .session = place.session, .rank = own.rank, .called = kHost};
    caller_ = std::make_shared<Caller>(
        context, std::move(endpoints), settings.secret, hello, own, settings.congestion,
        [this](asio::ip::tcp::socket& socket, const Answer& answer) { return Hear(socket, answer); });
    caller_->Start();
  }
  ~Visit() { caller_->Stop(); }

  bool done() const { return done_ || !error_.ok(); }

  absl::StatusOr<Table> Result() {
    if (!error_.ok()) return error_;
    if (done_) return std::move(table_);
    return absl::UnavailableError(
        absl::StrCat(Describe(own_), ": the meeting did not come about in time: ", caller_->trouble()));
  }

 private:
  bool Hear(asio::ip::tcp::socket& socket, const Answer& answer) {
    const bool table = answer.kind == AnswerKind::kTable;
    const size_t bytes = table ? own_.ranks * sizeof(Announcement) : kLongestRefusal;
    if (table ? answer.length != bytes : answer.kind != AnswerKind::kRefusal || answer.length > bytes) {
      return false;
    }
    text_.resize(answer.length);
    table_.session = answer.session;
    asio::async_read(socket, asio::buffer(text_), [this, &socket, table](const Error& error, size_t) {
      if (error) {
        error_ = absl::UnavailableError(absl::StrCat(Describe(own_), ": the meeting's host has gone: ", error.message()));
      } else if (!table) {
        error_ = absl::InvalidArgumentError(absl::StrCat(Describe(own_), " was refused: ", text_));
      } else {
        Take(socket);
      }
    });
    return true;
  }

  void Take(const asio::ip::tcp::socket& socket) {
    table_.ranks.resize(own_.ranks);
    std::memcpy(table_.ranks.data(), text_.data(), text_.size());
    for (size_t rank = 0; rank < table_.ranks.size(); ++rank) {
      Announcement& says = table_.ranks[rank];
      says.host_name[sizeof says.host_name - 1] = '\0';
      FillIn(says, socket);  // only the host has left a place
      if (says.rank == rank) continue;
      error_ = absl::UnavailableError(absl::StrCat(Describe(own_), ": the meeting's table is out of order"));
      return;
    }
    done_ = true;
  }

  const Announcement own_;
  std::shared_ptr<Caller> caller_;
  std::string text_;
  Table table_;
  bool done_ = false;
  absl::Status error_;
};

template <typename Party>
void Run(asio::io_context& context, const Party& party, Deadline deadline) {
  const auto guard = asio::make_work_guard(context);
  while (!party.done() && std::chrono::steady_clock::now() < deadline) context.run_one_until(deadline);
}

}  // namespace

Announcement AnnounceSelf(const Settings& settings, const Listener& listener, absl::Span<const Ip> addresses) {
  Announcement own;
  own.rank = static_cast<uint32_t>(settings.rank);
  own.ranks = static_cast<uint32_t>(settings.ranks);
  // The first is for who sees this process, unless the user has said by which way he wants it.
  size_t place = settings.interface.empty() ? 1 : 0;
  for (const Ip& ip : addresses) {
    if (place < Announcement::kAddresses) own.addresses[place++] = ip;
  }
  own.port = listener.port();
  own.connections = static_cast<uint8_t>(settings.connections);
  own.shares = settings.shares ? 1 : 0;
  own.process = static_cast<uint32_t>(getpid());
  own.host = HostNumber();
  const std::string name = HostName();
  name.copy(own.host_name, sizeof own.host_name - 1);
  return own;
}

absl::StatusOr<Table> Meet(const Settings& settings, const Place& place, const Announcement& own,
                           Deadline deadline) {
  asio::io_context context;
  if (place.door != nullptr) {
    Host host(context, settings, place, own);
    Run(context, host, deadline);
    return host.Result();
  }
  Visit visit(context, settings, place, own);
  Run(context, visit, deadline);
  return visit.Result();
}

}  // namespace ccl::tcp
