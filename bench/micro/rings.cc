// What shared memory does beneath the calls: a flag between two threads, as fast as the machine has it, and messages
// of two ranks (`local:`, whose endpoint is that of processes too) beside it. An item is one way; Flag and Message
// go there and back, Stream goes one way with many in a row. They hang on where the two threads run.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "ccl/backend/open.h"
#include "transports/pause.h"

namespace ccl {
namespace {

// Gives way now and then: both threads may have one processor.
template <typename F>
void SpinUntil(F done) {
  constexpr int kLooks = 1000;
  for (int looks = 0; !done(); ++looks) {
    if (looks % kLooks == kLooks - 1) std::this_thread::yield();
    Pause();
  }
}

void Flag(benchmark::State& state) {
  struct alignas(128) Line {
    std::atomic<uint64_t> value{0};
  };
  Line there, back;
  constexpr uint64_t kEnd = ~uint64_t{0};
  std::thread peer([&] {
    for (uint64_t next = 1;; ++next) {
      uint64_t seen = 0;
      SpinUntil([&] { return (seen = there.value.load(std::memory_order_acquire)) >= next; });
      if (seen == kEnd) return;
      back.value.store(next, std::memory_order_release);
    }
  });
  uint64_t round = 0;
  for (auto _ : state) {
    there.value.store(++round, std::memory_order_release);
    SpinUntil([&] { return back.value.load(std::memory_order_acquire) >= round; });
  }
  there.value.store(kEnd, std::memory_order_release);
  peer.join();
  state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK(Flag)->UseRealTime();

// One of two ranks.
class Rank {
 public:
  explicit Rank(std::unique_ptr<Backend> backend, int rank) : backend_(std::move(backend)), rank_(rank) {}

  // Returns when all have completed.
  bool Run(absl::Span<const Operation> operations) {
    backend_->Post(rank_, operations);
    for (size_t completed = 0; completed < operations.size(); completed += done_.size()) {
      done_.clear();
      if (!backend_->Poll(Waiting::kYes, done_).ok()) return false;
    }
    return true;
  }
  Operation Message(OperationKind kind, const ConstPiece& src, const Piece& dst) const {
    Operation operation;
    operation.kind = kind;
    operation.peer = 1 - rank_;
    operation.bytes = src.bytes;
    if (kind == OperationKind::kSend) {
      operation.src = {&src, 1};
    } else {
      operation.dst = {&dst, 1};
    }
    return operation;
  }

 private:
  const std::unique_ptr<Backend> backend_;
  const int rank_;
  std::vector<Completion> done_;
};

// Runs `body` as rank 0 beside `peer` as rank 1, each with a buffer for sends and one for receives.
template <typename Body, typename Peer>
void Pair(benchmark::State& state, size_t bytes, Body body, Peer peer) {
  static std::atomic<int> jobs{0};
  const std::string url = absl::StrCat("local:?job=micro", ++jobs);
  const auto run = [&](int rank, auto part) {
    auto backend = OpenBackend(url, {.ranks = 2, .rank = rank});
    if (!backend.ok()) return false;
    std::vector<char> in(bytes, 1), out(bytes);
    Rank self(*std::move(backend), rank);
    return part(self, ConstPiece{in.data(), bytes}, Piece{out.data(), bytes});
  };
  bool peer_ok = false;
  std::thread other([&] { peer_ok = run(1, peer); });
  const bool ok = run(0, body);
  other.join();
  if (!ok || !peer_ok) state.SkipWithError("a rank has failed");
}

// There and back, until the first byte says that it is the last time.
void Message(benchmark::State& state) {
  const size_t bytes = static_cast<size_t>(state.range(0));
  const auto there_and_back = [](Rank& rank, const ConstPiece& in, const Piece& out, bool first) {
    const Operation send = rank.Message(OperationKind::kSend, in, out);
    const Operation receive = rank.Message(OperationKind::kRecv, in, out);
    return first ? rank.Run({&send, 1}) && rank.Run({&receive, 1}) : rank.Run({&receive, 1}) && rank.Run({&send, 1});
  };
  Pair(
      state, bytes,
      [&](Rank& rank, ConstPiece in, Piece out) {
        for (auto _ : state) {
          if (!there_and_back(rank, in, out, true)) return false;
        }
        const std::vector<char> last(bytes, 0);
        return there_and_back(rank, {last.data(), bytes}, out, true);
      },
      [&](Rank& rank, ConstPiece in, Piece out) {
        do {
          if (!there_and_back(rank, in, out, false)) return false;
        } while (*static_cast<const char*>(out.data) != 0);
        return true;
      });
  state.SetItemsProcessed(2 * state.iterations());
  state.SetBytesProcessed(2 * state.iterations() * state.range(0));
}
BENCHMARK(Message)->Arg(8)->Arg(1 << 10)->Arg(8 << 10)->Arg(64 << 10)->Arg(1 << 20)->UseRealTime();

// Messages one behind the other, of which the sender need not wait for any: what a ring lets through.
void Stream(benchmark::State& state) {
  constexpr size_t kInARow = 64;
  const size_t bytes = static_cast<size_t>(state.range(0));
  const auto all = [](Rank& rank, OperationKind kind, const ConstPiece& in, const Piece& out) {
    return rank.Run(std::vector<Operation>(kInARow, rank.Message(kind, in, out)));
  };
  Pair(
      state, bytes,
      [&](Rank& rank, ConstPiece in, Piece out) {
        for (auto _ : state) {
          if (!all(rank, OperationKind::kSend, in, out)) return false;
        }
        const std::vector<char> last(bytes, 0);
        return all(rank, OperationKind::kSend, {last.data(), bytes}, out);
      },
      [&](Rank& rank, ConstPiece in, Piece out) {
        do {
          if (!all(rank, OperationKind::kRecv, in, out)) return false;
        } while (*static_cast<const char*>(out.data) != 0);
        return true;
      });
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kInARow));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kInARow) * state.range(0));
}
BENCHMARK(Stream)->Arg(8)->Arg(1 << 10)->Arg(8 << 10)->Arg(64 << 10)->UseRealTime();

}  // namespace
}  // namespace ccl
