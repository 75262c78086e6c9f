// What a recorder says of traffic that is worked out by hand, and that it changes nothing.
#include "fabric/recorder.h"

#include <cstdint>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "fabric/simulator.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace fabric {
namespace {

constexpr EngineKind kEngines[] = {EngineKind::kFifo, EngineKind::kFluid, EngineKind::kPacket};

struct World {
  std::unique_ptr<Simulator> simulator;
  std::unique_ptr<Recorder> recorder;

  World(const std::string& name, int endpoints, std::vector<std::string> sets = {},
        EngineKind engine = EngineKind::kFifo, bool watched = true) {
    auto description = Load(name, endpoints, sets);
    EXPECT_TRUE(description.ok()) << description.status();
    auto made = Simulator::Create(*std::move(description), engine);
    EXPECT_TRUE(made.ok()) << made.status();
    simulator = *std::move(made);
    if (!watched) return;
    recorder = std::make_unique<Recorder>(simulator->network());
    simulator->Watch(recorder.get());
  }
  std::vector<Event> Drain() {
    std::vector<Event> events;
    while (simulator->Advance(events)) {
    }
    return events;
  }
  const PortUsage& At(const std::string& port) {
    const std::vector<PortUsage>& usage = recorder->Usage(simulator->now());
    for (uint32_t i = 0; i < usage.size(); ++i) {
      if (simulator->network().PortName(i) == port) return usage[i];
    }
    ADD_FAILURE() << "no port " << port;
    return usage[0];
  }
};

TEST(Recorder, AMessageAloneIsSeenWhole) {
  for (EngineKind engine : kEngines) {
    World world("crossbar", 4, {"port_bandwidth=1 GB/s"}, engine);
    world.simulator->Send(0, 3, 65536, 0);
    world.Drain();
    for (const char* port : {"endpoint 0 send switch", "endpoint 3 receive switch"}) {
      const PortUsage& u = world.At(port);
      EXPECT_EQ(u.bytes, 65536) << EngineName(engine);
      EXPECT_EQ(u.passages, engine == EngineKind::kPacket ? 16 : 1) << EngineName(engine);
      EXPECT_EQ(u.waiting, 0) << EngineName(engine);
    }
    EXPECT_EQ(world.At("endpoint 1 send switch").passages, 0);
  }
}

TEST(Recorder, AnIncastWaitsAtTheReceiver) {
  World world("crossbar", 4, {"port_bandwidth=1 GB/s", "latency=0 ns", "chunk=64KiB", "packet=64KiB"});
  for (int src = 0; src < 3; ++src) world.simulator->Send(src, 3, 65536, 0);
  world.Drain();
  const Time b = TransferTime(65536, 1'000'000'000);
  EXPECT_EQ(world.simulator->now(), 3 * b);
  const PortUsage& u = world.At("endpoint 3 receive switch");
  EXPECT_EQ(u.passages, 3);
  EXPECT_EQ(u.most_waiting, 2 * 65536);
  // Two wait while the first passes, one while the second does.
  EXPECT_EQ(u.waiting, 3.0 * 65536 * static_cast<double>(b));
}

TEST(Recorder, EveryByteIsSeenOnceAtEveryPort) {
  for (EngineKind engine : kEngines) {
    for (uint32_t seed = 0; seed < 40; ++seed) {
      World world("fat-tree", 32, {"leaf.oversubscription=4"}, engine);
      Network& network = const_cast<Network&>(world.simulator->network());
      std::vector<int64_t> expected(network.ports().size());
      std::mt19937 random(seed);
      Path path;
      for (int i = 0; i < 200; ++i) {
        const int src = static_cast<int>(random() % 32), dst = static_cast<int>(random() % 32);
        const int64_t bytes = random() % 1'000'000;
        network.Route(src, dst, path);
        for (uint32_t port : path.ports) expected[port] += bytes;
        world.simulator->Send(src, dst, bytes, 0);
        if (i % 50 == 49) world.Drain();
      }
      world.Drain();
      const std::vector<PortUsage>& usage = world.recorder->Usage(world.simulator->now());
      for (uint32_t port = 0; port < usage.size(); ++port) {
        EXPECT_EQ(usage[port].bytes, expected[port])
            << EngineName(engine) << " seed " << seed << " " << network.PortName(port);
        // Nothing waits any more, so a longer time adds nothing.
        EXPECT_EQ(world.recorder->Usage(world.simulator->now() + kSecond)[port].waiting,
                  usage[port].waiting);
        EXPECT_GE(usage[port].waiting, 0);
        EXPECT_LE(TransferTime(usage[port].bytes, network.ports()[port].rate),
                  world.simulator->now()) << network.PortName(port);
      }
    }
  }
}

TEST(Recorder, WatchingChangesNothing) {
  const TemporaryFolder folder;
  for (EngineKind engine : kEngines) {
    std::vector<Event> events[2];
    for (int watched = 0; watched < 2; ++watched) {
      World world("fat-tree", 32, {"leaf.oversubscription=2"}, engine, watched == 1);
      if (watched == 1) {
        auto file = TraceFile::Create(folder.path() + "/trace.json", world.simulator->description(),
                                      world.simulator->network());
        ASSERT_TRUE(file.ok()) << file.status();
        world.recorder->WriteTo(*std::move(file));
      }
      std::mt19937 random(7);
      for (int i = 0; i < 300; ++i) {
        world.simulator->Send(static_cast<int>(random() % 32), static_cast<int>(random() % 32),
                              random() % 300'000, i);
      }
      events[watched] = world.Drain();
      if (watched == 1) {
        EXPECT_TRUE(world.recorder->Close().ok());
      }
    }
    EXPECT_EQ(events[0], events[1]) << EngineName(engine);
  }
}

TEST(Recorder, ATraceNamesPortsAndEnds) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/trace.json";
  World world("crossbar", 2, {"port_bandwidth=1 GB/s", "reduce_bandwidth=2 GB/s"});
  auto file = TraceFile::Create(path, world.simulator->description(), world.simulator->network());
  ASSERT_TRUE(file.ok()) << file.status();
  world.recorder->WriteTo(*std::move(file));
  world.simulator->Send(0, 1, 1'000, 0);
  world.simulator->Reduce(1, 4'000, 1);
  world.Drain();
  ASSERT_TRUE(world.recorder->Close().ok());
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  for (const char* part :
       {"\"name\":\"endpoint 0 send switch\"", "\"name\":\"endpoint 1 engine\"",
        "\"ts\":0.000000,\"dur\":1.000000,\"name\":\"0 to 1\",\"args\":{\"bytes\":1000}",
        "\"ts\":0.000000,\"dur\":2.000000,\"name\":\"reduce or copy\",\"args\":{\"bytes\":4000}",
        "\"args\":{\"left_out\":0}}\n]}\n"}) {
    EXPECT_NE(text.str().find(part), std::string::npos) << part << "\n" << text.str();
  }
}

TEST(Recorder, ATraceThatCannotBeWrittenIsAnError) {
  World world("crossbar", 2);
  const auto file = TraceFile::Create("/nowhere/trace.json", world.simulator->description(),
                                      world.simulator->network());
  EXPECT_EQ(file.status().message(),
            "cannot write trace '/nowhere/trace.json': No such file or directory");
}

}  // namespace
}  // namespace fabric
