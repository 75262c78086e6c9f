// Work that is no program: point-to-point messages, and computing.
#include "absl/strings/str_cat.h"
#include "ccl/exec/execution.h"
#include "ccl/exec/launch.h"

namespace ccl {

bool PostLaunch(Backend& backend, int rank, Time launch, uint64_t token) {
  if (launch == 0 || !backend.abilities().models_compute) return false;
  Operation operation;
  operation.kind = OperationKind::kDelay;
  operation.delay = launch;
  operation.token = token;
  backend.Post(rank, {&operation, 1});
  return true;
}

void Exchange::Start(Backend& backend) {
  launching_ =
      PostLaunch(backend, map_.world(rank_), backend.topology().launch_overhead, Token(0));
  outstanding_ = 1;
  if (!launching_) Begin(backend);
}

void Exchange::Complete(uint64_t, Backend& backend) {
  --outstanding_;
  if (!launching_) return;
  launching_ = false;
  Begin(backend);
}

void Exchange::Begin(Backend& backend) {
  std::vector<Operation> operations;
  std::vector<Piece> pieces(messages_.size());
  std::vector<ConstPiece> const_pieces(messages_.size());
  for (size_t i = 0; i < messages_.size(); ++i) {
    const Message& message = messages_[i];
    pieces[i] = {message.data, message.bytes};
    const_pieces[i] = {message.data, message.bytes};
    Operation operation;
    operation.kind = message.sends ? OperationKind::kSend : OperationKind::kRecv;
    operation.channel = message.channel;
    operation.peer = map_.world(message.peer);
    operation.context = context_;
    operation.bytes = message.bytes;
    operation.token = Token(0);
    if (message.data != nullptr && message.bytes > 0) {
      if (message.sends) {
        operation.src = {&const_pieces[i], 1};
      } else {
        operation.dst = {&pieces[i], 1};
      }
    }
    operations.push_back(operation);
  }
  outstanding_ = operations.size();
  backend.Post(map_.world(rank_), operations);
}

std::string Exchange::Describe() const {
  std::string text = absl::StrCat("rank ", rank_, " in point-to-point:");
  for (size_t i = 0; i < messages_.size() && i < 8; ++i) {
    absl::StrAppend(&text, messages_[i].sends ? " send to " : " receive from ", messages_[i].peer,
                    " (", messages_[i].bytes, " bytes)");
  }
  return text;
}

void Delay::Start(Backend& backend) {
  started_ = true;
  if (!backend.abilities().models_compute) {
    done_ = true;
    return;
  }
  Operation operation;
  operation.kind = OperationKind::kDelay;
  operation.delay = duration_;
  operation.token = Token(0);
  backend.Post(rank_, {&operation, 1});
}

std::string Delay::Describe() const { return absl::StrCat("rank ", rank_, " computing"); }

}  // namespace ccl
