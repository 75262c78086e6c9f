#include "fabric/file.h"

#include <cstdio>
#include <fstream>

#include "fabric/network.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace fabric {
namespace {

using testing::HasSubstr;

std::string Write(const std::string& text) {
  static const TemporaryFolder folder;
  std::string path = folder / "file_test.toml";
  std::ofstream file(path);
  file << text;
  file.close();
  EXPECT_TRUE(file.good()) << path;
  return path;
}

TEST(File, APresetWithOverrides) {
  const auto d = Load(Write("preset = \"cloudmatrix384\"\nendpoints = 96\n"
                            "port_bandwidth = \"196 GB/s\"\n[node]\nswitch_latency = \"300 ns\"\n"));
  ASSERT_TRUE(d.ok()) << d.status();
  EXPECT_EQ(d->endpoints, 96);
  EXPECT_EQ(d->tiers[0].port_bandwidth, 196e9);
  EXPECT_EQ(d->tiers[0].switch_latency, 300 * kNanosecond);
}

TEST(File, ASystemOfItsOwn) {
  const std::string path = Write(
      "name = \"mine\"\nendpoints = 6\nport_bandwidth = \"100 GB/s\"\n"
      "[[tier]]\nname = \"box\"\ngroup_size = 3\nswitch_latency = \"100 ns\"\n"
      "uplink_bandwidth = \"150 GB/s\"\n[[tier]]\nname = \"hall\"\ngroup_size = 6\n"
      "switch_latency = \"1 us\"\n");
  const auto d = Load(path);
  ASSERT_TRUE(d.ok()) << d.status();
  EXPECT_EQ(d->PathLatency(0, 1), 100 * kNanosecond);
  EXPECT_EQ(d->PathLatency(0, 5), 1200 * kNanosecond);
  const auto less = Load(path, 0, {"hall.switch_latency=2 us"});
  EXPECT_EQ(less->PathLatency(0, 5), 2200 * kNanosecond);
}

TEST(File, ErrorsNameFileAndLine) {
  const auto message = [](const std::string& text) {
    return std::string(Load(Write(text)).status().message());
  };
  const std::string preset = "preset = \"crossbar\"\n";
  EXPECT_THAT(message(preset + "port_bandwidth = 400\n"),
              testing::AllOf(HasSubstr(".toml:2:"), HasSubstr("unit")));
  EXPECT_THAT(message(preset + "\nport_bandwidth = \"400\"\n"), HasSubstr(".toml:3:"));
  EXPECT_THAT(message(preset + "port_bandwith = \"400 GB/s\"\n"),
              testing::AllOf(HasSubstr(".toml:2:"), HasSubstr("port_bandwidth")));
  EXPECT_THAT(message("preset = \"crosbar\"\n"),
              testing::AllOf(HasSubstr(".toml:1:"), HasSubstr("crossbar")));
  EXPECT_THAT(message("endpoints = [\n"), HasSubstr(".toml:"));
  EXPECT_THAT(message("endpoints = 4\n"), HasSubstr("preset"));
}

std::string Refusal(const std::string& text) {
  const auto d = ParseText(text, "my.toml");
  EXPECT_FALSE(d.ok()) << text;
  return std::string(d.status().message());
}

constexpr char kBox[] = "endpoints = 4\n[[tier]]\nname = \"box\"\n";  // its keys follow on line 4

TEST(File, EveryFieldOfATier) {
  const auto d = ParseText(R"(
name = "all"
summary = "of it"
endpoints = 24
maximum_endpoints = 48
chunk = "4 KiB"
seed = 7
memory_bandwidth = "300 GB/s"
block_bandwidth = "400 GB/s"
exchange_bandwidth = "500 GB/s"
transfer = "read"
[calibrated]
system = "all"
min_bytes = "8 B"
max_bytes = "1 MiB"
min_ranks = 2
max_ranks = 24
[[tier]]
name = "box"
kind = "torus"
group_size = 4
dimensions = [2, 2]
link_bandwidth = "10 GB/s"
switch_latency = "1 ns"
[[tier]]
name = "leaf"
group_size = 16
rails = 4
port_bandwidth = "5 GB/s"
switch_hops = 2
transceiver_latency = "3 ns"
fec_latency = "100 ns"
uplink_bandwidth = "20 GB/s"
uplinks = 4
routing = "hash"
group_efficiency = 0.5
group_overhead = "2 us"
group_results = "one"
[[tier]]
name = "spine"
fibre_length = "10 m"
[[protocol]]
name = "small"
overhead = "10 ns"
max_bytes = "4 KiB"
[[protocol]]
name = "large"
tiers = "leaf, spine"
transfer = "read"
message_bandwidth = "4 GB/s"
overhead = "1 us"
efficiency = 1
)", "my.toml");
  ASSERT_TRUE(d.ok()) << d.status();
  EXPECT_EQ(d->summary, "of it");
  EXPECT_EQ(d->seed, 7);
  EXPECT_EQ(d->tiers[0].dimensions, std::vector<int>({2, 2}));
  EXPECT_EQ(d->tiers[1].rails, 4);
  EXPECT_EQ(d->tiers[1].switch_hops, 2);
  EXPECT_EQ(d->tiers[1].routing, Routing::kHash);
  EXPECT_EQ(d->tiers[1].group_efficiency, 0.5);
  EXPECT_EQ(d->FibreLatency(1), 106 * kNanosecond);
  EXPECT_EQ(d->tiers[2].group_size, 32);  // 24 in groups of 16
  EXPECT_EQ(d->protocols[0].max_bytes, 4096);
  EXPECT_EQ(d->protocols[1].overhead, kMicrosecond);
  EXPECT_EQ(d->protocols[1].tiers, std::vector<std::string>({"leaf", "spine"}));
  EXPECT_EQ(d->protocols[1].message_bandwidth, 4e9);
  EXPECT_EQ(d->tiers[1].group_overhead, 2 * kMicrosecond);
  EXPECT_FALSE(d->tiers[1].group_to_all);
  EXPECT_EQ(d->memory_bandwidth, 300e9);
  EXPECT_EQ(d->block_bandwidth, 400e9);
  EXPECT_EQ(d->exchange_bandwidth, 500e9);
  EXPECT_EQ(d->transfer, Transfer::kRead);
  EXPECT_EQ(d->Extrapolation(8), "");
  EXPECT_EQ(d->Extrapolation(7), "7 bytes, fitted to 8 to 1048576");
  EXPECT_EQ(d->Extrapolation(1 << 21), "2097152 bytes, fitted to 8 to 1048576");
  Description other = *d;
  other.endpoints = 25;
  EXPECT_EQ(other.Extrapolation(8), "25 ranks, fitted to 2 to 24");
  other.name = "mine";
  EXPECT_EQ(other.Extrapolation(8), "fitted to measurements of all, not of mine");
  EXPECT_EQ(d->ProtocolsOf(0).size(), 1);
  EXPECT_EQ(d->ProtocolsOf(1).size(), 2);
}

TEST(File, APresetsProtocolsAreOverriddenOrReplaced) {
  const std::string base = "preset = \"dgx-h100\"\n";
  const auto one = ParseText(base + "[protocol.simple]\nefficiency = 0.5\n", "my.toml");
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->protocols[1].efficiency, 0.5);
  const auto all = ParseText(base + "[[protocol]]\nname = \"mine\"\n", "my.toml");
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->protocols.size(), 1);
  EXPECT_EQ(all->protocols[0].name, "mine");
}

