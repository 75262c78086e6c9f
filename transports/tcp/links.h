// Messages between one rank and all others, over connections that have been made.
#ifndef TRANSPORTS_TCP_LINKS_H_
#define TRANSPORTS_TCP_LINKS_H_

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "ccl/backend/backend.h"
#include "transports/staging.h"
#include "transports/tcp/wire.h"

struct iovec;

namespace ccl::tcp {

// Has no thread: things move inside Post, Push and Progress. Not thread-safe. Sockets are looked at and
// waited for by poll(2) and never block: a message costs no allocation, no callback and no lock.
//
// A peer whose connection ends without a farewell, or whose bytes make no sense, is an error that names
// it. One that has said farewell is an error for those who still wait for it; at once, but for one that has
// given up by itself: ranks that disagree each have an error of their own to find that tells more. So is one from which nothing has come for `timeout` though its system owes an answer: the host is
// gone, or the way to it. A process that computes and does not call is not silent, its system answers.
class Links {
 public:
  // Messages in it are the transport's own: their completions are only counted.
  static constexpr uint32_t kControlContext = UINT32_MAX;

  // `sockets` and `names`, for reports, by rank. None for the own rank: what it sends to itself is copied.
  // Takes the sockets.
  Links(int rank, std::vector<std::vector<int>> sockets, std::vector<std::string> names,
        std::chrono::milliseconds timeout);
  // Says farewell, orderly or not. Blocks until the peers' systems have what was sent: after an orderly
  // end not longer than `timeout`, after a failure a moment.
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  // kSend, kRecv or kRecvReduce with another rank or the own, with real bytes.
  void Post(const Operation& operation);
  // What has been posted goes out.
  void Push();
  // Appends completions. The first error stays.
  absl::Status Progress(std::vector<Completion>& done);
  // Sleeps until a socket is ready, but not longer.
  void Wait(std::chrono::microseconds longest);
  bool busy() const { return under_way_ > 0; }
  uint64_t control_completed() const { return control_completed_; }
  // Whether a peer has said farewell: what it has not sent will not come.
  bool HasLeft(int peer) const { return peers_[static_cast<size_t>(peer)].gone; }
  // Makes that an error, of who waits for it by other ways.
  void Miss(int peer);

 private:
  struct Message {
    OperationKind kind = OperationKind::kSend;
    uint16_t channel = 0;
    bool active = false, granted = false;
    int32_t peer = 0;
    uint32_t context = 0;
    uint32_t other = kNone;   // its number at the peer
    uint32_t frames = 0;      // going out
    uint64_t bytes = 0, token = 0;
    uint64_t left = 0;        // that have not come
    uint64_t begun = 0;       // of bodies that have begun to come
    uint64_t next = 0;        // first byte that no frame has taken
    Consumer* consumer = nullptr;
    std::vector<ConstPiece> src;
    std::vector<Piece> dst;
  };
  // A message that has come, or begun to, before its receive.
  struct Arrival {
    uint16_t channel = 0;
    uint32_t context = 0;
    uint64_t bytes = 0;
    uint64_t number = 0;       // the sender's
    bool waits = false;        // its bytes are with the sender
    uint32_t left = 0;         // bytes that have not come
    uint32_t message = kNone;  // its receive, posted meanwhile
    Staging::Block block;
  };
  struct Place {
    int peer;
    uint32_t wire;
  };
  struct Expected {
    uint32_t context;
    uint16_t channel;
    uint32_t message;
  };
  struct Peer {
    std::vector<Wire> wires;
    std::vector<Expected> posted;      // receives without a message
    std::vector<uint32_t> arrivals;    // messages without a receive
    std::vector<uint32_t> bodies;      // that may go out
    size_t bodies_first = 0;
    uint32_t expecting = 0;            // messages of which segments are to come
    uint32_t under_way = 0;
    uint64_t short_sent = 0, short_credit = 0;  // to it
    uint64_t short_come = 0, short_taken = 0, short_told = 0;  // from it
    bool gone = false;
    int looks = 0;                     // at it since then, though it is waited for
    int culprit = -1;                  // whose failure has made it go; -1: all was done
  };

  // links.cc: matching.
  uint32_t NewMessage(const Operation& operation);
  uint32_t NewArrival(const Frame& frame);
  void PostSend(const Operation& operation);
  void Announce(const Operation& operation);
  void PostRecv(const Operation& operation);
  void Match(uint32_t message, uint32_t arrival);
  // Else both sides fail.
  bool Agrees(const Message& m, uint64_t sent);
  void Take(uint32_t message, const std::byte* bytes);
  void TakeOwn(uint32_t message, uint32_t sender);
  void Credit(int peer, uint64_t bytes);
  void Complete(uint32_t message);
  std::string Describe(OperationKind kind, int peer, uint64_t bytes, uint32_t context, uint16_t channel) const;
  std::string Describe(const Message& m) const { return Describe(m.kind, m.peer, m.bytes, m.context, m.channel); }
  std::string NameOf(int peer) const;
  void Fail(absl::Status status);
  void Lost(int peer, const std::string& how);

  // reading.cc
  void Read(int peer, Wire& wire);
  uint32_t Parse(int peer, Wire& wire, const std::byte* bytes, uint32_t count);
  bool Begin(int peer, Wire& wire);
  bool BeginMessage(int peer, Wire& wire);
  void End(int peer, Wire& wire);
  void Put(Wire& wire, const std::byte* bytes, uint32_t count);
  void Expect(Wire& wire, uint32_t message, uint64_t offset);
  void Closed(int peer, Wire& wire, int error);
  void CheckGone(int peer);
  bool MissedAtOnce(const Peer& peer, int rank) const { return peer.gone && peer.culprit != rank; }
  void Garbage(int peer, const Frame& frame, const char* what);
  void Disagreed(int peer, const Frame& frame);

  // writing.cc
  void Enqueue(int peer, Wire& wire, const Frame& frame, uint32_t message, uint64_t offset);
  void MarkDirty(int peer, uint32_t wire);
  bool Flush(int peer, Wire& wire);
  bool TakeSegment(int peer, Wire& wire);
  void Gone(Wire& wire, uint64_t bytes);

  // lifetime.cc
  void Prime();
  void SayBye(const Place& place, bool orderly);
  bool HasAll(int peer, Wire& wire);

  // waiting.cc
  bool AnyBlocked() const;
  void Look(int64_t timeout_ns);
  void LookForSilent();

  const int rank_;
  const std::vector<std::string> names_;
  const int64_t timeout_ns_;
  std::vector<Peer> peers_;
  std::vector<Message> messages_;
  std::vector<uint32_t> free_messages_;
  std::vector<Arrival> arrivals_;
  std::vector<uint32_t> free_arrivals_;
  std::vector<Completion> ready_;
  std::vector<Place> dirty_;
  std::vector<Place> places_;   // of all wires
  std::vector<pollfd> polls_;   // likewise
  uint64_t pass_ = 0;
  uint32_t under_way_ = 0;
  uint64_t control_completed_ = 0;
  int64_t looked_ns_ = 0;
  int culprit_ = -1;  // whose failure ours is
  absl::Status status_;
  Staging staging_{size_t{64} << 20};
  std::vector<std::byte> scratch_;
};

}  // namespace ccl::tcp

#endif  // TRANSPORTS_TCP_LINKS_H_
