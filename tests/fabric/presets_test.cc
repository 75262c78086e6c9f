#include "fabric/presets.h"

#include <cctype>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "fabric/description.h"
#include "fabric/simulator.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fabric {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Description Get(const std::string& name, int endpoints = 0, std::vector<std::string> sets = {}) {
  auto d = Load(name, endpoints, sets);
  EXPECT_TRUE(d.ok()) << name << ": " << d.status();
  return d.ok() ? *std::move(d) : Description();
}

std::string Message(const std::string& name, int endpoints = 0,
                    std::vector<std::string> sets = {}) {
  return std::string(Load(name, endpoints, sets).status().message());
}

TEST(Presets, EveryOneIsASystemWithASummary) {
  std::set<std::string> names;
  for (const std::string& name : PresetNames()) {
    const Description d = Get(name);
    EXPECT_EQ(d.name, name);
    EXPECT_FALSE(d.summary.empty()) << name;
    EXPECT_TRUE(Simulator::Create(d).ok()) << name;
    names.insert(name);
  }
  for (const char* name :
       {"cloudmatrix384", "cloudmatrix384-dies", "ascend910b-node", "ascend910b-cluster",
        "gb200-nvl72", "nvl72-cluster", "dgx-h100", "dgx-h100-superpod", "gh200-nvl32",
        "dgx-gh200-256", "crossbar", "fully-connected", "ring", "torus", "fat-tree",
        "fat-tree-3"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

// A number without a word on where it comes from and how far to trust it is of no use.
TEST(Presets, EveryConstantSaysItsSourceAndConfidence) {
  const std::set<std::string> structure = {"name", "summary", "kind"};
  for (const PresetFile& preset : Presets()) {
    std::string comment;
    int constants = 0;
    for (absl::string_view line : absl::StrSplit(preset.text, '\n')) {
      if (absl::ConsumePrefix(&line, "# ")) {
        comment.append(line.data(), line.size());
        continue;
      }
      const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(" = ", 1));
      if (parts.size() == 2 && !structure.contains(parts[0])) {
        ++constants;
        EXPECT_THAT(comment, testing::ContainsRegex("^\\[(fit|high|medium|low|assumption)\\] .{6,}"))
            << preset.name << ": " << line;
      }
      comment.clear();
    }
    EXPECT_GE(constants, 3) << preset.name;
  }
}

TEST(Presets, WhatTheProductsAre) {
  const Description cm = Get("cloudmatrix384");
  EXPECT_EQ(cm.endpoints, 384);
  EXPECT_EQ(cm.tiers[0].port_bandwidth, 392e9);
  EXPECT_EQ(cm.PathLatency(0, 7), 200 * kNanosecond);
  EXPECT_EQ(cm.PathLatency(0, 8), 800 * kNanosecond);  // three switches, two fibres of 20 m
  const Description dies = Get("cloudmatrix384-dies");
  EXPECT_EQ(dies.endpoints, 768);
  EXPECT_EQ(dies.PathBandwidth(0, 1), 120e9);
  EXPECT_EQ(dies.PathBandwidth(0, 2), 196e9);
  EXPECT_EQ(dies.PathLatency(1, 16), 800 * kNanosecond);
  const Description a2 = Get("ascend910b-cluster", 24);
  EXPECT_EQ(a2.PathBandwidth(0, 7), 28e9);
  EXPECT_EQ(a2.PathBandwidth(0, 23), 25e9);
  EXPECT_EQ(a2.PathLatency(0, 8), 1500 * kNanosecond);
  const Description pod = Get("dgx-h100-superpod");
  EXPECT_EQ(pod.MeetingTier(0, 7), 0);
  EXPECT_EQ(pod.MeetingTier(0, 8), 1);    // the same rail of another node
  EXPECT_EQ(pod.MeetingTier(0, 9), 2);    // another rail
  EXPECT_EQ(pod.MeetingTier(0, 256), 2);  // another scalable unit
  for (const char* nvswitch : {"gb200-nvl72", "dgx-h100", "gh200-nvl32", "dgx-gh200-256"}) {
    for (const Tier& tier : Get(nvswitch).tiers) {
      EXPECT_GT(tier.group_efficiency, 0) << nvswitch;
      EXPECT_FALSE(tier.group_to_all) << nvswitch;
    }
  }
}

TEST(Presets, AFatTreeOf48x8x8RoutesByDestination) {
  const Description d = Get("fat-tree");
  EXPECT_EQ(d.Groups(0), 48);
  EXPECT_EQ(d.tiers[0].uplinks, 8);
  EXPECT_EQ(d.tiers[0].uplink_bandwidth, 400e9);
  const auto network = Network::Create(d);
  ASSERT_TRUE(network.ok());
  Path path;
  const auto up_port = [&](int src, int dst) {
    (*network)->Route(src, dst, path);
    for (uint32_t port : path.ports) {
      if ((*network)->ports()[port].kind == PortKind::kUp) return (*network)->PortName(port);
    }
    return std::string("none");
  };
  EXPECT_EQ(up_port(0, 8), up_port(1, 16));  // both are 0 mod 8
  EXPECT_NE(up_port(0, 8), up_port(0, 9));
  EXPECT_EQ((*network)->ports()[path.ports[1]].rate, 50'000'000'000);
}

TEST(Presets, OtherSizesAndShapes) {
  const Description half = Get("fat-tree", 100, {"leaf.group_size=16", "leaf.oversubscription=2"});
  EXPECT_EQ(half.endpoints, 100);
  EXPECT_EQ(half.tiers[1].group_size, 112);
  EXPECT_EQ(half.tiers[0].uplink_bandwidth, 400e9);  // 16 x 50 / 2
  const Description three = Get("fat-tree-3", 0, {"leaf.oversubscription=2"});
  EXPECT_EQ(three.tiers[0].uplink_bandwidth, 200e9);
  EXPECT_EQ(three.tiers[1].uplink_bandwidth, 1600e9);  // 8 leaves of 200
  EXPECT_EQ(Get("ring", 5).TorusDistance(0, 0, 3), 2);
  EXPECT_EQ(Get("torus", 0, {"torus.dimensions=8x8"}).TorusDistance(0, 0, 36), 8);
  EXPECT_EQ(Get("torus", 0, {"torus.dimensions=3x5"}).endpoints, 15);
  EXPECT_EQ(Get("crossbar", 1000).tiers[0].group_size, 1000);
}

TEST(Presets, SizesThatAreNotPossibleSaySo) {
  EXPECT_EQ(Message("cloudmatrix384", 385),
            "cloudmatrix384: holds at most 384 endpoints, not 385");
  EXPECT_EQ(Message("fully-connected", 5000),
            "fully-connected: holds at most 4096 endpoints, not 5000");
  EXPECT_THAT(Message("torus", 63), AllOf(HasSubstr("63 endpoints do not fill"),
                                          HasSubstr("set torus.dimensions")));
  EXPECT_THAT(Message("torus", 0, {"torus.dimensions=4x0"}), HasSubstr("dimensions such as 4x4x4"));
  EXPECT_THAT(Message("fat-tree", 0, {"leaf.group_size=0"}),
              HasSubstr("only the outermost tier may leave out group_size"));
  EXPECT_THAT(Message("fat-tree", 0, {"leaf.group_size=-1"}), HasSubstr("must not be negative"));
  EXPECT_THAT(Message("crossbar", -1), HasSubstr("endpoints must not be negative"));
  EXPECT_THAT(Message("crossbar", 1'000'000'000),
              HasSubstr("holds at most 1048576 endpoints, not 1000000000"));
}

}  // namespace
}  // namespace fabric
