// What processes tell each other outside of operations.
#include <algorithm>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"
#include "transports/tcp/backend.h"

namespace ccl::tcp {

absl::Status TcpBackend::Control(const Operation& operation) {
  if (!status_.ok()) return status_;
  const uint64_t before = links_.control_completed();
  links_.Post(operation);
  links_.Push();
  while (status_.ok() && links_.control_completed() == before) {
    if (endpoint_ != nullptr) Fail(endpoint_->Progress(ready_));
    Fail(links_.Progress(ready_));
    if (status_.ok() && links_.control_completed() == before) links_.Wait(std::chrono::milliseconds(10));
  }
  return status_;
}

absl::Status TcpBackend::Tell(int peer, absl::string_view bytes) {
  const ConstPiece piece{bytes.data(), bytes.size()};
  Operation operation{.kind = OperationKind::kSend, .peer = peer, .context = Links::kControlContext,
                      .bytes = bytes.size()};
  operation.src = {&piece, 1};
  return Control(operation);
}

absl::Status TcpBackend::Hear(int peer, char* bytes, size_t count) {
  const Piece piece{bytes, count};
  Operation operation{.kind = OperationKind::kRecv, .peer = peer, .context = Links::kControlContext,
                      .bytes = count};
  operation.dst = {&piece, 1};
  return Control(operation);
}

// Along a binomial tree: whoever has the bytes passes them on to ranks that are ever closer.
absl::Status TcpBackend::Share(int root, std::string& bytes) {
  const int n = ranks(), place = (settings_.rank + n - root) % n;
  const auto rank_at = [&](int p) { return (p + root) % n; };
  uint64_t size = bytes.size();
  int step = 1;
  while (step < n && (place & step) == 0) step *= 2;
  if (place > 0) {
    char text[sizeof size];
    CCL_RETURN_IF_ERROR(Hear(rank_at(place - step), text, sizeof text));
    std::memcpy(&size, text, sizeof size);
    bytes.resize(size);
    if (size > 0) CCL_RETURN_IF_ERROR(Hear(rank_at(place - step), bytes.data(), size));
  }
  for (step /= 2; step > 0; step /= 2) {
    if (place + step >= n) continue;
    CCL_RETURN_IF_ERROR(
        Tell(rank_at(place + step), {reinterpret_cast<const char*>(&size), sizeof size}));
    if (size > 0) CCL_RETURN_IF_ERROR(Tell(rank_at(place + step), bytes));
  }
  return status_;
}

absl::Status TcpBackend::Gather(absl::string_view own, std::string& all) {
  all.assign(own.size() * static_cast<size_t>(ranks()), '\0');
  own.copy(all.data() + own.size() * static_cast<size_t>(settings_.rank), own.size());
  if (settings_.rank > 0) {
    CCL_RETURN_IF_ERROR(Tell(0, own));
  } else {
    for (int rank = 1; rank < ranks(); ++rank) {
      CCL_RETURN_IF_ERROR(Hear(rank, all.data() + own.size() * static_cast<size_t>(rank), own.size()));
    }
  }
  return Share(0, all);
}

absl::Status TcpBackend::Agree(const absl::Status& own) {
  std::string all;
  CCL_RETURN_IF_ERROR(Gather(own.ok() ? "+" : "-", all));
  const size_t first = all.find('-');
  if (first == std::string::npos) return absl::OkStatus();
  std::string text = absl::StrCat(static_cast<int>(own.code()), " ", own.message());
  CCL_RETURN_IF_ERROR(Share(static_cast<int>(first), text));
  const size_t space = text.find(' ');
  int code = 0;
  if (!absl::SimpleAtoi(text.substr(0, space), &code)) code = static_cast<int>(absl::StatusCode::kInternal);
  return absl::Status(static_cast<absl::StatusCode>(code), text.substr(space + 1));
}

}  // namespace ccl::tcp
