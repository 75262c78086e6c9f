// Looking at connections, and waiting for them.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "transports/tcp/links.h"

namespace ccl::tcp {
namespace {

// So many connections are read from at once rather than asked whether there is something to read.
constexpr size_t kFew = 4;
// Passes in which connections that nothing is expected from are left alone.
constexpr uint64_t kBetweenLooks = 64;
constexpr int kLooks = 3;  // for one who has given up
constexpr int64_t kBetweenChecks = 250'000'000, kPatience = 1'000'000'000;  // ns

int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

}  // namespace

absl::Status Links::Progress(std::vector<Completion>& done) {
  if (!status_.ok()) return status_;
  ++pass_;
  const bool all = pass_ % kBetweenLooks == 0;
  if (places_.size() <= kFew && !AnyBlocked()) {
    for (const Place& place : places_) {
      Peer& peer = peers_[static_cast<size_t>(place.peer)];
      Wire& wire = peer.wires[place.wire];
      if (wire.socket < 0) continue;
      if (place.wire == 0 || peer.expecting > 0 || all) Read(place.peer, wire);
      if (!status_.ok()) return status_;
    }
  } else {
    Look(0);
  }
  if (status_.ok()) Push();
  if (all) LookForSilent();
  done.insert(done.end(), ready_.begin(), ready_.end());
  ready_.clear();
  return status_;
}

// Who fills every gap in a connection at once fills it with small packets, which take the peer's system so
// much memory that it lets nothing more in: a full connection is left alone until it says that there is room.
bool Links::AnyBlocked() const {
  return std::any_of(places_.begin(), places_.end(), [&](const Place& place) {
    return peers_[static_cast<size_t>(place.peer)].wires[place.wire].blocked;
  });
}

// Reads from those that have something.
void Links::Look(int64_t timeout_ns) {
  for (size_t i = 0; i < polls_.size(); ++i) {
    const Wire& wire = peers_[static_cast<size_t>(places_[i].peer)].wires[places_[i].wire];
    polls_[i].events = static_cast<short>(POLLIN | (wire.blocked ? POLLOUT : 0));
  }
  const timespec timeout{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
  int ready = ppoll(polls_.data(), polls_.size(), &timeout, nullptr);
  for (size_t i = 0; i < polls_.size() && ready > 0 && status_.ok(); ++i) {
    const short events = polls_[i].revents;
    if (polls_[i].fd < 0 || events == 0) continue;
    --ready;
    const Place place = places_[i];
    Wire& wire = peers_[static_cast<size_t>(place.peer)].wires[place.wire];
    if ((events & POLLOUT) != 0) {
      wire.blocked = false;
      MarkDirty(place.peer, place.wire);
    }
    if ((events & ~POLLOUT) != 0) Read(place.peer, wire);
  }
}

void Links::Wait(std::chrono::microseconds longest) {
  if (!status_.ok() || !ready_.empty()) return;
  Look(dirty_.empty() ? std::chrono::nanoseconds(longest).count() : 0);
  if (status_.ok()) Push();
  LookForSilent();
}

// The system repeats what is not acknowledged for a quarter of an hour. Here it is known since when the
// peer's system has not acknowledged anything though it should; idle connections are asked by the system
// itself, once a second. A peer that does not read acknowledges all the same.
void Links::LookForSilent() {
  const int64_t now = Now();
  if (now - looked_ns_ < kBetweenChecks || !status_.ok()) return;
  looked_ns_ = now;
  for (size_t i = 0; i < peers_.size(); ++i) {
    Peer& peer = peers_[i];
    if (peer.gone && peer.under_way > 0 && ++peer.looks > kLooks) return Miss(static_cast<int>(i));
  }
  for (const Place& place : places_) {
    Wire& wire = peers_[static_cast<size_t>(place.peer)].wires[place.wire];
    if (wire.socket < 0) continue;
    tcp_info info{};
    socklen_t length = sizeof info;
    if (getsockopt(wire.socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) continue;
    if (info.tcpi_unacked == 0 && info.tcpi_probes == 0) {
      wire.unanswered_ns = 0;
      continue;
    }
    if (wire.unanswered_ns == 0) wire.unanswered_ns = now;
    const int64_t silent = int64_t{info.tcpi_last_ack_recv} * 1'000'000;
    if (silent > timeout_ns_ && now - wire.unanswered_ns > kPatience) {
      return Lost(place.peer, absl::StrCat(" is silent: nothing has come from its host for ",
                                           silent / 1'000'000, " ms"));
    }
  }
}

}  // namespace ccl::tcp