TEST(File, WhatAProtocolServes) {
  const std::string box = kBox;
  EXPECT_THAT(Refusal(box + "port_bandwidth = \"1 GB/s\"\n[[protocol]]\nname = \"p\"\n"
                            "tiers = \"bix\"\n"),
              HasSubstr("protocol p: there is no tier \"bix\"; did you mean \"box\"?"));
  EXPECT_THAT(Refusal(box + "[[protocol]]\nname = \"p\"\ntransfer = \"push\"\n"),
              HasSubstr("my.toml:6: protocol.p.transfer: \"push\" is not a transfer: send, write or "
                        "read"));
  EXPECT_THAT(Refusal(box + "port_bandwidth = \"1 GB/s\"\ngroup_results = \"two\"\n"),
              HasSubstr("who gets a reduction's result: one or all"));
  EXPECT_THAT(Refusal("memory_bandwidth = \"1 GB/s\"\nendpoints = 2\n[[link]]\nfrom = 0\nto = 1\n"
                      "bandwidth = \"1 GB/s\"\n"),
              HasSubstr("memory_bandwidth is for tiers"));
}

TEST(File, WrongTypesNameTheirLine) {
  const std::string box = kBox;
  for (const char* value : {"\"three\"", "2.5", "99999999999"}) {
    EXPECT_THAT(Refusal(box + "switch_hops = " + value + "\n"),
                testing::AllOf(testing::StartsWith("my.toml:4: box.switch_hops: "),
                               HasSubstr("is not a whole number of 32 bits")));
  }
  EXPECT_THAT(Refusal(box + "switch_hops = true\n"),
              testing::StartsWith("my.toml:4: box.switch_hops: write a number, a value with"));
  EXPECT_THAT(Refusal(box + "switch_hops = 2020-01-01\n"), HasSubstr("my.toml:4: box.switch_hops"));
  // 2^32 + 4 is not 4.
  EXPECT_THAT(Refusal(box + "group_size = 4294967300\n"),
              testing::StartsWith("my.toml:4: box.group_size: \"4294967300\" is not a whole"));
  EXPECT_THAT(Refusal("endpoints = \"4\"\n[[tier]]\nname = \"a\"\n"),
              testing::StartsWith("my.toml:1: endpoints: write a whole number from 1 to 1048576"));
  EXPECT_THAT(Refusal("endpoints = 1000000000\n[[tier]]\nname = \"a\"\n"),
              testing::StartsWith("my.toml:1: endpoints: write a whole number from 1 to 1048576"));
  EXPECT_THAT(Refusal("name = 3\n[[tier]]\nname = \"a\"\n"),
              testing::StartsWith("my.toml:1: name: write a text in quotes"));
  EXPECT_THAT(Refusal(box + "kind = \"mash\"\n"), HasSubstr("my.toml:4: \"mash\" is not a kind"));
  EXPECT_THAT(Refusal("tier = 3\n"), HasSubstr("my.toml:1: write each tier as a table [[tier]]"));
  EXPECT_THAT(Refusal(box + "[[protocol]]\nefficiency = 1\n"),
              HasSubstr("my.toml:4: a protocol needs a name"));
  EXPECT_THAT(Refusal(box + "[[tier]]\nname = \"box\"\n"),
              HasSubstr("my.toml:4: a second tier called box"));
  EXPECT_THAT(Refusal(box + "[box]\nport_bandwith = \"1 GB/s\"\n"),
              testing::AllOf(HasSubstr("my.toml:5:"), HasSubstr("did you mean \"box.port_bandwidth")));
}

