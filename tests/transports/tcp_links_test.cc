// What connections do with peers that leave, die or send what makes no sense. The peers are this test, at
// the other ends of pairs of sockets.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "transports/tcp/links.h"

namespace ccl::tcp {
namespace {

using testing::HasSubstr;

class LinksTest : public testing::Test {
 protected:
  // Rank 0 of three, with two connections to each of the others.
  void SetUp() override {
    std::vector<std::vector<int>> sockets(3);
    for (int peer = 1; peer < 3; ++peer) {
      for (int i = 0; i < 2; ++i) {
        sockets[static_cast<size_t>(peer)].push_back(-1);
        ASSERT_TRUE(Pair(sockets[static_cast<size_t>(peer)].back(), ends_[peer][i]));
      }
    }
    links_ = std::make_unique<Links>(0, std::move(sockets), std::vector<std::string>{"here", "one", "two"},
                                     std::chrono::milliseconds(1000));
  }
  void TearDown() override {
    links_.reset();
    for (int peer = 1; peer < 3; ++peer) Close(peer);
  }
  // The far end has little room for what it has not read.
  static bool Pair(int& near, int& far) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int room = 16 << 10;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const where = reinterpret_cast<sockaddr*>(&address);
    bool good = setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) == 0 &&
                bind(listener, where, length) == 0 && listen(listener, 1) == 0 &&
                getsockname(listener, where, &length) == 0;
    near = socket(AF_INET, SOCK_STREAM, 0);
    good = good && connect(near, where, length) == 0;
    far = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    close(listener);
    const int on = 1;
    return good && setsockopt(far, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
  }
  void Close(int peer) {
    for (int& end : ends_[peer]) {
      if (end >= 0) close(end);
      end = -1;
    }
  }
  void Say(int peer, const Frame& frame, const std::string& payload = "", int connection = 0) {
    std::string bytes(reinterpret_cast<const char*>(&frame), sizeof frame);
    bytes += payload;
    ASSERT_EQ(write(ends_[peer][connection], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  Frame Heard(int peer) {
    Frame frame;
    EXPECT_EQ(read(ends_[peer][0], &frame, sizeof frame), static_cast<ssize_t>(sizeof frame));
    return frame;
  }
  void Receive(int peer, std::string& into, uint64_t token) {
    const Piece piece{into.data(), into.size()};
    Operation op{.kind = OperationKind::kRecv, .peer = peer, .bytes = into.size(), .token = token};
    op.dst = {&piece, 1};
    links_->Post(op);
  }
  void Send(int peer, const std::string& from, uint64_t token) {
    const ConstPiece piece{from.data(), from.size()};
    Operation op{.kind = OperationKind::kSend, .peer = peer, .bytes = from.size(), .token = token};
    op.src = {&piece, 1};
    links_->Post(op);
    links_->Push();
  }
  // Some passes, which is longer than what lies in sockets needs.
  absl::Status Progress() {
    absl::Status status;
    for (int i = 0; i < 200 && status.ok(); ++i) status = links_->Progress(done_);
    return status;
  }
  std::string Error() { return std::string(Progress().message()); }

  int ends_[3][2];
  std::unique_ptr<Links> links_;
  std::vector<Completion> done_;
};

TEST_F(LinksTest, ShortMessagesMeetTheirReceivesInAnyOrder) {
  Say(1, {.length = 3, .a = 3, .b = 0}, "abc");
  ASSERT_TRUE(Progress().ok());
  std::string first(3, '.'), second(2, '.');
  Receive(1, first, 10);
  Receive(1, second, 11);
  Say(1, {.length = 2, .a = 2, .b = 1}, "de");
  ASSERT_TRUE(Progress().ok());
  EXPECT_EQ(first, "abc");
  EXPECT_EQ(second, "de");
  EXPECT_EQ(done_.size(), 2u);
  EXPECT_FALSE(links_->busy());
}

TEST_F(LinksTest, LongMessagesWaitWithTheSenderAndComeInPieces) {
  const uint64_t bytes = kSegmentBytes + 100;
  Say(1, {.a = bytes, .b = 5});
  ASSERT_TRUE(Progress().ok());
  std::string into(bytes, '.');
  Receive(1, into, 1);
  ASSERT_TRUE(Progress().ok());
  const Frame grant = Heard(1);
  EXPECT_EQ(grant.kind, FrameKind::kGrant);
  EXPECT_EQ(grant.a, 5u);
  // The end comes first, by the other connection.
  Say(1, {.kind = FrameKind::kBody, .length = 100, .a = grant.b, .b = kSegmentBytes}, std::string(100, 'b'), 1);
  ASSERT_TRUE(Progress().ok());
  EXPECT_TRUE(done_.empty());
  Frame head{.kind = FrameKind::kBody, .length = kSegmentBytes, .a = grant.b, .b = 0};
  std::string all(reinterpret_cast<const char*>(&head), sizeof head);
  all += std::string(kSegmentBytes, 'a');
  for (size_t at = 0; at < all.size(); at += 5000) {
    const size_t count = std::min<size_t>(5000, all.size() - at);
    ASSERT_EQ(write(ends_[1][0], all.data() + at, count), static_cast<ssize_t>(count));
    ASSERT_TRUE(Progress().ok());
  }
  ASSERT_EQ(done_.size(), 1u);
  EXPECT_EQ(into, std::string(kSegmentBytes, 'a') + std::string(100, 'b'));
}

TEST_F(LinksTest, NobodysMemoryIsFilledByOthers) {
  // Of what it sends without being asked, a peer may have no more than the window here.
  const std::string block(kShortBytes, 'x');
  for (uint64_t sent = 0; sent < kShortWindow; sent += block.size()) {
    Say(1, {.length = kShortBytes, .a = kShortBytes, .b = 0}, block);
    ASSERT_TRUE(Progress().ok()) << sent;
  }
  Say(1, {.length = 1, .a = 1, .b = 0}, "x");
  EXPECT_THAT(Error(), HasSubstr("rank 1 (one) sends what makes no sense (more than its share of memory"));
}

TEST_F(LinksTest, SendersKeepToTheWindow) {
  const std::string block(kShortBytes, 'x');
  uint64_t come = 0, waiting = 0;
  for (uint64_t i = 0; i <= kShortWindow / kShortBytes; ++i) {
    Send(1, block, i);
    Frame frame;
    ASSERT_EQ(recv(ends_[1][0], &frame, sizeof frame, MSG_WAITALL), static_cast<ssize_t>(sizeof frame));
    if (frame.length == 0) ++waiting;
    std::string payload(frame.length, '.');
    for (size_t at = 0; at < payload.size();) {
      const ssize_t got = recv(ends_[1][0], payload.data() + at, payload.size() - at, MSG_DONTWAIT);
      if (got > 0) at += static_cast<size_t>(got);
      ASSERT_TRUE(Progress().ok());
    }
    come += payload.size();
  }
  EXPECT_EQ(come, kShortWindow);
  EXPECT_EQ(waiting, 1u);
}

TEST_F(LinksTest, WhoDiesIsNamedAtOnceThoughNobodyWaits) {
  Close(2);
  EXPECT_THAT(Error(), HasSubstr("rank 0: rank 2 (two) has died"));
}

TEST_F(LinksTest, WhoSaysFarewellIsAnErrorOnlyForThoseWhoWait) {
  std::string into(3, '.');
  Say(2, {.length = 3, .a = 3, .b = 0}, "abc");
  for (int i = 0; i < 2; ++i) Say(2, {.kind = FrameKind::kBye}, "", i);
  Close(2);
  ASSERT_TRUE(Progress().ok());
  Receive(2, into, 1);  // what it had sent before is there
  ASSERT_TRUE(Progress().ok());
  EXPECT_EQ(into, "abc");
  Receive(2, into, 2);
  EXPECT_THAT(Error(), HasSubstr("rank 2 (two) has left while this rank waits for it"));
}

TEST_F(LinksTest, WhoGivesUpSaysWhoseFaultItIs) {
  std::string into(3, '.');
  Receive(1, into, 1);
  Say(1, {.kind = FrameKind::kBye, .a = 3});
  EXPECT_THAT(Error(), HasSubstr("rank 2 (two) has failed, and rank 1 has given up for that reason"));
}

TEST_F(LinksTest, DisagreementsAreErrorsOnBothSides) {
  Send(1, std::string(kShortBytes + 1, 'x'), 1);
  const Frame head = Heard(1);
  Say(1, {.kind = FrameKind::kUnequal, .a = head.a, .b = 77});
  EXPECT_THAT(Error(), HasSubstr("send of 65537 bytes to rank 1 (context 0, channel 0): rank 1 expects 77 bytes"));
}

// The receiver may find out when the sender has long done its part.
TEST_F(LinksTest, ADisagreementMayComeAfterTheMessageHasGone) {
  Send(1, "short", 1);
  Heard(1);
  EXPECT_EQ(Error(), "");
  Say(1, {.kind = FrameKind::kUnequal, .channel = 3, .context = 5, .a = 5, .b = 77});
  EXPECT_THAT(Error(), HasSubstr("send of 5 bytes to rank 1 (context 5, channel 3): rank 1 expects 77 bytes"));
}

// Who has failed sends nothing more, but says how long it would have been.
TEST_F(LinksTest, WhoHasFailedStillSaysWhatItWouldHaveSent) {
  std::string into(10, '.');
  Receive(1, into, 1);
  Say(1, {.length = 2, .a = 2, .b = 0}, "ab");
  EXPECT_THAT(Error(), HasSubstr("rank 0 expects 10"));
  Send(2, std::string(300, 'x'), 2);
  const Frame said = Heard(2);
  EXPECT_EQ(said.kind, FrameKind::kMessage);
  EXPECT_EQ(said.a, 300u);
  EXPECT_EQ(said.length, 0u);
}

TEST_F(LinksTest, TellsTheSenderThatLengthsDiffer) {
  std::string into(10, '.');
  Receive(1, into, 1);
  Say(1, {.a = 1 << 20, .b = 9});
  EXPECT_THAT(Error(), HasSubstr("rank 1 sent 1048576 bytes, rank 0 expects 10"));
  const Frame said = Heard(1);
  EXPECT_EQ(said.kind, FrameKind::kUnequal);
  EXPECT_EQ(said.a, 1u << 20);
  EXPECT_EQ(said.b, 10u);
}

TEST_F(LinksTest, SaysOfWhichMessageTheLengthsDiffer) {
  std::string into(10, '.');
  const Piece piece{into.data(), into.size()};
  Operation op{.kind = OperationKind::kRecv, .channel = 7, .peer = 1, .context = 6, .bytes = into.size()};
  op.dst = {&piece, 1};
  links_->Post(op);
  Say(1, {.channel = 7, .context = 6, .a = 1 << 20, .b = 9});
  EXPECT_THAT(Error(), HasSubstr("expects 10"));
  const Frame said = Heard(1);
  EXPECT_EQ(said.context, 6u);
  EXPECT_EQ(said.channel, 7u);
}

TEST_F(LinksTest, WhatWasSentComesThoughThePeerSpeaksAfterTheEnd) {
  const std::string block(kShortBytes, 'x');
  for (uint64_t i = 0; i < 4; ++i) Send(1, block, i);
  ASSERT_TRUE(Progress().ok());
  ASSERT_FALSE(links_->busy());  // with the system, which has not got rid of it yet
  std::thread end([&] { links_.reset(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  Say(1, {.kind = FrameKind::kCredit, .a = kShortBytes});
  std::string come;
  char part[4096];
  for (ssize_t got; (got = read(ends_[1][0], part, sizeof part)) > 0;) come.append(part, static_cast<size_t>(got));
  end.join();
  ASSERT_EQ(come.size(), 4 * (sizeof(Frame) + block.size()) + sizeof(Frame));
  EXPECT_EQ(reinterpret_cast<const Frame*>(come.data() + come.size() - sizeof(Frame))->kind, FrameKind::kBye);
}

TEST_F(LinksTest, WhoDoesNotReadIsNotWaitedForLongerThanTheTimeout) {
  const std::string block(kShortBytes, 'x');
  for (uint64_t i = 0; i < 4; ++i) Send(1, block, i);
  ASSERT_TRUE(Progress().ok());
  const auto begin = std::chrono::steady_clock::now();
  links_.reset();
  const auto taken = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(taken, std::chrono::milliseconds(1000));
  EXPECT_LT(taken, std::chrono::milliseconds(1500));
}

TEST_F(LinksTest, AnOrderlyEndSaysFarewell) {
  links_.reset();
  EXPECT_EQ(Heard(1).kind, FrameKind::kBye);
  EXPECT_EQ(Heard(2).a, 0u);
}

struct Nonsense {
  const char* name;
  Frame frame;
  int connection;
};
class Garbage : public LinksTest, public testing::WithParamInterface<Nonsense> {};

TEST_P(Garbage, NamesThePeer) {
  std::string into(kShortBytes + 10, '.');
  Receive(1, into, 1);
  Say(1, GetParam().frame, "", GetParam().connection);
  EXPECT_THAT(Error(), HasSubstr("rank 0: rank 1 (one) sends what makes no sense"));
}

INSTANTIATE_TEST_SUITE_P(
    All, Garbage,
    testing::Values(Nonsense{"NoMark", {.mark = 1}, 0}, Nonsense{"UnknownKind", {.kind = FrameKind{99}}, 0},
                    Nonsense{"LongPayload", {.length = kShortBytes + 1, .a = kShortBytes + 1}, 0},
                    Nonsense{"LengthsDiffer", {.length = 5, .a = 6}, 0},
                    Nonsense{"HeadElsewhere", {.length = 5, .a = 5}, 1},
                    Nonsense{"GrantOfNothing", {.kind = FrameKind::kGrant, .a = 0, .b = 0}, 0},
                    Nonsense{"GrantFarAway", {.kind = FrameKind::kGrant, .a = ~0ull, .b = 0}, 0},
                    Nonsense{"BodyNotGranted", {.kind = FrameKind::kBody, .length = 5, .a = 0, .b = 0}, 1},
                    Nonsense{"BodyFarAway", {.kind = FrameKind::kBody, .length = 5, .a = 1u << 31, .b = 0}, 1},
                    Nonsense{"CreditOfNothing", {.kind = FrameKind::kCredit, .a = 1}, 0},
                    Nonsense{"GrantWithPayload", {.kind = FrameKind::kGrant, .length = 1}, 0},
                    Nonsense{"ByeOfNobody", {.kind = FrameKind::kBye, .a = 9}, 0}),
    [](const auto& info) { return info.param.name; });

// Of a message of a segment and ten bytes.
struct Body {
  const char* name;
  uint32_t length;
  uint64_t offset;
};
class Bodies : public LinksTest, public testing::WithParamInterface<Body> {};

TEST_P(Bodies, StayInTheirBounds) {
  const uint64_t bytes = kSegmentBytes + 10;
  std::string into(bytes, '.');
  Receive(1, into, 1);
  Say(1, {.a = bytes, .b = 5});
  ASSERT_TRUE(Progress().ok());
  const Frame grant = Heard(1);
  // Another has begun to come by the other connection, and has claimed its part.
  Say(1, {.kind = FrameKind::kBody, .length = kSegmentBytes, .a = grant.b, .b = 0}, "the first bytes");
  ASSERT_TRUE(Progress().ok());
  Say(1, {.kind = FrameKind::kBody, .length = GetParam().length, .a = grant.b, .b = GetParam().offset}, "", 1);
  EXPECT_THAT(Error(), HasSubstr("a body out of bounds"));
}

INSTANTIATE_TEST_SUITE_P(All, Bodies,
                         testing::Values(Body{"Longer", 11, kSegmentBytes}, Body{"Shorter", 9, kSegmentBytes},
                                         Body{"Behind", 10, 2 * kSegmentBytes}, Body{"Empty", 0, kSegmentBytes},
                                         Body{"FarBehind", 10, 0 - uint64_t{kSegmentBytes}},
                                         Body{"Inside", 10, 8}, Body{"Claimed", kSegmentBytes, 0}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace ccl::tcp
