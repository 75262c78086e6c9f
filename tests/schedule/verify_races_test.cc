#include <string>

#include "absl/strings/match.h"
#include "ccl/schedule/verify.h"
#include "gtest/gtest.h"
#include "tests/schedule/stored_program.h"

namespace ccl {
namespace {

std::string Error(const Program& program, VerifyOptions options = {}) {
  return std::string(Verify(program, options).status().message());
}

// Rank 0 broadcasts one chunk to rank 1; the tests add what races.
StoredProgram Broadcast(uint32_t lanes) {
  StoredProgram program(Info(Collective::kBroadcast, 2, ChunkSpace::Split(1), lanes));
  for (int rank = 0; rank < 2; ++rank) program.scratch(rank).push_back({2, 0, 1});
  StepList& root = program.Add(0);
  root.Copy({{In(0)}}, {{Out(0)}});
  root.Send(1, 0, {{In(0)}});
  program.Add(1).Recv(0, 0, {{Out(0)}});
  return program;
}

TEST(Races, ReadAndWriteInOneBatch) {
  StoredProgram program = Broadcast(1);
  EXPECT_EQ(Error(program), "");
  program.Lane(1)[0].Copy({{Out(0)}}, {{Scratch(0, 0)}});
  EXPECT_EQ(Error(program),
            "test: rank 1 lane 0 batch 0 step 1 (copy scratch.0[0] = out[0]): race: reads out[0], "
            "written in the same batch");
}

TEST(Races, ReadThenWriteInOneBatch) {
  StoredProgram program = Broadcast(1);
  StepList& list = program.Add(1);
  list.Copy({{Out(0)}}, {{Scratch(0, 0)}});
  list.Copy({{Scratch(1, 0)}}, {{Out(0)}});
  EXPECT_TRUE(absl::StrContains(Error(program), "race: writes out[0], read in the same batch"));
}

TEST(Races, TwoWritesInOneBatchOrStep) {
  StoredProgram program = Broadcast(1);
  program.Lane(1)[0].Recv(0, 0, {{Out(0)}});
  program.Lane(0)[0].Send(1, 0, {{In(0)}});
  EXPECT_TRUE(absl::StrContains(Error(program), "written in the same batch"));
  StoredProgram twice = Broadcast(1);
  StepList& list = twice.Add(1);
  list.Copy({{Out(0), Out(0)}}, {{Scratch(0, 0), Scratch(0, 0)}});
  EXPECT_TRUE(absl::StrContains(Error(twice), "written in the same batch"));
}

TEST(Races, ReadsDoNotConflict) {
  StoredProgram program = Broadcast(2);
  for (const uint32_t lane : {0u, 1u}) {
    StepList& list = program.Add(1, lane);
    list.After(0, 1);
    list.Copy({{Out(0)}}, {{Scratch(static_cast<uint16_t>(lane), 0)}});
  }
  EXPECT_EQ(Error(program), "");
  // A write has to wait for both.
  program.Add(1, 0).Copy({{Scratch(0, 0)}}, {{Out(0)}});
  EXPECT_TRUE(absl::StrContains(
      Error(program), "race: writes out[0], read by lane 1 batch 0, which need not have ended"));
  program.Lane(1, 0)[2].After(1, 1);
  EXPECT_EQ(Error(program), "");
}

TEST(Races, OneOfManyReadsIsLeftOut) {
  constexpr uint32_t kLanes = 4;
  StoredProgram program = Broadcast(kLanes);
  program.scratch(1)[0].slots = kLanes;
  for (uint32_t lane = 1; lane < kLanes; ++lane) {
    StepList& list = program.Add(1, lane);
    list.After(0, 1);
    list.Copy({{Out(0)}}, {{Scratch(static_cast<uint16_t>(lane), 0)}});
  }
  StepList& last = program.Add(1, 0);
  last.Copy({{Scratch(1, 0)}}, {{Out(0)}});
  for (uint32_t left_out = 0; left_out < kLanes; ++left_out) {
    StepList& list = program.Lane(1, 0)[1];
    list.deps.clear();
    for (uint32_t lane = 1; lane < kLanes; ++lane) {
      if (lane != left_out) list.After(lane, 1);
    }
    EXPECT_EQ(Error(program).empty(), left_out == 0) << left_out;
  }
}

TEST(Races, DependenciesAreTransitive) {
  StoredProgram program = Broadcast(3);
  StepList& second = program.Add(1, 1);
  second.After(0, 1);
  second.Copy({{Out(0)}}, {{Scratch(0, 0)}});
  StepList& third = program.Add(1, 2);
  third.After(1, 1);
  third.Copy({{Out(0)}}, {{Scratch(1, 0)}});
  EXPECT_EQ(Error(program), "");
  third.deps.clear();
  EXPECT_TRUE(absl::StrContains(Error(program), "race"));
}

// Lane 1 waits for lane 0 only after the batch that lane 2 waits for: lane 2 knows nothing of it,
// though in the order of the simulation everything may have ended by then.
TEST(Races, LaterDependenciesDoNotCount) {
  StoredProgram program = Broadcast(3);
  program.Add(1, 1);
  program.Add(1, 1).After(0, 1);
  program.Add(1, 2);
  program.Add(1, 2);
  StepList& reader = program.Add(1, 2);
  reader.After(1, 1);
  reader.Copy({{Out(0)}}, {{Scratch(0, 0)}});
  EXPECT_TRUE(absl::StrContains(Error(program, {.races = true}), "race"));
  reader.deps[0].batches = 2;
  EXPECT_EQ(Error(program), "");
}

// That rank 0 has heard of rank 1's batch orders nothing at rank 1.
TEST(Races, MessagesDoNotOrder) {
  StoredProgram program = Broadcast(2);
  program.info().channels = 4;
  program.Add(1, 0).Send(0, 1, {});
  program.Add(0, 0).Recv(1, 1, {});
  program.Add(0, 0).Send(1, 2, {});
  program.Add(1, 1).Recv(0, 2, {});
  program.Add(1, 1).Copy({{Out(0)}}, {{Scratch(0, 0)}});
  EXPECT_TRUE(absl::StrContains(Error(program), "race"));
  EXPECT_EQ(Error(program, {.races = false}), "");
}

TEST(Races, ResultMayLieWhereItsOperandLies) {
  StoredProgram program(Info(Collective::kAllReduce, 2, ChunkSpace::Split(2)));
  for (int rank = 0; rank < 2; ++rank) {
    program.scratch(rank).push_back({1, 0, 2});
    StepList& list = program.Add(rank);
    list.Copy({{In(0, 2)}}, {{Out(0, 2)}});
    list.Send(1 - rank, 0, {{In(0, 2)}});
    list.Recv(1 - rank, 0, {{Scratch(0, 0, 2)}});
    StepList& fold = program.Add(rank);
    for (uint32_t chunk = 0; chunk < 2; ++chunk) {
      fold.Reduce({{Scratch(0, chunk), Out(chunk)}}, Out(chunk));
    }
  }
  const absl::StatusOr<VerifyReport> report = Verify(program);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->order, FoldOrder::kDiffers);
  EXPECT_EQ(report->scratch_chunks, 2u);
  EXPECT_EQ(Error(program, {.in_place = true}), "");
  // Not where the operand of another step lies.
  program.Lane(0)[1].Copy({{Out(0)}}, {{Scratch(0, 0)}});
  EXPECT_TRUE(absl::StrContains(Error(program), "race"));
}

TEST(Races, ShiftedCopyOntoItself) {
  StoredProgram program(Info(Collective::kAllGather, 3, ChunkSpace::PerBlock(3)));
  for (int rank = 0; rank < 3; ++rank) {
    program.scratch(rank).push_back({1, 0, 3});
    StepList& list = program.Add(rank);
    list.Copy({{In(static_cast<uint32_t>(rank))}}, {{Scratch(0, 0)}});
    program.Add(rank).Copy({{Scratch(0, 0)}}, {{Scratch(0, 1)}});
    program.Add(rank).Copy({{Scratch(0, 0, 2)}}, {{Scratch(0, 1, 2)}});
  }
  EXPECT_TRUE(absl::StrContains(Error(program), "race: writes scratch.0[1], read in the same"));
}

}  // namespace
}  // namespace ccl