TEST(File, RatesAreWithinReason) {
  const std::string box = kBox;
  EXPECT_THAT(Refusal(box + "port_bandwidth = \"-1 GB/s\"\n"),
              testing::AllOf(HasSubstr("my.toml:4:"), HasSubstr("out of range for a bandwidth")));
  EXPECT_THAT(Refusal(box + "port_bandwidth = \"0 GB/s\"\n"),
              HasSubstr("my.toml: tier box: port_bandwidth out of range"));
  EXPECT_THAT(Refusal(box), HasSubstr("tier box: port_bandwidth out of range"));
  EXPECT_THAT(Refusal(box + "port_bandwidth = \"1e30 GB/s\"\n"), HasSubstr("out of range"));
  EXPECT_THAT(Refusal(box + "port_bandwidth = \"1 GB/s\"\ngroup_efficiency = 1.5\n"),
              HasSubstr("group_efficiency must be in 0..1"));
}

TEST(File, LimitsOfEndpoints) {
  const std::string limited = "endpoints = 8\nminimum_endpoints = 4\nmaximum_endpoints = 16\n"
                              "[[tier]]\nname = \"box\"\nport_bandwidth = \"1 GB/s\"\n";
  EXPECT_TRUE(ParseText(limited, "my.toml", 16).ok());
  EXPECT_EQ(ParseText(limited, "my.toml", 3).status().message(),
            "my.toml: needs at least 4 endpoints, not 3");
  EXPECT_EQ(ParseText(limited, "my.toml", 17).status().message(),
            "my.toml: holds at most 16 endpoints, not 17");
  EXPECT_THAT(Refusal("[[tier]]\nname = \"box\"\nport_bandwidth = \"1 GB/s\"\n"),
              HasSubstr("needs endpoints, or a group_size in its outermost tier"));
}

TEST(File, TruncatedAnywhereIsAnErrorOrASystem) {
  const auto source = SourceOf("dgx-h100-superpod");
  ASSERT_TRUE(source.ok());
  int refused = 0;
  for (size_t end = 0; end < source->size(); ++end) {
    const auto d = ParseText(absl::string_view(*source).substr(0, end), "cut.toml");
    if (d.ok()) continue;
    ++refused;
    EXPECT_FALSE(d.status().message().empty());
  }
  EXPECT_GT(refused, 100);
}

