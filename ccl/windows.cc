#include "ccl/windows.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"

namespace ccl {
namespace {

// What ranks say to each other about communicators takes the first channels of its context, windows the
// last.
constexpr uint32_t kChannels = 128;

}  // namespace

absl::StatusOr<std::unique_ptr<Windows>> Windows::Of(Communicator& communicator) {
  const uint32_t channels = communicator.world().engine().abilities().channels;
  if (channels < kChannels) {
    return absl::FailedPreconditionError(absl::StrCat("the backend tells ", channels,
                                                      " wire channels apart, and windows take ", kChannels));
  }
  return std::unique_ptr<Windows>(new Windows(communicator));
}

Windows::Windows(Communicator& communicator)
    : communicator_(communicator),
      table_(communicator.world().engine().abilities().virtual_time ? communicator.team()->windows()
                                                                    : nullptr) {
  if (table_ != nullptr) return;
  peers_ = std::make_shared<WindowPeers>(communicator.rank(), communicator.ranks());
  says_ = engine().NewStream(communicator.world_rank(), communicator.scope());
  hears_ = std::make_shared<Scope>();
  for (int i = 0; i < communicator.ranks(); ++i) {
    listeners_.push_back(engine().NewStream(communicator.world_rank(), hears_));
  }
}

Windows::~Windows() {
  if (table_ != nullptr) return;
  bool hears = false;
  engine().Settled([&] {
    for (int i = 0; i < communicator_.ranks(); ++i) hears = hears || peers_->listening(i);
  });
  engine().Drop(says_.get());
  for (const auto& listener : listeners_) engine().Drop(listener.get());
  // A receive that is never met would take a message of whoever had these numbers next.
  if (hears) communicator_.team()->contexts().Spoil();
}

WindowRoute Windows::Route() const {
  return {communicator_.team()->map(), communicator_.team()->control_context(),
          static_cast<uint16_t>(engine().abilities().channels - 1), communicator_.scope()};
}

void Windows::Announce(int window, bool opens) {
  std::vector<std::unique_ptr<Work>> work;
  std::vector<Stream*> streams;
  work.push_back(MakeAnnouncement(peers_, Route(), window, opens));
  streams.push_back(says_.get());
  engine().Settled([&] {
    for (int i = 0; opens && i < communicator_.ranks(); ++i) {
      if (!peers_->Listens(i)) continue;
      work.push_back(MakeListener(peers_, Route(), i));
      streams.push_back(listeners_[static_cast<size_t>(i)].get());
    }
  });
  engine().Enqueue(streams, std::move(work));
}

int Windows::Open(void* base, uint64_t size) {
  int window = 0;
  engine().Settled([&] {
    window = table_ != nullptr ? table_->Open(communicator_.rank(), base, size) : peers_->Open(base, size);
  });
  ++open_;
  if (table_ == nullptr) Announce(window, true);
  return window;
}

absl::Status Windows::Close(int window) {
  if (table_ == nullptr) CCL_RETURN_IF_ERROR(engine().Wait(*communicator_.scope()));
  engine().Settled([&] {
    if (table_ != nullptr) {
      table_->Close(communicator_.rank(), window);
    } else {
      peers_->Close();
    }
  });
  --open_;
  if (table_ != nullptr) return absl::OkStatus();
  Announce(window, false);
  Stream* says = says_.get();
  return engine().Wait({&says, 1});
}

std::unique_ptr<Work> Windows::MakePut(const Put& put) {
  if (table_ != nullptr) return MakeLocalPut(table_, Route(), put);
  return MakeRemotePut(peers_, Route(), put);
}

std::unique_ptr<Work> Windows::MakeWait(std::vector<SignalWish> wishes) {
  const auto& board = table_ != nullptr ? table_->board(communicator_.rank()) : peers_->board();
  return MakeWaitSignals(board, communicator_.rank(), std::move(wishes));
}

}  // namespace ccl
