#include "transports/tcp/backend.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"

namespace ccl::tcp {
namespace {

template <typename P>
uint64_t BytesOf(absl::Span<const P> pieces) {
  uint64_t bytes = 0;
  for (const P& piece : pieces) bytes += piece.bytes;
  return bytes;
}

}  // namespace

TcpBackend::TcpBackend(const Settings& settings, Table table, std::shared_ptr<Listener> door,
                       std::vector<std::vector<int>> sockets)
    : settings_(settings),
      table_(std::move(table)),
      door_(std::move(door)),
      links_(settings.rank, std::move(sockets), Names(table_), settings.timeout) {}

std::vector<std::string> TcpBackend::Names(const Table& table) {
  std::vector<std::string> names;
  for (const Announcement& says : table.ranks) {
    names.push_back(absl::StrCat("process ", says.process, " on ", says.host_name));
  }
  return names;
}

void TcpBackend::Fail(absl::Status status) {
  if (status_.ok()) status_ = std::move(status);
}

void TcpBackend::Post(int rank, absl::Span<const Operation> operations) {
  if (rank != settings_.rank) {
    Fail(absl::InvalidArgumentError(absl::StrCat("rank ", settings_.rank, ": operations of rank ", rank,
                                                 " were posted to this process")));
  }
  for (const Operation& operation : operations) {
    if (!status_.ok()) return;
    switch (operation.kind) {
      case OperationKind::kSend:
      case OperationKind::kRecv:
      case OperationKind::kRecvReduce:
        PostTransfer(operation);
        break;
      case OperationKind::kCopy:
      case OperationKind::kReduce:
      case OperationKind::kDelay:
        ready_.push_back({settings_.rank, operation.token});
        break;
      case OperationKind::kGroupReduce:
      case OperationKind::kGroupCopy:
        PostGroup(operation);
        break;
      case OperationKind::kReconfigure:
        Fail(absl::UnimplementedError(absl::StrCat("rank ", settings_.rank, ": the ", name(),
                                                   " backend has no reconfiguration; see Backend::abilities")));
        break;
    }
  }
  links_.Push();
}

bool TcpBackend::Admits(const Operation& op, uint64_t pieces_bytes) {
  // The sound case is decided here, without making any text.
  const bool consumes = op.kind != OperationKind::kRecvReduce || op.consumer != nullptr;
  if (op.peer >= 0 && op.peer < ranks() && op.context < kContexts && op.channel < kChannels &&
      pieces_bytes == op.bytes && consumes) {
    return true;
  }
  const std::string what = absl::StrCat(
      "rank ", settings_.rank, ": ", op.kind == OperationKind::kSend ? "send" : "receive", " of ", op.bytes,
      " bytes, peer ", op.peer, " (context ", op.context, ", channel ", op.channel, "): ");
  if (op.peer < 0 || op.peer >= ranks()) {
    Fail(absl::InvalidArgumentError(absl::StrCat(what, "the peer is not one of the ranks 0 to ", ranks() - 1)));
  } else if (op.context >= kContexts || op.channel >= kChannels) {
    Fail(absl::ResourceExhaustedError(
        absl::StrCat(what, "contexts are below ", kContexts, " and channels below ", kChannels)));
  } else if (!consumes) {
    Fail(absl::InvalidArgumentError(absl::StrCat(what, "no consumer; the ", name(), " backend moves real bytes only")));
  } else {
    Fail(absl::InvalidArgumentError(absl::StrCat(what, "its pieces hold ", pieces_bytes, " bytes; the ", name(),
                                                 " backend moves real bytes only")));
  }
  return false;
}

void TcpBackend::PostTransfer(const Operation& op) {
  const uint64_t bytes = op.kind == OperationKind::kSend   ? BytesOf(op.src)
                         : op.kind == OperationKind::kRecv ? BytesOf(op.dst)
                                                           : op.bytes;
  if (!Admits(op, bytes)) return;
  if (endpoint_ != nullptr && endpoint_->Has(op.peer)) return endpoint_->Post(op);
  links_.Post(op);
}

bool TcpBackend::AdmitsGroup(const Operation& op) {
  const absl::Span<const int> members = op.group.ranks;
  const bool sound = endpoint_ != nullptr && endpoint_->HasAll(members) && op.context < kContexts &&
                     op.channel < kChannels &&
                     std::find(members.begin(), members.end(), settings_.rank) != members.end();
  if (sound) return true;
  Fail(absl::InvalidArgumentError(absl::StrCat(
      "rank ", settings_.rank, ": group operation of ", members.size(), " ranks (context ", op.context,
      ", channel ", op.channel, "): its members must share memory, this rank among them; see Backend::abilities")));
  return false;
}

void TcpBackend::PostGroup(const Operation& op) {
  if (AdmitsGroup(op)) endpoint_->Post(op);
}

}  // namespace ccl::tcp
