// Strangers at the port where ranks meet: they neither join nor crash it, nor take so much that those who
// belong there cannot get in.
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "transports/tcp/handshake.h"
#include "transports/tcp/meeting.h"
#include "transports/tcp/reception.h"

namespace ccl::tcp {
namespace {

using testing::HasSubstr;

constexpr int kStrangers = 10000, kAtOnce = 300;

Ip Loopback() { return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1}; }

int Knock(uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return descriptor;
  close(descriptor);
  return -1;
}

void Say(int descriptor, const void* data, size_t bytes) {
  [[maybe_unused]] const ssize_t sent = send(descriptor, data, bytes, MSG_NOSIGNAL);
}

// One of several ways not to belong here. The connection stays open.
int Visit(uint16_t port, int way) {
  const int descriptor = Knock(port);
  if (descriptor < 0) return -1;
  Hello hello{.purpose = Purpose::kMeeting, .rank = 1};
  switch (way % 5) {
    case 0:  // says nothing
      break;
    case 1: {  // another protocol
      const std::string text = "GET / HTTP/1.1\r\nHost: " + std::string(500, 'x') + "\r\n\r\n";
      Say(descriptor, text.data(), text.size());
      break;
    }
    case 2:  // half a greeting
      Say(descriptor, &hello, sizeof hello / 2);
      break;
    case 3:  // another version
      hello.version = 999;
      Say(descriptor, &hello, sizeof hello);
      break;
    default: {  // everything, but for the secret
      const Proof proof{.hash = static_cast<uint64_t>(way) * 0x9e3779b97f4a7c15u};
      Say(descriptor, &hello, sizeof hello);
      Say(descriptor, &proof, sizeof proof);
    }
  }
  return descriptor;
}

size_t OpenDescriptors() {
  size_t count = 0;
  DIR* const folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

class Strangers : public testing::Test {
 protected:
  void SetUp() override {
    auto door = Listener::Open(Loopback(), 0);
    ASSERT_TRUE(door.ok()) << door.status();
    door_ = *door;
  }
  Settings Of(int rank, const Secret& secret) const {
    return {.rank = rank, .ranks = 2, .secret = secret};
  }
  absl::StatusOr<Table> Come(const Settings& settings, std::chrono::seconds within) {
    auto own = Listener::Open(Loopback(), 0);
    if (!own.ok()) return own.status();
    const Ip here[] = {Loopback()};
    Place place{.addresses = {Loopback()}, .port = door_->port()};
    if (settings.rank == 0) place.door = door_;
    return Meet(settings, place, AnnounceSelf(settings, **own, here), std::chrono::steady_clock::now() + within);
  }

  const Secret secret_ = *NewNonce(), wrong_ = *NewNonce();
  std::shared_ptr<Listener> door_;
};

TEST_F(Strangers, ThousandsKeepNobodyOut) {
  absl::StatusOr<Table> host = absl::UnknownError("has not come back");
  std::thread thread([&] { host = Come(Of(0, secret_), std::chrono::seconds(60)); });
  std::vector<int> open;
  size_t most = 0;
  for (int i = 0; i < kStrangers; ++i) {
    open.push_back(Visit(door_->port(), i));
    if (open.size() < kAtOnce) continue;
    // Theirs and those that have been accepted: not one for each that is there.
    most = std::max(most, OpenDescriptors());
    for (int descriptor : open) close(descriptor);
    open.clear();
  }
  for (int i = 0; i < kAtOnce; ++i) open.push_back(Visit(door_->port(), i));
  // In their midst, those who belong here.
  const absl::StatusOr<Table> guest = Come(Of(1, secret_), std::chrono::seconds(30));
  thread.join();
  for (int descriptor : open) close(descriptor);
  ASSERT_TRUE(guest.ok()) << guest.status();
  ASSERT_TRUE(host.ok()) << host.status();
  EXPECT_EQ(host->session, guest->session);
  EXPECT_LT(most, kAtOnce + Reception::kMostGuests + 100);
}

TEST_F(Strangers, WrongSecretsDoNotJoinAndSayWhy) {
  absl::StatusOr<Table> host = absl::UnknownError("has not come back");
  std::thread thread([&] { host = Come(Of(0, secret_), std::chrono::seconds(2)); });
  const absl::StatusOr<Table> guest = Come(Of(1, wrong_), std::chrono::seconds(1));
  thread.join();
  EXPECT_THAT(std::string(guest.status().message()), HasSubstr("does not know this job's secret"));
  EXPECT_THAT(std::string(host.status().message()), HasSubstr("missing: 1."));
}

TEST_F(Strangers, WhoComesTwiceIsRefusedAndWhoDiffersIsToldHow) {
  absl::StatusOr<Table> host = absl::UnknownError("has not come back");
  std::thread thread([&] { host = Come(Of(0, secret_), std::chrono::seconds(20)); });
  Settings other = Of(1, secret_);
  other.connections = 7;
  const absl::StatusOr<Table> guest = Come(other, std::chrono::seconds(20));
  thread.join();
  for (const absl::Status& status : {host.status(), guest.status()}) {
    EXPECT_THAT(std::string(status.message()), HasSubstr("has connections 2, rank 1"));
    EXPECT_THAT(std::string(status.message()), HasSubstr(" 7; they are equal on all ranks"));
  }
}

// Hosts behind different networks may have one address, and ranks there one port.
TEST_F(Strangers, WhoMeansAnotherRankIsNotLetIn) {
  Table table{.session = 5};
  table.ranks.resize(2);
  absl::StatusOr<std::vector<std::vector<int>>> sockets = absl::UnknownError("has not come back");
  std::thread thread([&] {
    sockets = Connect(Of(0, secret_), table, *door_, std::chrono::steady_clock::now() + std::chrono::seconds(2));
  });
  for (const uint32_t called : {1u, 0u}) {
    const int guest = Knock(door_->port());
    const timeval patience{.tv_usec = 300'000};
    setsockopt(guest, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const Hello hello{.purpose = Purpose::kPeer, .session = 5, .rank = 1, .called = called};
    Say(guest, &hello, sizeof hello);
    Challenge challenge;
    EXPECT_EQ(recv(guest, &challenge, sizeof challenge, MSG_WAITALL), static_cast<ssize_t>(sizeof challenge));
    char byte;
    const ssize_t more = recv(guest, &byte, 1, 0);
    if (called == 1) {
      EXPECT_EQ(more, 0) << "rank 0 hears who means rank 1";
    } else {
      EXPECT_EQ(more, -1) << "it does not wait for the proof";
    }
    close(guest);
  }
  thread.join();
  EXPECT_THAT(std::string(sockets.status().message()), HasSubstr("rank 1"));
}

TEST_F(Strangers, NobodyAtTheDoorIsSaid) {
  const uint16_t port = door_->port();
  door_.reset();
  auto own = Listener::Open(Loopback(), 0);
  ASSERT_TRUE(own.ok());
  const Settings settings = Of(1, secret_);
  const Ip here[] = {Loopback()};
  const auto table = Meet(settings, {.addresses = {Loopback()}, .port = port}, AnnounceSelf(settings, **own, here),
                          std::chrono::steady_clock::now() + std::chrono::milliseconds(300));
  EXPECT_THAT(std::string(table.status().message()), HasSubstr("Connection refused"));
}

}  // namespace
}  // namespace ccl::tcp
