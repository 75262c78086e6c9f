#include "tests/transports/contract.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"

namespace ccl {

Bytes Pattern(int rank, uint64_t message, size_t size) {
  Bytes bytes(size);
  uint64_t state = rank * 0x9e3779b97f4a7c15u + message * 0xbf58476d1ce4e5b9u + 1;
  for (uint8_t& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<uint8_t>(state >> 56);
  }
  return bytes;
}

void Job::Post(int rank, absl::Span<const Operation> operations) {
  for (const Operation& operation : operations) pending_.insert({rank, operation.token});
  backend_->Post(rank, operations);
}

bool Job::Done(const std::set<uint64_t>* tokens) const {
  if (tokens == nullptr) return pending_.empty();
  return std::none_of(pending_.begin(), pending_.end(),
                      [&](const auto& entry) { return tokens->count(entry.second) > 0; });
}

absl::Status Job::Poll(Waiting waiting) {
  done_.clear();
  CCL_RETURN_IF_ERROR(backend_->Poll(waiting, done_));
  for (const Completion& completion : done_) {
    if (pending_.erase({completion.rank, completion.token}) == 0) {
      return absl::InternalError(absl::StrCat("rank ", completion.rank, ": token ",
                                              completion.token, " completed but is not pending"));
    }
  }
  return absl::OkStatus();
}

absl::Status Job::FinishTokens(const std::set<uint64_t>* tokens) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!Done(tokens)) {
    CCL_RETURN_IF_ERROR(Poll(Waiting::kYes));
    const bool dry = backend_->abilities().virtual_time && done_.empty();
    if (dry || std::chrono::steady_clock::now() > deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat(pending_.size(), " operations do not complete, the first of rank ",
                       pending_.begin()->first, ", token ", pending_.begin()->second));
    }
  }
  return absl::OkStatus();
}

Message::Message(OperationKind kind, int peer, Bytes& bytes, uint64_t token, int pieces) {
  op.kind = kind;
  op.peer = peer;
  op.bytes = bytes.size();
  op.token = token;
  size_t at = 0;
  for (int i = 0; i < pieces; ++i) {
    // Uneven cuts, some of them empty when there are more pieces than bytes.
    const size_t end = bytes.size() * (i + 1) * (i + 1) / pieces / pieces;
    dst_.push_back({bytes.data() + at, end - at});
    src_.push_back({bytes.data() + at, end - at});
    at = end;
  }
  if (kind == OperationKind::kSend) op.src = src_;
  if (kind == OperationKind::kRecv) op.dst = dst_;
}

}  // namespace ccl
