// Algorithms on an optical circuit switch and through faults: closed formulas on the whole path, and
// what ranks are told that wait for nothing.
#include <cinttypes>
#include <cstdio>

#include "gmock/gmock.h"
#include "tests/exec/world.h"
#include "tests/schedule/stored_program.h"

namespace ccl {
namespace {

using testing::HasSubstr;

// The preset ocs: two fibres of 20 m at 5 ns/m, each with two transceivers of 50 ns and FEC of 100 ns;
// 20 ps a byte; 1.2 ms to change a circuit.
constexpr Time kLatency = 2 * (100'000 + 100'000 + 100'000), kByte = 20, kChange = 1'200'000'000;

void Check(const std::string& what, Time expected, Time measured) {
  std::printf("  %-66s expected %14" PRId64 " ps  measured %14" PRId64 " ps\n", what.c_str(), expected, measured);
  EXPECT_EQ(expected, measured) << what;
}

Request Phantom(Collective collective, uint64_t count) {
  Request request;
  request.collective = collective;
  request.count = count;
  request.phantom = true;
  return request;
}

Time Measure(const std::string& algorithm, Collective collective, int n, uint64_t count,
             const std::string& options = "") {
  World world(absl::StrCat("emulated:ocs?ranks=", n, options));
  auto program = BuildProgram(*ParseAlgorithm(algorithm), Shape{collective, n}, true);
  EXPECT_TRUE(program.ok()) << program.status();
  return world.Run(*program, std::vector<Request>(n, Phantom(collective, count)));
}

TEST(Circuits, ClosedFormsAt384Ports) {
  for (int n : {4, 48, 384}) {
    for (uint64_t each : {1, 16384}) {  // elements of a block
      const Time block = static_cast<Time>(each) * 4 * kByte;
      const std::string tail = absl::StrCat(", n = ", n, ", ", each * 4, " B blocks");
      Check("ring allreduce R + 2(n-1)(L + m/nB)" + tail, kChange + 2 * (n - 1) * (kLatency + block),
            Measure("ring", Collective::kAllReduce, n, each * n));
      Check("pairwise all-to-all (n-1)(R + L + m/nB)" + tail, (n - 1) * (kChange + kLatency + block),
            Measure("pairwise", Collective::kAllToAll, n, each));
    }
  }
}

TEST(Circuits, ScheduledRingPaysNothingAfterTheTimelineHasSetIt) {
  Check("scheduled: ready at R, then 2(n-1)(L + m/nB)", kChange + 2 * 15 * (kLatency + 4096 * kByte),
        Measure("ring", Collective::kAllReduce, 16, 16 * 1024,
                "&set=ocs.circuits=scheduled&event=at=0s,circuits=shift 1"));
}

// All ranks join a Reconfigure, then rank i sends to i + 1.
StoredProgram Shifted(int n, uint32_t matching) {
  ProgramInfo info = Info(Collective::kAllReduce, n, ChunkSpace::Split(static_cast<uint32_t>(n)));
  info.rank_groups = 1;
  StoredProgram program(info);
  program.groups.emplace_back();
  for (int i = 0; i < n; ++i) program.groups[0].push_back(i);
  for (int rank = 0; rank < n; ++rank) {
    program.Add(rank).Reconfigure(0, matching);
    StepList& exchange = program.Add(rank);
    exchange.Send((rank + 1) % n, 0, {{In(static_cast<uint32_t>(rank))}});
    exchange.Recv((rank + n - 1) % n, 0, {{Out(static_cast<uint32_t>((rank + n - 1) % n))}});
  }
  return program;
}

TEST(Circuits, AProgramReconfigures) {
  const int n = 8;
  World world("emulated:ocs?ranks=8&set=ocs.circuits=scheduled");
  const auto program = std::make_shared<StoredProgram>(Shifted(n, 1));
  Check("R + L + b/B", kChange + kLatency + 4000 * kByte,
        world.Run(program, std::vector<Request>(n, Phantom(Collective::kAllReduce, 8000))));
  Check("again, nothing to change: L + b/B", kLatency + 4000 * kByte,
        world.Run(program, std::vector<Request>(n, Phantom(Collective::kAllReduce, 8000))));
}

std::string ErrorOf(const std::string& url, const std::shared_ptr<const Program>& program, Collective c) {
  auto backend = OpenBackend(url, 0);
  EXPECT_TRUE(backend.ok()) << backend.status();
  Engine engine(*std::move(backend));
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<Stream*> pointers;
  std::vector<std::unique_ptr<Work>> work;
  for (int r = 0; r < engine.ranks(); ++r) {
    engine.Adopt(r);
    streams.push_back(engine.NewStream(r));
    pointers.push_back(streams.back().get());
    work.push_back(std::make_unique<Execution>(program, r, 1, Phantom(c, 1000)));
  }
  engine.Enqueue(pointers, std::move(work));
  return std::string(engine.Wait(pointers).message());
}

TEST(Circuits, WhoWaitsForNothingIsToldWhy) {
  const auto shifted = [](uint32_t matching) { return std::make_shared<StoredProgram>(Shifted(4, matching)); };
  EXPECT_THAT(ErrorOf("emulated:ocs?ranks=4&set=ocs.circuits=scheduled", shifted(2), Collective::kAllReduce),
              HasSubstr("endpoint 0 waits for a circuit to endpoint 1 and has one to 2"));
  EXPECT_THAT(ErrorOf("emulated:crossbar?ranks=4", shifted(1), Collective::kAllReduce),
              HasSubstr("fabric crossbar has no optical circuits to reconfigure"));
  const auto ring = *BuildProgram(*ParseAlgorithm("ring"), Shape{Collective::kAllReduce, 4}, true);
  EXPECT_THAT(ErrorOf("emulated:crossbar?ranks=4&event=at=2us,endpoint=3,dead", ring, Collective::kAllReduce),
              HasSubstr("endpoint 3 is dead since 2 us"));
  EXPECT_THAT(ErrorOf("emulated:crossbar?ranks=4&event=at=1500ns,endpoint=2,down", ring, Collective::kAllReduce),
              HasSubstr("endpoint 2 receive switch is down since 1.5 us (event \"at=1500ns,endpoint=2,down\")"));
}

TEST(Circuits, AStragglerHoldsUpARing) {
  const int n = 8;
  const auto measure = [&](const std::string& options) {
    World world(absl::StrCat("emulated:crossbar?ranks=8&set=send_overhead=1 us", options));
    auto program = BuildProgram(*ParseAlgorithm("ring"), Shape{Collective::kAllGather, n}, true);
    return world.Run(*program, std::vector<Request>(n, Phantom(Collective::kAllGather, 100'000)));
  };
  const Time step = 1'000'000 + 1'000'000 + 1'000'000;  // o + L + 400 kB at 400 GB/s
  Check("ring allgather (n-1)(o + L + b/B)", (n - 1) * step, measure(""));
  // The next rank cannot begin a step before it has what the slow one sends in the step before.
  Check("endpoint 0 three times as slow: (n-1)(3 o + L + b/B)", (n - 1) * (step + 2'000'000),
        measure("&event=at=0s,endpoint=0,slow=3"));
}

}  // namespace
}  // namespace ccl
