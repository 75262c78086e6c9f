#include "fabric/file.h"

#include <cstdio>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fabric {
namespace {

using testing::HasSubstr;

std::string Write(const std::string& text) {
  const std::string path = testing::TempDir() + "/fabric_file_test.toml";
  std::ofstream(path) << text;
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

}  // namespace
}  // namespace fabric
