#ifndef CCL_EXEC_WINDOWS_H_
#define CCL_EXEC_WINDOWS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ccl/exec/scope.h"
#include "ccl/exec/signal_board.h"

// Memory that the other ranks of a communicator may write to, and the work of those who do. The n-th
// window of a rank belongs to the n-th of every other. Guarded by the engine's lock.
namespace ccl {

struct WindowPlace {
  char* base = nullptr;  // null with a phantom payload
  uint64_t size = 0;
  bool open = true;
};

// One put, or a signal alone.
struct Put {
  int rank = 0, peer = 0;      // of the communicator
  int window = -1;             // -1: a signal alone
  uint64_t window_size = 0;    // as the sender knows it
  uint64_t offset = 0, bytes = 0;
  const void* data = nullptr;  // null with a phantom payload
  uint32_t number = 0;         // of the signal
};

// What the works of one communicator share: where messages go, and what fails with it.
struct WindowRoute {
  RankMap map;
  uint32_t context = 0;
  uint16_t channel = 0;
  std::shared_ptr<Scope> scope;
};

// Windows and signals of all ranks of a communicator, which are in one process.
class WindowTable {
 public:
  explicit WindowTable(int ranks);
  // The window's number. Puts that have waited for it go on.
  int Open(int rank, void* base, uint64_t size);
  void Close(int rank, int window);
  const std::shared_ptr<SignalBoard>& board(int rank) const {
    return ranks_[static_cast<size_t>(rank)].board;
  }

 private:
  friend class LocalPut;
  struct Rank {
    std::vector<WindowPlace> windows;
    std::shared_ptr<SignalBoard> board = std::make_shared<SignalBoard>();
  };
  struct Waiting {
    int peer, window;
    uint64_t token;
    std::vector<uint64_t>* ready;
  };
  std::vector<Rank> ranks_;
  std::vector<Waiting> waiting_;  // puts into windows that are not there yet
};

// Ends when the bytes are in the window and the signal is on the peer's board.
std::unique_ptr<Work> MakeLocalPut(std::shared_ptr<WindowTable> table, WindowRoute route, const Put& put);

// Windows and signals of one rank whose peers are in processes of their own. What they say arrives at a
// listener each, which is there until the peer has closed every window that this rank has opened.
class WindowPeers {
 public:
  WindowPeers(int rank, int ranks) : rank_(rank), peers_(static_cast<size_t>(ranks)) {}

  int Open(void* base, uint64_t size);
  // The rank puts no more into it; its peers may, until they have closed theirs.
  void Close() { --open_; }
  const std::shared_ptr<SignalBoard>& board() const { return board_; }
  int rank() const { return rank_; }
  int ranks() const { return static_cast<int>(peers_.size()); }
  const WindowPlace& window(int number) const { return windows_[static_cast<size_t>(number)]; }
  // Whether to begin to listen, from now on.
  bool Listens(int peer);
  bool listening(int peer) const { return peers_[static_cast<size_t>(peer)].listening; }

 private:
  friend class Listener;
  friend class Announcement;
  struct Peer {
    bool listening = false;
    int closed = 0;  // windows of the peer's
    uint64_t paused = 0;                    // the listener's token; it waits for a window of ours
    std::vector<uint64_t>* ready = nullptr;  // null: it does not
  };
  const int rank_;
  std::vector<WindowPlace> windows_;
  int open_ = 0;
  std::shared_ptr<SignalBoard> board_ = std::make_shared<SignalBoard>();
  std::vector<Peer> peers_;
  uint64_t closing_ = 0;                      // the token of who waits for peers to close,
  std::vector<uint64_t>* closing_ready_ = nullptr;  // null: nobody
};

// Ends when the sender's memory is its own again.
std::unique_ptr<Work> MakeRemotePut(std::shared_ptr<WindowPeers> peers, WindowRoute route, const Put& put);
// Tells all peers that a window has been opened, or closed: then it ends when they have closed theirs.
std::unique_ptr<Work> MakeAnnouncement(std::shared_ptr<WindowPeers> peers, WindowRoute route, int window,
                                       bool opens);
// Takes what a peer sends, until there is no more reason to.
std::unique_ptr<Work> MakeListener(std::shared_ptr<WindowPeers> peers, WindowRoute route, int peer);

}  // namespace ccl

#endif  // CCL_EXEC_WINDOWS_H_
