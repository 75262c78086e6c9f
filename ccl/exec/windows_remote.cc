// Puts between processes: a head that says where, the bytes, and somebody who listens.
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/backend/copy.h"
#include "ccl/exec/windows.h"

namespace ccl {
namespace {

enum class RmaKind : uint32_t { kPut = 1, kSignal, kOpened, kClosed };

// All that is said begins with one. Plain bytes: it travels.
struct RmaHead {
  RmaKind kind = RmaKind::kSignal;
  int32_t window = -1;
  uint64_t window_size = 0;  // as the sender knows it
  uint64_t offset = 0, bytes = 0;
  uint32_t number = 0;       // of the signal
  uint32_t zero = 0;
};

void Send(Backend& backend, const WindowRoute& route, int rank, int peer, const void* data,
          uint64_t bytes, uint64_t token) {
  const ConstPiece piece{data, bytes};
  Operation operation;
  operation.kind = OperationKind::kSend;
  operation.peer = route.map.world(peer);
  operation.context = route.context;
  operation.channel = route.channel;
  operation.bytes = bytes;
  operation.src = {&piece, 1};
  operation.token = token;
  backend.Post(route.map.world(rank), {&operation, 1});
}

void Receive(Backend& backend, const WindowRoute& route, int rank, int peer, void* data, uint64_t bytes,
             uint64_t token) {
  const Piece piece{data, bytes};
  Operation operation;
  operation.kind = OperationKind::kRecv;
  operation.peer = route.map.world(peer);
  operation.context = route.context;
  operation.channel = route.channel;
  operation.bytes = bytes;
  operation.dst = {&piece, 1};
  operation.token = token;
  backend.Post(route.map.world(rank), {&operation, 1});
}

}  // namespace

int WindowPeers::Open(void* base, uint64_t size) {
  windows_.push_back({static_cast<char*>(base), size});
  ++open_;
  // Whoever waits for a window looks whether it is this one.
  for (Peer& peer : peers_) {
    if (std::vector<uint64_t>* ready = std::exchange(peer.ready, nullptr)) ready->push_back(peer.paused);
  }
  return static_cast<int>(windows_.size()) - 1;
}

bool WindowPeers::Listens(int peer) {
  return peer != rank_ && !std::exchange(peers_[static_cast<size_t>(peer)].listening, true);
}

class RemotePut final : public Work {
 public:
  RemotePut(std::shared_ptr<WindowPeers> peers, WindowRoute route, const Put& put)
      : peers_(std::move(peers)), route_(std::move(route)), put_(put) {
    head_ = {put.window < 0 ? RmaKind::kSignal : RmaKind::kPut, put.window, put.window_size, put.offset,
             put.bytes, put.number};
  }
  void Start(Backend& backend) override {
    started_ = true;
    outstanding_ = put_.bytes > 0 ? 2 : 1;
    Send(backend, route_, put_.rank, put_.peer, &head_, sizeof head_, Token(0));
    if (put_.bytes > 0) Send(backend, route_, put_.rank, put_.peer, put_.data, put_.bytes, Token(0));
  }
  void Complete(uint64_t, Backend&) override { --outstanding_; }
  bool done() const override { return started_ && outstanding_ == 0; }
  size_t outstanding() const override { return outstanding_; }
  std::string Describe() const override {
    if (put_.window < 0) return absl::StrCat("rank ", put_.rank, " signals rank ", put_.peer);
    return absl::StrCat("rank ", put_.rank, " puts ", put_.bytes, " bytes into window ", put_.window,
                        " of rank ", put_.peer);
  }

