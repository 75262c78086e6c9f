// One job of a backend, as the contract's cases drive it: every local rank of this process does its
// part, whether that is all of them (emulated) or one (a process of many).
#ifndef TESTS_TRANSPORTS_CONTRACT_H_
#define TESTS_TRANSPORTS_CONTRACT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "ccl/backend/backend.h"

namespace ccl {

using Bytes = std::vector<uint8_t>;

// `size` bytes that tell their origin.
Bytes Pattern(int rank, uint64_t message, size_t size);

class Job {
 public:
  explicit Job(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}

  Backend& backend() { return *backend_; }
  int ranks() const { return backend_->ranks(); }
  int Next(int rank) const { return (rank + 1) % ranks(); }
  int Previous(int rank) const { return (rank + ranks() - 1) % ranks(); }
  void ForEachLocal(const std::function<void(int rank)>& body) {
    for (int rank : backend_->local_ranks()) body(rank);
  }

  // Posts the operations at once. Their tokens must be distinct among the rank's pending ones.
  void Post(int rank, absl::Span<const Operation> operations);
  void Post(int rank, const Operation& operation) {
    Post(rank, absl::MakeConstSpan(&operation, 1));
  }

  bool pending(int rank, uint64_t token) const { return pending_.count({rank, token}) > 0; }
  // A completion of what is not pending is an error.
  absl::Status Poll(Waiting waiting);
  // Polls until nothing is pending, or until nothing of `tokens` is for any rank; gives up with
  // DeadlineExceeded after ten seconds, or when virtual time has run dry.
  absl::Status Finish() { return FinishTokens(nullptr); }
  absl::Status Finish(const std::set<uint64_t>& tokens) { return FinishTokens(&tokens); }

 private:
  absl::Status FinishTokens(const std::set<uint64_t>* tokens);
  bool Done(const std::set<uint64_t>* tokens) const;

  std::unique_ptr<Backend> backend_;
  std::set<std::pair<int, uint64_t>> pending_;
  std::vector<Completion> done_;
};

// Operations over the whole of one buffer. The piece arrays live in `Message`, as Post reads them.
class Message {
 public:
  // Cuts `bytes` into `pieces` pieces of different sizes.
  Message(OperationKind kind, int peer, Bytes& bytes, uint64_t token, int pieces = 1);
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  Operation op;  // to be adjusted (channel, context, consumer) before it is posted

 private:
  std::vector<Piece> dst_;
  std::vector<ConstPiece> src_;
};

}  // namespace ccl

#endif  // TESTS_TRANSPORTS_CONTRACT_H_
