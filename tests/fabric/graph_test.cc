#include "fabric/graph.h"

#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "fabric/figures.h"
#include "fabric/file.h"
#include "fabric/simulator.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fabric {
namespace {

using testing::HasSubstr;

// 0 and 1 on switch a, 2 and 3 on b; a and b joined over c and over d.
std::string Diamond(const std::string& more = "") {
  std::string text = "name = \"diamond\"\nendpoints = 4\n" + more;
  for (const char* name : {"a", "b", "c", "d"}) {
    text += std::string("[[switch]]\nname = \"") + name + "\"\nlatency = \"100 ns\"\n";
  }
  const auto link = [&](const std::string& from, const std::string& to, const char* rate) {
    text += "[[link]]\nfrom = " + from + "\nto = " + to + "\nbandwidth = \"" + rate +
            "\"\nlatency = \"10 ns\"\n";
  };
  link("0", "\"a\"", "10 GB/s");
  link("1", "\"a\"", "10 GB/s");
  link("\"b\"", "2", "10 GB/s");
  link("3", "\"b\"", "5 GB/s");
  for (const char* middle : {"\"c\"", "\"d\""}) {
    link("\"a\"", middle, "20 GB/s");
    link("\"b\"", middle, "20 GB/s");
  }
  return text;
}

std::string Refusal(const std::string& text) {
  const auto d = ParseText(text, "my.toml");
  EXPECT_FALSE(d.ok()) << text;
  return std::string(d.status().message());
}

TEST(Graph, RoutesTakeTheFewestLinksAndTheLowestNumber) {
  const auto d = ParseText(Diamond(), "my.toml");
  ASSERT_TRUE(d.ok()) << d.status();
  const auto network = Network::Create(*d);
  ASSERT_TRUE(network.ok()) << network.status();
  Path path;
  (*network)->Route(0, 3, path);
  std::string way;
  for (uint32_t port : path.ports) way += (*network)->PortName(port) + "; ";
  EXPECT_EQ(way, "link endpoint 0 to a; link a to c; link c to b; link b to endpoint 3; ");
  const auto latencies = (*network)->hop_latencies(path.profile);
  EXPECT_EQ(std::accumulate(latencies.begin(), latencies.end(), Time{0}), 340 * kNanosecond);
  EXPECT_EQ((*network)->ports()[path.ports[3]].rate, 5'000'000'000);
  (*network)->Route(1, 1, path);
  EXPECT_EQ(path.ports.size(), 2);
  // For planning: the longest route, the slowest endpoint.
  EXPECT_EQ(d->PathLatency(0, 3), 340 * kNanosecond);
  EXPECT_EQ(d->tiers[0].port_bandwidth, 5e9);
}

TEST(Graph, HashedRoutesUseEveryShortestWay) {
  std::set<uint32_t> middle;
  for (int seed = 1; seed < 20; ++seed) {
    const auto d = ParseText(Diamond("routing = \"hash\"\n"), "my.toml", 0,
                             {"seed=" + std::to_string(seed)});
    ASSERT_TRUE(d.ok()) << d.status();
    const auto network = Network::Create(*d);
    Path path, again;
    (*network)->Route(0, 2, path);
    (*network)->Route(0, 2, again);
    EXPECT_EQ(path.ports, again.ports);
    ASSERT_EQ(path.ports.size(), 4);
    middle.insert(path.ports[1]);
  }
  EXPECT_EQ(middle.size(), 2);
}

TEST(Graph, AMessageTakesItsLatencyAndTheSlowestLink) {
  auto simulator = Simulator::Create(*ParseText(Diamond(), "my.toml"));
  ASSERT_TRUE(simulator.ok());
  (*simulator)->Send(0, 3, 10'000, 7);
  std::vector<Event> events;
  Time delivered = 0;
  while ((*simulator)->Advance(events)) {
    for (const Event& event : events) {
      if (event.kind == EventKind::kDelivered) delivered = event.time;
    }
    events.clear();
  }
  EXPECT_EQ(delivered, 340 * kNanosecond + 2 * kMicrosecond);  // 10 kB at 5 GB/s
}

TEST(Graph, ErrorsSayWhatIsWrongWhere) {
  const std::string link = "[[link]]\nfrom = 0\nto = 1\nbandwidth = \"1 GB/s\"\n";
  EXPECT_EQ(Refusal("endpoints = 3\n" + link),
            "my.toml: endpoint 0 and endpoint 2 cannot reach each other");
  EXPECT_THAT(Refusal("endpoints = 2\n[[link]]\nfrom = 0\nto = 2\n"),
              HasSubstr("my.toml:4: to: endpoints are 0 to 1, not 2"));
  EXPECT_THAT(Refusal("endpoints = 2\n[[link]]\nfrom = 0\nto = \"x\"\n"),
              HasSubstr("my.toml:4: to: there is no switch called \"x\""));
  EXPECT_THAT(Refusal("endpoints = 2\n[[link]]\nfrom = 0\nto = 1\n"),
              HasSubstr("a link needs a bandwidth"));
  EXPECT_THAT(Refusal("endpoints = 2\n[[link]]\nfrom = 0\nto = 1\nbandwith = \"1 GB/s\"\n"),
              HasSubstr("my.toml:5: unknown key \"bandwith\"; did you mean \"bandwidth\"?"));
  EXPECT_THAT(Refusal("endpoints = 2\n[[link]]\nfrom = 0\nto = 0\nbandwidth = \"1 GB/s\"\n"),
              HasSubstr("a link ends where it begins"));
  EXPECT_THAT(Refusal("endpoints = 5000\n" + link), HasSubstr("1 to 4096 endpoints and switches"));
  EXPECT_THAT(Refusal(link), HasSubstr("a graph needs endpoints"));
  EXPECT_THAT(Refusal("preset = \"ring\"\nendpoints = 2\n" + link), HasSubstr("needs one of"));
  EXPECT_THAT(Refusal("endpoints = 2\nrouting = \"best\"\n" + link),
              HasSubstr("my.toml:2: routing of a graph is \"lowest\" or \"hash\""));
  EXPECT_EQ(ParseText("endpoints = 2\n" + link, "my.toml", 3).status().message(),
            "my.toml: is a graph of 2 endpoints, not 3");
}

TEST(Graph, AMessageGetsALinkAndAnEndpointAllOfItsLinks) {
  std::string text = "name = \"ring\"\nendpoints = 8\n";
  for (int i = 0; i < 8; ++i) {
    text += "[[link]]\nfrom = " + std::to_string(i) + "\nto = " + std::to_string((i + 1) % 8) +
            "\nbandwidth = \"50 GB/s\"\nlatency = \"500 ns\"\n";
  }
  const auto d = ParseText(text, "my.toml");
  ASSERT_TRUE(d.ok()) << d.status();
  EXPECT_EQ(d->PathBandwidth(0, 3), 50e9);
  EXPECT_EQ(OwnBandwidth(*d, 0), 100e9);
  EXPECT_EQ(d->PathLatency(0, 1), 2'000'000);  // of the longest route, 4 links
}

}  // namespace
}  // namespace fabric
