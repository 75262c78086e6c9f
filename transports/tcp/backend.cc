#include "transports/tcp/backend.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace ccl::tcp {
TcpBackend::TcpBackend(const Settings& settings, Table table, std::shared_ptr<Listener> door,
                       std::vector<std::vector<int>> sockets)
    : settings_(settings),
      table_(std::move(table)),
      door_(std::move(door)),
      admission_(name(), settings.rank, settings.ranks, kContexts, kChannels),
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
    if (CostsOnly(operation)) {
      ready_.push_back({settings_.rank, operation.token});
    } else if (!admission_.Takes(operation)) {
      Fail(admission_.Refusal(operation));
    } else if (endpoint_ != nullptr && (IsGroup(operation) || endpoint_->Has(operation.peer))) {
      endpoint_->Post(operation);
    } else {
      links_.Post(operation);
    }
  }
  links_.Push();
}

}  // namespace ccl::tcp
