// Puts between ranks of one process, in virtual time: the sender posts both sides of the message.
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/backend/copy.h"
#include "ccl/exec/launch.h"
#include "ccl/exec/windows.h"

namespace ccl {

WindowTable::WindowTable(int ranks) : ranks_(static_cast<size_t>(ranks)) {}

int WindowTable::Open(int rank, void* base, uint64_t size) {
  std::vector<WindowPlace>& windows = ranks_[static_cast<size_t>(rank)].windows;
  const int number = static_cast<int>(windows.size());
  windows.push_back({static_cast<char*>(base), size});
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    if (waiting.peer != rank || waiting.window != number) return false;
    waiting.ready->push_back(waiting.token);
    return true;
  });
  return number;
}

void WindowTable::Close(int rank, int window) {
  ranks_[static_cast<size_t>(rank)].windows[static_cast<size_t>(window)].open = false;
}

class LocalPut final : public Work {
 public:
  LocalPut(std::shared_ptr<WindowTable> table, WindowRoute route, const Put& put)
      : table_(std::move(table)), route_(std::move(route)), put_(put) {}
  ~LocalPut() override {
    if (!waits_) return;
    std::erase_if(table_->waiting_, [&](const auto& waiting) { return waiting.token == Token(kGoOn); });
  }

  void Start(Backend& backend) override {
    launching_ = PostLaunch(backend, route_.map.world(put_.rank), backend.topology().launch_overhead,
                            Token(kGoOn));
    outstanding_ = launching_ ? 1 : 0;
    if (!launching_) Begin(backend);
  }
  void Complete(uint64_t tag, Backend& backend) override {
    if (tag == kGoOn) {
      if (std::exchange(launching_, false)) outstanding_ = 0;
      return Begin(backend);
    }
    if (--outstanding_ > 0) return;
    table_->board(put_.peer)->Arrive(put_.rank, put_.number);
    done_ = true;
  }
  bool done() const override { return done_; }
  size_t outstanding() const override { return outstanding_; }
  std::string Describe() const override {
    if (put_.window < 0) return absl::StrCat("rank ", put_.rank, " signals rank ", put_.peer);
    return absl::StrCat("rank ", put_.rank, " puts ", put_.bytes, " bytes into window ", put_.window,
                        " of rank ", put_.peer, waits_ ? ", which has not registered it" : "");
  }

 private:
  static constexpr uint64_t kGoOn = 0, kMoved = 1;

  void Begin(Backend& backend) {
    char* to = nullptr;
    if (put_.window >= 0) {
      const std::vector<WindowPlace>& windows =
          table_->ranks_[static_cast<size_t>(put_.peer)].windows;
      waits_ = static_cast<size_t>(put_.window) >= windows.size();
      if (waits_) {
        table_->waiting_.push_back({put_.peer, put_.window, Token(kGoOn), &workspace().ready});
        return;
      }
      const WindowPlace& place = windows[static_cast<size_t>(put_.window)];
      if (!place.open) return Fail("which has deregistered it");
      if (place.size != put_.window_size) {
        return Fail(absl::StrCat("which has registered ", place.size, " bytes there, and this rank ",
                                 put_.window_size));
      }
      if (place.base != nullptr) to = place.base + put_.offset;
    }
    const int own = route_.map.world(put_.rank), other = route_.map.world(put_.peer);
    if (put_.rank == put_.peer) {
      if (to != nullptr && put_.data != nullptr && put_.bytes > 0) Copy(to, put_.data, put_.bytes);
      Operation copy;
      copy.kind = OperationKind::kCopy;
      copy.bytes = put_.bytes;
      copy.token = Token(kMoved);
      outstanding_ = 1;
      return backend.Post(own, {&copy, 1});
    }
    const ConstPiece from{put_.data, put_.bytes};
    const Piece into{to, put_.bytes};
    const bool bytes = put_.data != nullptr && to != nullptr && put_.bytes > 0;
    Operation sends, receives;
    sends.kind = OperationKind::kSend;
    receives.kind = OperationKind::kRecv;
    sends.peer = other;
    receives.peer = own;
    for (Operation* operation : {&sends, &receives}) {
      operation->context = route_.context;
      operation->channel = route_.channel;
      operation->bytes = put_.bytes;
      operation->token = Token(kMoved);
    }
    if (bytes) sends.src = {&from, 1};
    if (bytes) receives.dst = {&into, 1};
    outstanding_ = 2;
    backend.Post(other, {&receives, 1});
    backend.Post(own, {&sends, 1});
  }

  void Fail(const std::string& why) {
    if (route_.scope->error.ok()) {
      route_.scope->error.Set(absl::FailedPreconditionError(absl::StrCat(Describe(), ", ", why)));
    }
    workspace().failed = true;
    done_ = true;
  }

  const std::shared_ptr<WindowTable> table_;
  const WindowRoute route_;
  const Put put_;
  size_t outstanding_ = 0;
  bool launching_ = false, waits_ = false, done_ = false;
};

std::unique_ptr<Work> MakeLocalPut(std::shared_ptr<WindowTable> table, WindowRoute route,
                                   const Put& put) {
  return std::make_unique<LocalPut>(std::move(table), std::move(route), put);
}

}  // namespace ccl
