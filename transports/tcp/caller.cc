#include "transports/tcp/caller.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "transports/tcp/congestion.h"

namespace ccl::tcp {
namespace {

using Error = boost::system::error_code;

constexpr std::chrono::milliseconds kAttempt(3000), kFirstPause(5), kLongestPause(200);

}  // namespace

asio::ip::tcp::endpoint EndpointOf(const Ip& ip, uint16_t port) {
  asio::ip::address_v6::bytes_type bytes;
  std::copy(ip.begin(), ip.end(), bytes.begin());
  const asio::ip::address_v6 v6(bytes);
  if (v6.is_v4_mapped()) return {asio::ip::make_address_v4(asio::ip::v4_mapped, v6), port};
  return {v6, port};
}

Ip IpOf(const asio::ip::address& address) {
  const asio::ip::address_v6 v6 =
      address.is_v6() ? address.to_v6() : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4());
  Ip ip;
  const asio::ip::address_v6::bytes_type bytes = v6.to_bytes();
  std::copy(bytes.begin(), bytes.end(), ip.begin());
  return ip;
}

Caller::Caller(asio::io_context& context, std::vector<asio::ip::tcp::endpoint> endpoints, const Secret& secret,
               const Hello& hello, const Announcement& says, const std::string& congestion, Answered answered)
    : socket_(context),
      timer_(context),
      endpoints_(std::move(endpoints)),
      secret_(secret),
      says_(says),
      congestion_(congestion),
      answered_(std::move(answered)),
      hello_(hello) {}

void Caller::Limit(std::chrono::milliseconds time) {
  late_ = false;
  timer_.expires_after(time);
  timer_.async_wait([self = shared_from_this(), attempt = attempt_](const Error& error) {
    if (error || self->attempt_ != attempt) return;
    self->late_ = true;
    Error ignored;
    self->socket_.close(ignored);  // what is under way fails
  });
}

void Caller::Unlimit() { timer_.cancel(); }

void Caller::Start() {
  if (stopped_ || endpoints_.empty()) return;
  ++attempt_;
  Limit(kAttempt);
  Error error;
  socket_.open(endpoints_[next_].protocol(), error);
  // What cannot be had has been said by who opened the listener.
  if (!error) SetCongestion(socket_.native_handle(), congestion_).IgnoreError();
  socket_.async_connect(endpoints_[next_], [self = shared_from_this()](const Error& error) {
    if (error) return self->Again(error.message());
    self->Greet();
  });
}

void Caller::Greet() {
  const absl::StatusOr<Nonce> nonce = NewNonce();
  if (!nonce.ok()) return Again(std::string(nonce.status().message()));
  hello_.nonce = *nonce;
  Error ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  asio::async_write(socket_, asio::buffer(&hello_, sizeof hello_),
                    [self = shared_from_this()](const Error& error, size_t) {
                      if (error) return self->Again(error.message());
                      asio::async_read(self->socket_, asio::buffer(&self->challenge_, sizeof self->challenge_),
                                       [self](const Error& failed, size_t) {
                                         if (failed) return self->Again(failed.message());
                                         self->Prove();
                                       });
                    });
}

void Caller::Prove() {
  if (challenge_.magic != kMagic) return Again("what answers there is not this library");
  if (challenge_.version != kVersion) {
    return Again(absl::StrCat("it speaks version ", challenge_.version, ", this process ", kVersion));
  }
  if (!SameHash(HostHash(secret_, hello_, challenge_.nonce), challenge_.hash)) {
    return Again("who answers there does not know this job's secret");
  }
  proof_.announcement = says_;
  proof_.hash = GuestHash(secret_, hello_, challenge_.nonce, says_);
  asio::async_write(socket_, asio::buffer(&proof_, sizeof proof_),
                    [self = shared_from_this()](const Error& error, size_t) {
                      if (error) return self->Again(error.message());
                      self->Hear();
                    });
}

// May take as long as others take to come.
void Caller::Hear() {
  Unlimit();
  trouble_ = "it has not answered: others are missing there, perhaps";
  asio::async_read(socket_, asio::buffer(&answer_, sizeof answer_),
                   [self = shared_from_this()](const Error& error, size_t) {
                     if (error) return self->Again("it ended the connection without an answer");
                     if (self->stopped_) return;
                     const bool good = self->answer_.magic == kMagic &&
                                       self->answered_(self->socket_, self->answer_);
                     if (!good) self->Again("its answer makes no sense");
                   });
}

void Caller::Again(const std::string& why) {
  Error ignored;
  socket_.close(ignored);
  if (stopped_) return;
  trouble_ = absl::StrCat(ToString(IpOf(endpoints_[next_].address()), endpoints_[next_].port()), ": ",
                          late_ ? "no answer in time" : why);
  ++attempt_;
  if (++next_ < endpoints_.size()) return Start();
  next_ = 0;
  const auto pause = std::min(kLongestPause, kFirstPause * (1 << std::min(passes_++, 6)));
  timer_.expires_after(pause);
  timer_.async_wait([self = shared_from_this()](const Error& error) {
    if (!error) self->Start();
  });
}

void Caller::Stop() {
  stopped_ = true;
  Unlimit();
}

}  // namespace ccl::tcp
