#include "transports/tcp/reception.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <utility>

namespace ccl::tcp {
namespace {

using Error = boost::system::error_code;

constexpr std::chrono::seconds kHandshake(5);
constexpr std::chrono::milliseconds kRest(20);

}  // namespace

// Kept alive by what it waits for. Says nothing to its reception when that is gone: who closes it sets
// `reception_` to null.
class Reception::Guest : public std::enable_shared_from_this<Guest> {
 public:
  Guest(Reception* reception, asio::ip::tcp::socket socket)
      : reception_(reception), socket_(std::move(socket)), timer_(reception->context_) {}

  void Start() {
    timer_.expires_after(kHandshake);
    timer_.async_wait([self = shared_from_this()](const Error& error) {
      if (!error) self->Leave();
    });
    asio::async_read(socket_, asio::buffer(&hello_, sizeof hello_),
                     [self = shared_from_this()](const Error& error, size_t) {
                       if (error || !self->Answer()) self->Leave();
                     });
  }

  void Close() {
    reception_ = nullptr;
    Error ignored;
    socket_.close(ignored);
    timer_.cancel(ignored);
  }

 private:
  // A guest of another version is told ours: it can say what is wrong.
  bool Answer() {
    if (reception_ == nullptr || hello_.magic != kMagic) return false;
    const absl::StatusOr<Nonce> nonce = NewNonce();
    if (!nonce.ok()) return false;
    challenge_.nonce = *nonce;
    challenge_.hash = HostHash(reception_->secret_, hello_, *nonce);
    asio::async_write(socket_, asio::buffer(&challenge_, sizeof challenge_),
                      [self = shared_from_this()](const Error& error, size_t) {
                        if (error || !self->Hear()) self->Leave();
                      });
    return true;
  }

  bool Hear() {
    if (reception_ == nullptr || hello_.version != kVersion || hello_.purpose != reception_->purpose_ ||
        hello_.session != reception_->session_ || hello_.called != reception_->rank_) {
      return false;
    }
    asio::async_read(socket_, asio::buffer(&proof_, sizeof proof_),
                     [self = shared_from_this()](const Error& error, size_t) {
                       if (error || !self->Believed()) self->Leave();
                     });
    return true;
  }

  bool Believed() {
    if (reception_ == nullptr || proof_.magic != kMagic) return false;
    const uint64_t hash = GuestHash(reception_->secret_, hello_, challenge_.nonce, proof_.announcement);
    if (!SameHash(hash, proof_.hash)) {
      ++reception_->imposters_;
      return false;
    }
    Reception* const reception = std::exchange(reception_, nullptr);
    timer_.cancel();
    proof_.announcement.host_name[sizeof proof_.announcement.host_name - 1] = '\0';
    reception->Remove(this);
    reception->admit_(std::move(socket_), hello_, proof_.announcement);
    return true;
  }

  void Leave() {
    Reception* const reception = reception_;
    Close();
    if (reception == nullptr) return;
    ++reception->strangers_;
    reception->Remove(this);
  }

  Reception* reception_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  Hello hello_;
  Challenge challenge_;
  Proof proof_;
};

Reception::Reception(asio::io_context& context, const Listener& listener, const Secret& secret,
                     Purpose purpose, uint64_t session, int rank, Admit admit)
    : context_(context),
      acceptor_(context),
      rest_(context),
      secret_(secret),
      purpose_(purpose),
      session_(session),
      rank_(static_cast<uint32_t>(rank)),
      admit_(std::move(admit)) {
  const auto protocol = listener.family() == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
  Error error;
  acceptor_.assign(protocol, dup(listener.descriptor()), error);
  if (!error) Accept();
}

Reception::~Reception() {
  for (const std::shared_ptr<Guest>& guest : guests_) guest->Close();
}

void Reception::Accept() {
  acceptor_.async_accept([this](const Error& error, asio::ip::tcp::socket socket) {
    if (error) return Rest();
    if (guests_.size() >= kMostGuests) {
      ++strangers_;
      guests_.front()->Close();
      guests_.pop_front();
    }
    guests_.push_back(std::make_shared<Guest>(this, std::move(socket)));
    guests_.back()->Start();
    Accept();
  });
}

// The process is out of descriptors, perhaps. Some will be free again.
void Reception::Rest() {
  rest_.expires_after(kRest);
  rest_.async_wait([this](const Error& error) {
    if (!error) Accept();
  });
}

void Reception::Remove(const Guest* guest) {
  const auto found =
      std::find_if(guests_.begin(), guests_.end(), [&](const auto& one) { return one.get() == guest; });
  if (found != guests_.end()) guests_.erase(found);
}

}  // namespace ccl::tcp
