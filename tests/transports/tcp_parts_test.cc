// The parts of the TCP transport that need no peer.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "transports/tcp/address.h"
#include "transports/tcp/congestion.h"
#include "transports/tcp/handshake.h"
#include "transports/tcp/job_id.h"
#include "transports/tcp/settings.h"
#include "transports/tcp/siphash.h"

namespace ccl::tcp {
namespace {

using testing::HasSubstr;

// The published vectors: the key is 00 01 .. 0f, the input the first bytes of 00 01 02 ...
TEST(SipHash, IsThatOfThePaper) {
  Secret key;
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(i);
  uint8_t input[15];
  for (size_t i = 0; i < sizeof input; ++i) input[i] = static_cast<uint8_t>(i);
  EXPECT_EQ(SipHash(key, input, 0), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(SipHash(key, input, 1), 0x74f839c593dc67fdu);
  EXPECT_EQ(SipHash(key, input, 2), 0x0d6c8009d9a94f5au);
  EXPECT_EQ(SipHash(key, input, 3), 0x85676696d7fb7e2du);
  EXPECT_EQ(SipHash(key, input, 8), 0x93f5f5799a932462u);
  EXPECT_EQ(SipHash(key, input, 15), 0xa129ca6149be45e5u);
}

TEST(Handshake, HashesDependOnEverythingAndOnWhoMakesThem) {
  const Secret secret = *NewNonce(), other = *NewNonce();
  ASSERT_NE(secret, other);
  Hello hello{.purpose = Purpose::kPeer, .session = 7, .rank = 3, .nonce = *NewNonce()};
  const Nonce hosts = *NewNonce();
  const uint64_t host = HostHash(secret, hello, hosts);
  EXPECT_TRUE(SameHash(host, HostHash(secret, hello, hosts)));
  EXPECT_FALSE(SameHash(host, HostHash(other, hello, hosts)));
  EXPECT_FALSE(SameHash(host, GuestHash(secret, hello, hosts, {})));
  const uint64_t guest = GuestHash(secret, hello, hosts, {});
  Announcement says;
  says.port = 1;
  EXPECT_FALSE(SameHash(guest, GuestHash(secret, hello, hosts, says)));
  hello.rank = 4;
  EXPECT_FALSE(SameHash(guest, GuestHash(secret, hello, hosts, {})));
  EXPECT_FALSE(SameHash(host, HostHash(secret, hello, hosts)));
}

TEST(Address, HostAndPort) {
  EXPECT_EQ(*ParseHostAndPort("node-1.example:29500"), std::make_pair(std::string("node-1.example"), uint16_t{29500}));
  EXPECT_EQ(*ParseHostAndPort("[fd00::1]:1"), std::make_pair(std::string("fd00::1"), uint16_t{1}));
  for (const char* text : {"", "host", "host:", ":1", "host:0", "host:65536", "fd00::1:1", "[]:1", "host:-1"}) {
    EXPECT_THAT(std::string(ParseHostAndPort(text).status().message()), HasSubstr("HOST:PORT")) << text;
  }
}

TEST(Address, InterfacesByNameAndByNetwork) {
  const auto by_name = LocalAddresses("lo");
  ASSERT_TRUE(by_name.ok()) << by_name.status();
  const auto by_network = LocalAddresses("127.0.0.0/8");
  ASSERT_TRUE(by_network.ok()) << by_network.status();
  EXPECT_EQ(ToString((*by_network)[0]), "127.0.0.1");
  EXPECT_EQ(ToString((*by_network)[0], 80), "127.0.0.1:80");
  EXPECT_TRUE(IsLoopback((*by_network)[0]));
  EXPECT_FALSE(IsUnspecified((*by_network)[0]));
  const auto none = LocalAddresses("nosuch0");
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("'nosuch0'"));
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("lo 127.0.0.1"));
}

class SettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "CCL_SECRET"}) unsetenv(name);
  }
  static std::string Error(const char* rest, int ranks = 0, int rank = -1, bool with_id = false) {
    return std::string(ReadSettings("tcp", rest, ranks, rank, with_id).status().message());
  }
  const std::string secret_ = "000102030405060708090a0b0c0d0eff";
};

