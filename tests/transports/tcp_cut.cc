// A rank that goes on until another fails, and says when and what it was told.
// Usage: tcp_cut busy: collectives without end; tcp_cut idle: waits for a message that does not come.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "ccl/backend/backend.h"

namespace {

double Seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

int main(int, char** argv) {
  const std::string how = argv[1];
  auto opened = ccl::OpenBackend(std::getenv("CCL_BACKEND"), 0);
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", std::string(opened.status().message()).c_str());
    return 1;
  }
  ccl::Backend& backend = **opened;
  const int rank = backend.local_ranks()[0], next = (rank + 1) % backend.ranks();
  const int previous = (rank + backend.ranks() - 1) % backend.ranks();
  std::vector<char> out(1 << 20), in(1 << 20);
  const ccl::ConstPiece from{out.data(), out.size()};
  const ccl::Piece to{in.data(), in.size()};
  ccl::Operation send{.kind = ccl::OperationKind::kSend, .peer = next, .bytes = out.size()};
  ccl::Operation receive{.kind = ccl::OperationKind::kRecv, .peer = previous, .bytes = in.size()};
  send.src = {&from, 1};
  receive.dst = {&to, 1};
  absl::Status status;
  std::vector<ccl::Completion> done;
  if (how == "idle") backend.Post(rank, {&receive, 1});
  while (status.ok()) {
    if (how == "busy") {
      backend.Post(rank, {&receive, 1});
      backend.Post(rank, {&send, 1});
    }
    done.clear();
    while (status.ok() && done.size() < 2) status = backend.Poll(ccl::Waiting::kYes, done);
  }
  std::printf("rank %d failed at %.3f: %s\n", rank, Seconds(), std::string(status.message()).c_str());
  return 0;
}
