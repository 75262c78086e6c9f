// Worlds whose ranks are this process: what takes several ranks that do as the test says.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccl/backend/backend.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ccl {
namespace {

using testing::HasSubstr;
using World = std::vector<std::unique_ptr<Backend>>;

int FreePort() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  bind(descriptor, reinterpret_cast<sockaddr*>(&address), length);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length);
  close(descriptor);
  return ntohs(address.sin_port);
}

World Open(int ranks, const std::string& options) {
  World world(static_cast<size_t>(ranks));
  std::vector<std::thread> threads;
  const int port = FreePort();
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&world, &options, ranks, rank, port] {
      auto opened = OpenBackend(absl::StrCat("tcp:?rank=", rank, "&ranks=", ranks, "&root=127.0.0.1:", port,
                                             "&secret=000102030405060708090a0b0c0d0eff", options), 0);
      EXPECT_TRUE(opened.ok()) << opened.status();
      if (opened.ok()) world[static_cast<size_t>(rank)] = *std::move(opened);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return world;
}

void Transfer(Backend& backend, int rank, OperationKind kind, int peer, char& byte) {
  const ConstPiece from{&byte, 1};
  const Piece to{&byte, 1};
  Operation op{.kind = kind, .peer = peer, .bytes = 1};
  if (kind == OperationKind::kSend) op.src = {&from, 1};
  if (kind == OperationKind::kRecv) op.dst = {&to, 1};
  backend.Post(rank, {&op, 1});
}

// Until something has completed or failed, but not longer.
absl::Status Await(Backend& backend, std::chrono::milliseconds longest, std::vector<Completion>& done) {
  absl::Status status;
  const auto deadline = std::chrono::steady_clock::now() + longest;
  while (status.ok() && done.empty() && std::chrono::steady_clock::now() < deadline) {
    status = backend.Poll(Waiting::kYes, done);
  }
  return status;
}

TEST(TcpWorlds, WhoHasLeftIsMissedOnlyByThoseWhoWaitForIt) {
  World world = Open(3, "&timeout=5s");
  for (const auto& backend : world) ASSERT_NE(backend, nullptr);
  world[2].reset();
  char in = '.', out = 'x';
  std::vector<Completion> done;
  Transfer(*world[0], 0, OperationKind::kRecv, 1, in);
  // Rank 1 takes its time, and it is longer than one who has left would have.
  ASSERT_TRUE(Await(*world[0], std::chrono::milliseconds(1500), done).ok());
  ASSERT_TRUE(done.empty());
  Transfer(*world[1], 1, OperationKind::kSend, 0, out);
  const absl::Status status = Await(*world[0], std::chrono::seconds(5), done);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(in, 'x');
  done.clear();
  Transfer(*world[0], 0, OperationKind::kRecv, 2, in);
  EXPECT_THAT(std::string(Await(*world[0], std::chrono::seconds(5), done).message()),
              HasSubstr("has left while this rank waits for it"));
}

// What a program that this one starts finds open.
std::set<std::string> Inherited() {
  std::set<std::string> found;
  FILE* const list = popen("for f in /proc/self/fd/*; do readlink $f; done", "r");
  char line[256];
  while (list != nullptr && fgets(line, sizeof line, list) != nullptr) found.insert(line);
  if (list != nullptr) pclose(list);
  return found;
}

TEST(TcpWorlds, OtherProgramsInheritNothing) {
  const std::set<std::string> before = Inherited();
  World world = Open(2, "&connections=3");  // sharing memory,
  World apart = Open(2, "&shm=no");         // or not
  for (const auto& backend : world) ASSERT_NE(backend, nullptr);
  for (const auto& backend : apart) ASSERT_NE(backend, nullptr);
  for (const std::string& name : Inherited()) {
    const bool ours = name.find("socket:") != std::string::npos || name.find("memfd:") != std::string::npos;
    EXPECT_TRUE(!ours || before.contains(name)) << name;
  }
}

}  // namespace
}  // namespace ccl
