// A rank that goes on until another fails, and says when and what it was told.
// Usage: tcp_cut busy     passes messages in a ring, for a minute at most
//        tcp_cut idle     waits for a message that does not come
//        tcp_cut HOW R    as busy, until rank R fails and says when: HOW is kill (it dies), junk (it says on
//                         all its connections what makes no sense) or hangup (it shuts all of them)
#include <signal.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "ccl/backend/backend.h"

namespace {

double Seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

constexpr int kRounds = 50;     // before somebody fails
constexpr double kLongest = 60;  // seconds
constexpr int kDescriptors = 1024;

// Of all connections that this process has.
template <typename Do>
void OnConnections(Do&& what) {
  for (int descriptor = 3; descriptor < kDescriptors; ++descriptor) {
    sockaddr_storage peer;
    socklen_t length = sizeof peer;
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &length) == 0 && peer.ss_family != AF_UNIX) {
      what(descriptor);
    }
  }
}

void Misbehave(const std::string& how, int rank) {
  std::printf("rank %d fails at %.3f\n", rank, Seconds());
  std::fflush(stdout);
  if (how == "kill") raise(SIGKILL);
  if (how == "junk") {
    OnConnections([](int descriptor) {
      const std::string junk(100, '?');
      [[maybe_unused]] const ssize_t sent = send(descriptor, junk.data(), junk.size(), MSG_NOSIGNAL);
    });
  }
  if (how == "hangup") OnConnections([](int descriptor) { shutdown(descriptor, SHUT_RDWR); });
}

}  // namespace

int main(int arguments, char** argv) {
  const std::string how = argv[1];
  const int culprit = arguments > 2 ? std::atoi(argv[2]) : -1;
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
  const double end = Seconds() + kLongest;
  for (int round = 0; status.ok() && Seconds() < end; ++round) {
    if (round == kRounds && rank == culprit) Misbehave(how, rank);
    if (how != "idle") {
      backend.Post(rank, {&receive, 1});
      backend.Post(rank, {&send, 1});
    }
    done.clear();
    while (status.ok() && done.size() < 2 && Seconds() < end) status = backend.Poll(ccl::Waiting::kYes, done);
  }
  std::printf("rank %d failed at %.3f: %s\n", rank, Seconds(), std::string(status.message()).c_str());
  return 0;
}