TEST(File, JunkAndDepthAreRefusedBeforeTheyHurt) {
  EXPECT_THAT(Refusal(std::string(kMaxFileBytes + 1, '[')), HasSubstr("larger than 1 MiB"));
  EXPECT_THAT(Refusal(std::string(kMaxFileBytes, '[')), HasSubstr("my.toml:1:"));
  EXPECT_THAT(Refusal("a = " + std::string(100'000, '[')), HasSubstr("my.toml:1:"));
  std::string dotted = "\na";
  for (int i = 0; i < 100'000; ++i) dotted += ".a";
  EXPECT_THAT(Refusal("\n\"#\"" + dotted.substr(2) + " = 1\n"), HasSubstr("more than 64 dots"));
  EXPECT_THAT(Refusal("name = \"M\xc3\xbcller\"\n"),
              HasSubstr("my.toml:1: only comments may have letters beyond ASCII"));
  EXPECT_TRUE(ParseText("preset = \"crossbar\"  # M\xc3\xbcller\n", "my.toml").ok());
  EXPECT_THAT(Refusal(dotted + " = 1\n"), HasSubstr("my.toml:2: more than 64 dots on a line"));
  std::string binary(4096, '\0');
  for (size_t i = 0; i < binary.size(); ++i) binary[i] = static_cast<char>(i * 37 + 11);
  EXPECT_THAT(Refusal(binary), HasSubstr("my.toml:"));
  // A file of 100 MB, most of it a hole, is not read to its end.
  const std::string path = Write("");
  std::ofstream(path).seekp(100'000'000).put('x');
  EXPECT_THAT(std::string(Load(path).status().message()), HasSubstr("larger than 1 MiB"));
  EXPECT_THAT(std::string(Load("no/such.toml").status().message()),
              HasSubstr("no/such.toml: cannot open"));
}

std::string NetworkRefusal(const std::string& text) {
  const auto d = ParseText(text, "my.toml");
  EXPECT_TRUE(d.ok()) << d.status();
  const auto network = Network::Create(*d);
  EXPECT_FALSE(network.ok());
  return std::string(network.status().message());
}

TEST(Network, WhatCannotBeBuiltIsRefused) {
  const std::string two = R"(
name = "deep"
endpoints = 8
[[tier]]
name = "a"
group_size = 2
port_bandwidth = "10 GB/s"
routing = "modulo"
)";
  const std::string rest = "[[tier]]\nname = \"b\"\ngroup_size = 4\nuplinks = 65536\nrouting = "
                           "\"modulo\"\nuplink_bandwidth = \"1 GB/s\"\n[[tier]]\nname = \"c\"\n";
  EXPECT_THAT(NetworkRefusal(two + "uplinks = 65536\nuplink_bandwidth = \"1 GB/s\"\n" + rest),
              HasSubstr("tier b takes it over 16777216 ports"));
  EXPECT_THAT(NetworkRefusal(two + "uplinks = 4\nuplink_bandwidth = \"1 B/s\"\n" + rest),
              HasSubstr("tier a: uplink_bandwidth leaves less than 1 B/s to each of 4 uplinks"));
  const auto ring = Load("ring", 100'000);
  ASSERT_TRUE(ring.ok()) << ring.status();
  EXPECT_THAT(std::string(Network::Create(*ring).status().message()),
              HasSubstr("latencies of routes round it"));
}

TEST(Description, UplinksToldApartMultiply) {
  const auto d = Load("fat-tree-3", 0, std::vector<std::string>{"pod.oversubscription=4"});
  ASSERT_TRUE(d.ok()) << d.status();
  // 8 uplinks of a leaf, each to a switch with 8 of its own: a pod's pipes are 64.
  EXPECT_EQ(d->Pipes(1), 64);
  EXPECT_DOUBLE_EQ(d->PathBandwidth(0, d->endpoints - 1), d->tiers[1].uplink_bandwidth / 64);
}

TEST(Description, ARateOfUplinksTakesThePlaceOfARatio) {
  const auto d = Load("fat-tree", 0, std::vector<std::string>{"leaf.uplink_bandwidth=10 GB/s"});
  ASSERT_TRUE(d.ok()) << d.status();
  EXPECT_EQ(d->tiers[0].uplink_bandwidth, 10e9);
  const auto base = ParseText("preset = \"fat-tree\"\n[leaf]\nuplink_bandwidth = \"20 GB/s\"\n",
                              "my.toml");
  ASSERT_TRUE(base.ok()) << base.status();
  EXPECT_EQ(base->tiers[0].uplink_bandwidth, 20e9);
  EXPECT_THAT(Refusal("preset = \"fat-tree\"\n[leaf]\nuplink_bandwidth = \"20 GB/s\"\n"
                      "oversubscription = 2\n"),
              HasSubstr("my.toml:4: oversubscription and uplink_bandwidth of one tier"));
}

TEST(File, RatiosKeepAllTheirDigits) {
  const auto d = ParseText("preset = \"fat-tree\"\n[leaf]\noversubscription = 1.23456789\n", "my.toml");
  ASSERT_TRUE(d.ok()) << d.status();
  EXPECT_EQ(d->tiers[0].oversubscription, 1.23456789);
}

}  // namespace
}  // namespace fabric