 private:
  const std::shared_ptr<WindowPeers> peers_;
  const WindowRoute route_;
  const Put put_;
  RmaHead head_;
  size_t outstanding_ = 0;
  bool started_ = false;
};

// To the rank itself: no message.
class OwnPut final : public Work {
 public:
  OwnPut(std::shared_ptr<WindowPeers> peers, void* to, const Put& put)
      : peers_(std::move(peers)), to_(to), put_(put) {}
  void Start(Backend&) override {
    if (put_.bytes > 0) Copy(to_, put_.data, put_.bytes);
    peers_->board()->Arrive(put_.rank, put_.number);
    done_ = true;
  }
  void Complete(uint64_t, Backend&) override {}
  bool done() const override { return done_; }
  size_t outstanding() const override { return 0; }
  std::string Describe() const override { return absl::StrCat("rank ", put_.rank, " puts to itself"); }

 private:
  const std::shared_ptr<WindowPeers> peers_;
  void* const to_;
  const Put put_;
  bool done_ = false;
};

class Announcement final : public Work {
 public:
  Announcement(std::shared_ptr<WindowPeers> peers, WindowRoute route, int window, bool opens)
      : peers_(std::move(peers)), route_(std::move(route)), window_(window), opens_(opens) {
    head_ = {opens ? RmaKind::kOpened : RmaKind::kClosed, window, peers_->window(window).size, 0, 0, 0};
  }
  ~Announcement() override {
    if (peers_->closing_ready_ != nullptr && peers_->closing_ == Token(kClosed)) {
      peers_->closing_ready_ = nullptr;
    }
  }
  void Start(Backend& backend) override {
    started_ = true;
    outstanding_ = static_cast<size_t>(peers_->ranks()) - 1;
    for (int peer = 0; peer < peers_->ranks(); ++peer) {
      if (peer != peers_->rank()) Send(backend, route_, peers_->rank(), peer, &head_, sizeof head_, Token(kSent));
    }
    AwaitPeers();
  }
  void Complete(uint64_t tag, Backend&) override {
    if (tag == kSent) --outstanding_;
    if (tag == kClosed) AwaitPeers();
  }
  bool done() const override { return started_ && outstanding_ == 0 && (opens_ || missing_ == 0); }
  size_t outstanding() const override { return outstanding_; }
  std::string Describe() const override {
    return absl::StrCat("rank ", peers_->rank(), opens_ ? " tells of" : " deregisters", " window ", window_,
                        missing_ > 0 ? absl::StrCat(", as ", missing_, " other ranks have not yet") : "");
  }

 private:
  static constexpr uint64_t kSent = 0, kClosed = 1;

  // Windows are closed in an order that all ranks have in common: their number says which.
  void AwaitPeers() {
    if (opens_) return;
    missing_ = 0;
    for (int peer = 0; peer < peers_->ranks(); ++peer) {
      const auto& there = peers_->peers_[static_cast<size_t>(peer)];
      if (peer != peers_->rank() && there.closed < Closed()) ++missing_;
    }
    if (missing_ == 0) {
      peers_->windows_[static_cast<size_t>(window_)].open = false;
      return;
    }
    peers_->closing_ = Token(kClosed);
    peers_->closing_ready_ = &workspace().ready;
  }
  int Closed() const { return static_cast<int>(peers_->windows_.size()) - peers_->open_; }

  const std::shared_ptr<WindowPeers> peers_;
  const WindowRoute route_;
  const int window_;
  const bool opens_;
  RmaHead head_;
  size_t outstanding_ = 0;
  int missing_ = 0;
  bool started_ = false;
};

class Listener final : public Work {
 public:
  Listener(std::shared_ptr<WindowPeers> peers, WindowRoute route, int peer)
      : peers_(std::move(peers)), route_(std::move(route)), peer_(peer) {}
  ~Listener() override {
    there().listening = false;
    there().ready = nullptr;
  }
  void Start(Backend& backend) override {
    outstanding_ = 1;
    Receive(backend, route_, peers_->rank(), peer_, &head_, sizeof head_, Token(kHead));
  }
  void Complete(uint64_t tag, Backend& backend) override {
    if (tag == kHead) {
      outstanding_ = 0;
      Take(backend);
    } else if (tag == kWindow) {
      Take(backend);
    } else {
      outstanding_ = 0;
      Arrived(backend);
    }
  }
  bool done() const override { return done_; }
  size_t outstanding() const override { return outstanding_; }
  std::string Describe() const override {
    return absl::StrCat("rank ", peers_->rank(), " listens to rank ", peer_);
  }

