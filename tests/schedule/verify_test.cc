#include "ccl/schedule/verify.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/schedule/stored_program.h"

namespace ccl {
namespace {

std::string Error(const Program& program, VerifyOptions options = {}) {
  return std::string(Verify(program, options).status().message());
}

TEST(Verify, RingAllReduce) {
  for (int n = 2; n <= 5; ++n) {
    for (const uint32_t lanes : {1u, 2u}) {
      for (const bool in_place : {false, true}) {
        EXPECT_EQ(Error(RingAllReduce(n, lanes), {in_place}), "") << n;
      }
    }
  }
}

TEST(Verify, Shift) {
  StoredProgram ring = RingAllReduce(5);
  ring.info().shift = 1;
  EXPECT_EQ(Error(ring), "");
  ring.Add(3);
  EXPECT_EQ(Error(ring),
            "test: rank 3 is not rank 2 shifted by 1, it differs in the batches of lane 0");
  StoredProgram other = RingAllReduce(5);
  other.info().shift = 1;
  other.Lane(3)[2].steps[1].incoming_first = false;
  EXPECT_TRUE(absl::StrContains(Error(other), "became recv_reduce 2/0 out[0] = in[0] + incoming"));
  other.info().shift = 5;
  EXPECT_EQ(Error(other), "");
}

TEST(Verify, DeadlockOfSendsThatWait) {
  StoredProgram program(Info(Collective::kAllReduce, 2, ChunkSpace::Split(1)));
  for (int rank = 0; rank < 2; ++rank) {
    program.Add(rank).Send(1 - rank, 0, {{In(0)}});
    program.Add(rank).RecvReduce(1 - rank, 0, {{In(0)}}, {{Out(0)}}, rank == 1);
  }
  EXPECT_EQ(Error(program),
            "test: deadlock: rank 0 lane 0 batch 0 step 0 (send 1/0 in[0]) waits for rank 1; "
            "rank 1 lane 0 batch 0 step 0 (send 0/0 in[0]) waits for rank 0");
}

TEST(Verify, DeadlockOfDependencies) {
  StoredProgram program(Info(Collective::kBarrier, 1, ChunkSpace::Split(1), 2));
  program.Add(0, 0).After(1, 1);
  program.Add(0, 1).After(0, 1);
  EXPECT_EQ(Error(program),
            "test: deadlock: rank 0 lane 0 batch 0 waits for batch 0 of lane 1; rank 0 lane 1 "
            "batch 0 waits for batch 0 of lane 0");
}

TEST(Verify, ShowsSomeOfManyStuckLanes) {
  StoredProgram program(Info(Collective::kBarrier, 9, ChunkSpace::Split(1)));
  for (int rank = 0; rank < 9; ++rank) program.Add(rank).Recv((rank + 1) % 9, 0, {});
  EXPECT_TRUE(absl::StrContains(Error(program), "; and 5 more lanes"));
}

TEST(Verify, UnmatchedNamesWhoWaits) {
  StoredProgram program = RingAllReduce(2);
  program.Add(1).Recv(0, 0, {{Out(0)}});
  EXPECT_EQ(Error(program),
            "test: unmatched: rank 1 lane 0 batch 2 step 0 (recv 0/0 out[0]) waits for rank 0, "
            "which has finished");
}

TEST(Verify, ChannelOfTwoLanes) {
  StoredProgram program(Info(Collective::kBarrier, 2, ChunkSpace::Split(1), 2));
  for (const uint32_t lane : {0u, 1u}) {
    program.Add(0, lane).Send(1, lane, {});
    program.Add(1, lane).Recv(0, lane, {});
  }
  program.Add(0, 1).Send(1, 0, {});
  EXPECT_TRUE(absl::StrContains(Error(program), "lane 0 uses the channel too"));
}

TEST(Verify, RunsMayBeSplitDifferently) {
  StoredProgram program(Info(Collective::kBroadcast, 2, ChunkSpace::Split(3, 2)));
  StepList& root = program.Add(0);
  root.Copy({{In(0, 3), In(3, 3)}}, {{Out(0, 3), Out(3), Out(4, 2)}});
  root.Send(1, 0, {{In(0, 2), In(2), In(3, 3)}});
  program.Add(1).Recv(0, 0, {{Out(0), Out(1, 2), Out(3, 2), Out(5)}});
  EXPECT_EQ(Error(program), "");
  EXPECT_EQ(Verify(program)->chunk_moves, 12u);
  // A run may not leave its slice.
  program.Lane(1)[0].Clear();
  program.Lane(1)[0].Recv(0, 0, {{Out(0, 6)}});
  EXPECT_TRUE(absl::StrContains(Error(program), "out[0:6] is outside"));
}

TEST(Verify, LengthsOfMessages) {
  StoredProgram program(Info(Collective::kBroadcast, 2, ChunkSpace::Split(2)));
  StepList& root = program.Add(0);
  root.Copy({{In(0, 2)}}, {{Out(0, 2)}});
  root.Send(1, 0, {{In(0, 2)}});
  program.Add(1).Recv(0, 0, {{Out(1), Out(0)}});
  EXPECT_TRUE(absl::StrContains(Error(program), "of another length"));
  program.Lane(1)[0].Clear();
  program.Lane(1)[0].Recv(0, 0, {{Out(0)}});
  EXPECT_TRUE(absl::StrContains(Error(program), "receives more chunks than it has room for"));
}

TEST(Verify, UndefinedReadAndInputWritten) {
  StoredProgram program(Info(Collective::kBroadcast, 2, ChunkSpace::Split(1)));
  program.Add(0).Send(1, 0, {{Out(0)}});
  program.Add(1).Recv(0, 0, {{Out(0)}});
  EXPECT_EQ(Error(program),
            "test: rank 0 lane 0 batch 0 step 0 (send 1/0 out[0]): reads out[0], which is "
            "undefined");
  // In place the root's output is its input.
  EXPECT_EQ(Error(program, {.in_place = true}), "");
  program.Lane(0)[0].Copy({{In(0)}}, {{In(0)}});
  EXPECT_TRUE(absl::StrContains(Error(program), "writes the input"));
}

// All-to-all among two, the received block straight into the output: not in place.
TEST(Verify, InPlaceIsStricter) {
  StoredProgram program(Info(Collective::kAllToAll, 2, ChunkSpace::PerBlock(2)));
  for (int rank = 0; rank < 2; ++rank) {
    const uint32_t own = static_cast<uint32_t>(rank);
    StepList& list = program.Add(rank);
    list.Copy({{In(own)}}, {{Out(own)}});
    list.Send(1 - rank, 0, {{In(1 - own)}});
    list.Recv(1 - rank, 0, {{Out(1 - own)}});
  }
  EXPECT_EQ(Error(program), "");
  EXPECT_TRUE(absl::StrContains(Error(program, {.in_place = true}), "race: writes in[1]"));
}

TEST(Verify, InPlaceAllGatherAndReduceScatter) {
  StoredProgram gather(Info(Collective::kAllGather, 2, ChunkSpace::PerBlock(2)));
  StoredProgram scatter(Info(Collective::kReduceScatter, 2, ChunkSpace::PerBlock(2)));
  for (int rank = 0; rank < 2; ++rank) {
    const uint32_t own = static_cast<uint32_t>(rank);
    StepList& list = gather.Add(rank);
    list.Copy({{In(own)}}, {{Out(own)}});
    list.Send(1 - rank, 0, {{In(own)}});
    list.Recv(1 - rank, 0, {{Out(1 - own)}});
    StepList& reduce = scatter.Add(rank);
    reduce.Send(1 - rank, 0, {{In(1 - own)}});
    reduce.RecvReduce(1 - rank, 0, {{In(own)}}, {{Out(own)}}, rank == 1);
  }
  for (const bool in_place : {false, true}) {
    EXPECT_EQ(Error(gather, {in_place}), "");
    EXPECT_EQ(Error(scatter, {in_place}), "");
  }
  EXPECT_EQ(Verify(gather)->order, FoldOrder::kNone);
  EXPECT_EQ(Verify(scatter)->order, FoldOrder::kOneFold);
  // Only the own block is output.
  scatter.Lane(0)[0].refs.back() = Out(1);
  EXPECT_TRUE(absl::StrContains(Error(scatter), "out[1] is outside the rank's buffers"));
}

TEST(Verify, GatherAndScatterThroughScratch) {
  StoredProgram gather(Info(Collective::kGather, 3, ChunkSpace::PerBlock(3)));
  StoredProgram scatter(Info(Collective::kScatter, 3, ChunkSpace::PerBlock(3)));
  for (StoredProgram* program : {&gather, &scatter}) {
    program->info().root = 2;
    program->scratch(1).push_back({1, 0, 2});
  }
  gather.Add(0).Send(1, 0, {{In(0)}});
  gather.Add(1).Recv(0, 0, {{Scratch(0, 0)}});
  gather.Add(1).Send(2, 0, {{Scratch(0, 0), In(1)}});
  gather.Add(2).Copy({{In(2)}}, {{Out(2)}});
  gather.Lane(2)[0].Recv(1, 0, {{Out(0, 2)}});
  EXPECT_EQ(Error(gather), "");
  scatter.Add(2).Copy({{In(2)}}, {{Out(2)}});
  scatter.Lane(2)[0].Send(1, 0, {{In(0), In(1)}});
  scatter.Add(1).Recv(2, 0, {{Scratch(0, 1), Out(1)}});
  scatter.Add(1).Send(0, 0, {{Scratch(0, 1)}});
  scatter.Add(0).Recv(1, 0, {{Out(0)}});
  EXPECT_EQ(Error(scatter), "");
  scatter.Lane(2)[0].refs[2] = In(1);
  scatter.Lane(2)[0].refs[3] = In(0);
  EXPECT_EQ(Error(scatter),
            "test: rank 0 ends with out[0] chunk 1 of ranks {2} instead of chunk 0 of ranks {2}");
}

TEST(Verify, MergesOnlyTheSameChunk) {
  StoredProgram program(Info(Collective::kReduceScatter, 2, ChunkSpace::PerBlock(2)));
  for (int rank = 0; rank < 2; ++rank) {
    const uint32_t own = static_cast<uint32_t>(rank);
    StepList& reduce = program.Add(rank);
    reduce.Send(1 - rank, 0, {{In(own)}});
    reduce.RecvReduce(1 - rank, 0, {{In(own)}}, {{Out(own)}});
  }
  EXPECT_TRUE(absl::StrContains(Error(program), "wrong chunk: folds 1 with 0") ||
              absl::StrContains(Error(program), "wrong chunk: folds 0 with 1"));
  program.info().collective = Collective::kAllToAll;
  EXPECT_TRUE(absl::StrContains(Error(program), "only moves data"));
}

StoredProgram Dissemination(int n, int rounds) {
  StoredProgram program(Info(Collective::kBarrier, n, ChunkSpace::Split(1)));
  for (int rank = 0; rank < n; ++rank) {
    for (int distance = 1; distance < 1 << rounds; distance *= 2) {
      StepList& list = program.Add(rank);
      list.Send((rank + distance) % n, 0, {});
      list.Recv((rank + n - distance) % n, 0, {});
    }
  }
  return program;
}

TEST(Verify, Barrier) {
  EXPECT_EQ(Error(Dissemination(5, 3)), "");
  EXPECT_EQ(Error(Dissemination(4, 2)), "");
  EXPECT_EQ(Error(Dissemination(5, 2)),
            "test: rank 0 leaves the barrier when only ranks {0,2..4} have entered it for "
            "certain");
}

// What is received in a batch is not known to what is sent in it; waiting for a lane tells what
// that lane knew by then.
TEST(Verify, BarrierOverLanes) {
  StoredProgram program(Info(Collective::kBarrier, 3, ChunkSpace::Split(1), 2));
  program.Add(0, 0).Send(1, 0, {});
  program.Add(1, 0).Recv(0, 0, {});
  StepList& on = program.Add(1, 1);
  on.After(0, 1);
  on.Send(2, 1, {});
  program.Add(2, 1).Recv(1, 1, {});
  for (const int peer : {0, 1}) {
    program.Add(2, 1).Send(peer, 1, {});
    program.Add(peer, 1).Recv(2, 1, {});
  }
  EXPECT_EQ(Error(program), "");
  program.Lane(1, 1)[0].deps.clear();
  EXPECT_TRUE(absl::StrContains(Error(program), "leaves the barrier"));
}

TEST(Verify, MalformedInfo) {
  StoredProgram program = RingAllReduce(2);
  program.info().space = ChunkSpace::PerBlock(2);
  EXPECT_EQ(Error(program), "test: wrong kind of chunk space");
  program.info().collective = Collective::kReduceScatter;
  program.info().space = ChunkSpace::PerBlock(3);
  EXPECT_TRUE(absl::StrContains(Error(program), "another number of blocks"));
  program.info().root = 2;
  EXPECT_EQ(Error(program), "test: no such root");
}

}  // namespace
}  // namespace ccl
