// How connections begin and end.
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "transports/tcp/links.h"

namespace ccl::tcp {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kAfterFailure(200);
constexpr std::chrono::microseconds kFirstPause(20), kLongestPause(2000);
constexpr uint64_t kMostDrained = 4 << 20;  // before others have their turn
constexpr size_t kScratchBytes = 16 << 10;

// The system asks the peer's whether it is there, when nothing else is under way.
void Prepare(int socket, int64_t timeout_ns) {
  fcntl(socket, F_SETFD, FD_CLOEXEC);  // a program that this one starts would keep it open after a crash
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
  const int on = 1, second = 1;
  const int count = static_cast<int>(std::clamp<int64_t>(timeout_ns / 1'000'000'000, 1, 127));
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &second, sizeof second);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &second, sizeof second);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

}  // namespace

Links::Links(int rank, std::vector<std::vector<int>> sockets, std::vector<std::string> names,
             std::chrono::milliseconds timeout)
    : rank_(rank),
      names_(std::move(names)),
      timeout_ns_(std::chrono::nanoseconds(timeout).count()),
      peers_(names_.size()),
      scratch_(kScratchBytes) {
  for (size_t peer = 0; peer < sockets.size(); ++peer) {
    peers_[peer].wires.resize(sockets[peer].size());
    for (size_t i = 0; i < sockets[peer].size(); ++i) {
      peers_[peer].wires[i].socket = sockets[peer][i];
      Prepare(sockets[peer][i], timeout_ns_);
      places_.push_back({static_cast<int>(peer), static_cast<uint32_t>(i)});
      polls_.push_back({sockets[peer][i], POLLIN, 0});
    }
  }
  Prime();
}

// What a busy rank needs, so that messages take no memory. Beyond, everything grows.
void Links::Prime() {
  constexpr size_t kMessages = 128, kPieces = 8, kBlocks = 128;
  // Of each of a few peers; most of many are hardly ever talked to.
  const size_t per_peer = std::min<size_t>(64, 1024 / peers_.size()), frames = per_peer / 4;
  constexpr uint64_t kEachSize = 1 << 20;  // bytes
  const auto prime = [](std::vector<uint32_t>& free) {
    for (uint32_t i = kMessages; i-- > 0;) free.push_back(i);
  };
  messages_.resize(kMessages);
  for (Message& m : messages_) {
    m.src.reserve(kPieces);
    m.dst.reserve(kPieces);
  }
  prime(free_messages_);
  arrivals_.resize(kMessages);
  prime(free_arrivals_);
  ready_.reserve(kMessages);
  dirty_.reserve(places_.size());
  for (Peer& peer : peers_) {
    peer.posted.reserve(per_peer);
    peer.arrivals.reserve(per_peer);
    peer.bodies.reserve(per_peer);
    for (Wire& wire : peer.wires) wire.out.reserve(frames);
  }
  for (uint64_t bytes = 256; bytes <= kShortBytes; bytes *= 2) {
    std::vector<Staging::Block> blocks(std::min<uint64_t>(kBlocks, kEachSize / bytes));
    for (Staging::Block& block : blocks) block = staging_.Take(bytes);
    for (const Staging::Block& block : blocks) staging_.Give(block);
  }
}

// A close while something has not been read, or an answer that comes after it, has the system throw away
// what the peer's has not got. So that is waited for, and what comes meanwhile is read.
Links::~Links() {
  const bool orderly = status_.ok() && under_way_ == 0;
  const std::chrono::nanoseconds timeout(timeout_ns_);
  const Clock::time_point deadline = Clock::now() + (orderly ? timeout : std::min(timeout, {kAfterFailure}));
  for (const Place& place : places_) SayBye(place, orderly);
  std::chrono::microseconds pause = kFirstPause;
  for (bool late = false, open = true; open; late = Clock::now() >= deadline) {
    open = false;
    for (const Place& place : places_) {
      Wire& wire = peers_[static_cast<size_t>(place.peer)].wires[place.wire];
      if (wire.socket < 0) continue;
      if (late || HasAll(place.peer, wire)) {
        close(std::exchange(wire.socket, -1));
      } else {
        open = true;
      }
    }
    if (!open) return;
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, kLongestPause);
  }
}

// Of what is under way the memory may have gone, so nothing more of it goes out. Where a message is cut off
// in the middle there is no place for a farewell.
void Links::SayBye(const Place& place, bool orderly) {
  Peer& peer = peers_[static_cast<size_t>(place.peer)];
  Wire& wire = peer.wires[place.wire];
  if (wire.socket < 0) return;
  peer.bodies.clear();
  peer.bodies_first = 0;
  if (!orderly) {
    const size_t begun = wire.out_gone > 0 ? 1 : 0;
    if (begun > 0 && wire.out[wire.out_first].frame.length > 0) {
      close(std::exchange(wire.socket, -1));
      return;
    }
    wire.out.resize(wire.out_first + begun);
    for (Wire::Out& out : wire.out) out.message = kNone;
  }
  const int culprit = culprit_ >= 0 ? culprit_ : rank_;
  const Frame bye{.kind = FrameKind::kBye, .a = orderly ? 0 : static_cast<uint64_t>(culprit) + 1};
  wire.out.push_back({.frame = bye});
}

// Whether all is with the peer's system, or nothing more will be. Whose fault it is is not waited for.
bool Links::HasAll(int peer, Wire& wire) {
  wire.blocked = false;
  while (!wire.idle() && Flush(peer, wire)) {
  }
  if (wire.idle()) shutdown(wire.socket, SHUT_WR);
  const int on = 1;
  setsockopt(wire.socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);  // the peer waits likewise
  for (uint64_t drained = 0; drained < kMostDrained;) {
    const ssize_t got = recv(wire.socket, scratch_.data(), scratch_.size(), MSG_DONTWAIT);
    if (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return true;
    if (got <= 0) break;
    drained += static_cast<uint64_t>(got);
  }
  tcp_info info{};
  socklen_t length = sizeof info;
  const bool known = getsockopt(wire.socket, IPPROTO_TCP, TCP_INFO, &info, &length) == 0;
  if (peer == culprit_ || !known || info.tcpi_state == TCP_CLOSE) return true;
  int unanswered = 0;
  return wire.idle() && ioctl(wire.socket, SIOCOUTQ, &unanswered) == 0 && unanswered == 0;
}

}  // namespace ccl::tcp