 private:
  static constexpr uint64_t kHead = 0, kBody = 1, kWindow = 2;

  WindowPeers::Peer& there() { return peers_->peers_[static_cast<size_t>(peer_)]; }

  void Take(Backend& backend) {
    if (!route_.scope->error.ok()) {  // nobody knows any more whose memory it is
      done_ = true;
      return;
    }
    switch (head_.kind) {
      case RmaKind::kSignal:
        return Arrived(backend);
      case RmaKind::kClosed:
        ++there().closed;
        if (std::vector<uint64_t>* ready = std::exchange(peers_->closing_ready_, nullptr)) {
          ready->push_back(peers_->closing_);
        }
        return Next(backend);
      case RmaKind::kOpened:
      case RmaKind::kPut:
        break;
      default:
        return Fail("what came is none of this library's");
    }
    const size_t number = static_cast<size_t>(head_.window);
    if (number >= peers_->windows_.size()) {  // of which it knows before this rank does
      there().paused = Token(kWindow);
      there().ready = &workspace().ready;
      return;
    }
    const WindowPlace& place = peers_->windows_[number];
    if (head_.window_size != place.size) {
      return Fail(absl::StrCat("window ", head_.window, " has ", place.size, " bytes on rank ", peers_->rank(),
                               " and ", head_.window_size, " on rank ", peer_, "; it is the same on all"));
    }
    if (head_.kind == RmaKind::kOpened) return Next(backend);
    if (head_.offset > place.size || head_.bytes > place.size - head_.offset) {
      return Fail(absl::StrCat("rank ", peer_, " puts ", head_.bytes, " bytes at ", head_.offset,
                               " into window ", head_.window, " of ", place.size));
    }
    if (!place.open) return Fail(absl::StrCat("rank ", peer_, " puts into window ", head_.window, ", which rank ",
                                              peers_->rank(), " has deregistered"));
    if (head_.bytes == 0) return Arrived(backend);
    outstanding_ = 1;
    Receive(backend, route_, peers_->rank(), peer_, place.base + head_.offset, head_.bytes, Token(kBody));
  }
  void Arrived(Backend& backend) {
    peers_->board()->Arrive(peer_, head_.number);
    Next(backend);
  }
  void Next(Backend& backend) {
    done_ = static_cast<size_t>(there().closed) >= peers_->windows_.size();
    if (!done_) Start(backend);
  }
  void Fail(const std::string& why) {
    if (route_.scope->error.ok()) {
      route_.scope->error.Set(absl::FailedPreconditionError(absl::StrCat("rank ", peers_->rank(), ": ", why)));
    }
    workspace().failed = true;
    done_ = true;
  }

  const std::shared_ptr<WindowPeers> peers_;
  const WindowRoute route_;
  const int peer_;
  RmaHead head_;
  size_t outstanding_ = 0;
  bool done_ = false;
};

std::unique_ptr<Work> MakeRemotePut(std::shared_ptr<WindowPeers> peers, WindowRoute route,
                                    const Put& put) {
  if (put.peer != put.rank) return std::make_unique<RemotePut>(std::move(peers), std::move(route), put);
  void* const to = put.window < 0 ? nullptr : peers->window(put.window).base + put.offset;
  return std::make_unique<OwnPut>(std::move(peers), to, put);
}
std::unique_ptr<Work> MakeAnnouncement(std::shared_ptr<WindowPeers> peers, WindowRoute route, int window,
                                       bool opens) {
  return std::make_unique<Announcement>(std::move(peers), std::move(route), window, opens);
}
std::unique_ptr<Work> MakeListener(std::shared_ptr<WindowPeers> peers, WindowRoute route, int peer) {
  return std::make_unique<Listener>(std::move(peers), std::move(route), peer);
}

}  // namespace ccl