TEST_F(SettingsTest, AllInTheUrl) {
  const auto s = ReadSettings("tcp", "?rank=1&ranks=3&root=[::1]:77&secret=" + secret_ +
                                         "&interface=lo&connections=4&timeout=2500ms&shm=no", 0, -1, false);
  ASSERT_TRUE(s.ok()) << s.status();
  EXPECT_EQ(s->rank, 1);
  EXPECT_EQ(s->ranks, 3);
  EXPECT_EQ(s->root, "::1");
  EXPECT_EQ(s->root_port, 77);
  EXPECT_EQ(s->secret[15], 0xff);
  EXPECT_EQ(s->interface, "lo");
  EXPECT_EQ(s->connections, 4);
  EXPECT_EQ(s->timeout.count(), 2500);
  EXPECT_FALSE(s->shares);
}

TEST_F(SettingsTest, FromTheEnvironment) {
  setenv("RANK", "1", 1);
  setenv("WORLD_SIZE", "2", 1);
  setenv("MASTER_ADDR", "fd00::2", 1);
  setenv("MASTER_PORT", "29500", 1);
  setenv("CCL_SECRET", secret_.c_str(), 1);
  const auto s = ReadSettings("tcp", "", 2, -1, false);
  ASSERT_TRUE(s.ok()) << s.status();
  EXPECT_EQ(s->rank, 1);
  EXPECT_EQ(s->root, "fd00::2");
  EXPECT_EQ(s->secret[0], 0);
  EXPECT_THAT(Error("", 3), HasSubstr("ranks 3 is wanted, the WORLD_SIZE says 2"));
  EXPECT_THAT(Error("?rank=0", 2, 1), HasSubstr("rank 1 is wanted, the URL says 0"));
  setenv("CCL_SECRET", "abc", 1);
  EXPECT_THAT(Error(""), HasSubstr("CCL_SECRET is not a secret"));
}

TEST_F(SettingsTest, SaysAllThatIsMissing) {
  const std::string text = Error("");
  for (const char* part : {"RANK", "WORLD_SIZE", "MASTER_ADDR and MASTER_PORT", "CCL_SECRET"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_TRUE(ReadSettings("tcp", "", 1, 0, false).ok()) << "one rank meets nobody";
  EXPECT_TRUE(ReadSettings("tcp", "", 4, 3, true).ok()) << "an id says the rest";
}

TEST_F(SettingsTest, SaysWhatIsWrong) {
  EXPECT_THAT(Error("rank=1"), HasSubstr("does not start with '?'"));
  EXPECT_THAT(Error("?colour=red"), HasSubstr("unknown option 'colour'"));
  EXPECT_THAT(Error("?timeout=10"), HasSubstr("with its unit"));
  EXPECT_THAT(Error("?timeout=1ms"), HasSubstr("1s to 86400s"));
  EXPECT_THAT(Error("?connections=0"), HasSubstr("1..16"));
  EXPECT_THAT(Error("?shm=maybe"), HasSubstr("neither yes nor no"));
  EXPECT_THAT(Error("?secret=00"), HasSubstr("32 hexadecimal digits"));
  EXPECT_THAT(Error("?root=x:1", 2, 0, true), HasSubstr("come with the unique id"));
  EXPECT_THAT(Error("?rank=2&ranks=2"), HasSubstr("rank 2 is not in 0..1"));
}

TEST(Congestion, IsNotLeftToBbr) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto name = [&] {
    char text[16] = "";
    socklen_t length = sizeof text;
    getsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, text, &length);
    return std::string(text);
  };
  EXPECT_TRUE(SetCongestion(descriptor, "").ok());
  EXPECT_NE(name(), "bbr");
  EXPECT_TRUE(SetCongestion(descriptor, "reno").ok());
  EXPECT_EQ(name(), "reno");
  const std::string error(SetCongestion(descriptor, "nosuch").message());
  EXPECT_THAT(error, HasSubstr("congestion=nosuch"));
  EXPECT_THAT(error, HasSubstr("this system has: "));
  EXPECT_EQ(name(), "reno");
  close(descriptor);
}

TEST(JobId, NamesAPlaceOnce) {
  const auto id = NewId("tcp", "", 128);
  ASSERT_TRUE(id.ok()) << id.status();
  ASSERT_TRUE(IsId(*id));
  EXPECT_EQ(id->size(), 128u);
  EXPECT_NE(*id, *NewId("tcp", "", 128));
  const Invitation host = Accept(*id), guest = Accept(*id);
  ASSERT_NE(host.place.door, nullptr);
  EXPECT_EQ(host.place.door->port(), host.place.port);
  EXPECT_EQ(guest.place.door, nullptr);
  EXPECT_EQ(guest.secret, host.secret);
  EXPECT_FALSE(guest.place.addresses.empty());
  EXPECT_FALSE(IsId(std::string(128, '\0')));
  EXPECT_FALSE(IsId(""));
}

}  // namespace
}  // namespace ccl::tcp
