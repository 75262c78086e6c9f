#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "ccl/schedule/verify.h"
#include "gtest/gtest.h"
#include "tests/schedule/stored_program.h"

namespace ccl {
namespace {

std::string Error(const Program& program, VerifyOptions options = {}) {
  return std::string(Verify(program, options).status().message());
}

StoredProgram Grouped(Collective collective, int ranks, uint32_t blocks, uint32_t lanes = 1) {
  ProgramInfo info = Info(collective, ranks, ChunkSpace::Split(blocks), lanes);
  info.rank_groups = 1;
  StoredProgram program(info);
  program.groups.emplace_back();
  for (int rank = 0; rank < ranks; ++rank) program.groups[0].push_back(rank);
  return program;
}

StoredProgram OneShot() {
  StoredProgram program = Grouped(Collective::kAllReduce, 3, 1);
  for (int rank = 0; rank < 3; ++rank) {
    program.Add(rank).GroupReduce(0, kEveryMember, 0, {{In(0)}}, {{Out(0)}});
  }
  return program;
}

// Everybody reduces block b to rank b, then rank b copies it to all: several operations a batch.
StoredProgram TwoShot() {
  StoredProgram program = Grouped(Collective::kAllReduce, 3, 3);
  for (int rank = 0; rank < 3; ++rank) {
    StepList& reduce = program.Add(rank);
    StepList copy;
    for (int root = 0; root < 3; ++root) {
      const Ref in = In(static_cast<uint32_t>(root)), out = Out(static_cast<uint32_t>(root));
      if (root == rank) {
        reduce.GroupReduce(0, root, 0, {{in}}, {{out}});
        copy.GroupCopy(0, root, 0, {{out}}, {{out}});
      } else {
        reduce.GroupReduce(0, root, 0, {{in}}, {});
        copy.GroupCopy(0, root, 0, {}, {{out}});
      }
    }
    program.Add(rank) = copy;
  }
  return program;
}

TEST(Groups, Reduce) {
  for (const bool in_place : {false, true}) {
    const absl::StatusOr<VerifyReport> one = Verify(OneShot(), {in_place});
    ASSERT_TRUE(one.ok()) << one.status();
    EXPECT_EQ(one->group_operations, 1u);
    EXPECT_EQ(one->messages, 0u);
    EXPECT_EQ(one->order, FoldOrder::kOneFold);
    const absl::StatusOr<VerifyReport> two = Verify(TwoShot(), {in_place});
    ASSERT_TRUE(two.ok()) << two.status();
    EXPECT_EQ(two->group_operations, 6u);
    EXPECT_EQ(two->order, FoldOrder::kOneFold);
  }
}

TEST(Groups, EveryMemberPosts) {
  for (int rank = 0; rank < 3; ++rank) {
    StoredProgram program = OneShot();
    program.Lane(rank).clear();
    EXPECT_TRUE(absl::StrContains(Error(program), "waits for other members of the group")) << rank;
  }
}

TEST(Groups, EveryDroppedOrChangedStepIsRejected) {
  for (int rank = 0; rank < 3; ++rank) {
    for (size_t batch = 0; batch < 2; ++batch) {
      for (size_t step = 0; step < 3; ++step) {
        StoredProgram dropped = TwoShot();
        StepList& list = dropped.Lane(rank)[batch];
        list.steps.erase(list.steps.begin() + static_cast<ptrdiff_t>(step));
        EXPECT_NE(Error(dropped), "");
        for (int root = -2; root <= 3; ++root) {
          StoredProgram rooted = TwoShot();
          int& peer = rooted.Lane(rank)[batch].steps[step].peer;
          if (std::exchange(peer, root) == root) continue;
          EXPECT_NE(Error(rooted), "") << root;
        }
        StoredProgram swapped = TwoShot();
        std::vector<Step>& steps = swapped.Lane(rank)[batch].steps;
        std::swap(steps[step], steps[(step + 1) % 3]);
        EXPECT_TRUE(absl::StrContains(Error(swapped), "operation is another"));
        StoredProgram kind = TwoShot();
        StepKind& changed = kind.Lane(rank)[batch].steps[step].kind;
        changed = batch == 0 ? StepKind::kGroupCopy : StepKind::kGroupReduce;
        EXPECT_NE(Error(kind), "");
      }
    }
  }
}

TEST(Groups, ShapesAgree) {
  StoredProgram program = TwoShot();
  program.Lane(2)[1].refs[0] = Out(1);
  EXPECT_TRUE(absl::StrContains(Error(program), "race"));
  EXPECT_TRUE(absl::StrContains(Error(program, {.races = false}), "differ in shape"));
}

TEST(Groups, MembersOnly) {
  StoredProgram program = OneShot();
  program.groups[0] = {0, 2};
  EXPECT_TRUE(absl::StrContains(Error(program), "the rank is not in the group"));
  program.info().rank_groups = 0;
  EXPECT_TRUE(absl::StrContains(Error(program), "0 rank groups"));
}

TEST(Groups, OneLane) {
  StoredProgram program = Grouped(Collective::kBarrier, 2, 1, 2);
  for (int rank = 0; rank < 2; ++rank) {
    program.Add(rank, 0).GroupReduce(0, kEveryMember, 0, {}, {});
    StepList& second = program.Add(rank, 1);
    second.After(0, 1);
    second.GroupReduce(0, kEveryMember, 0, {}, {});
  }
  EXPECT_TRUE(absl::StrContains(Error(program), "lane 0 uses this group and channel too"));
  for (int rank = 0; rank < 2; ++rank) program.Lane(rank, 1)[0].steps[0].channel = 1;
  EXPECT_EQ(Error(program), "");
}

TEST(Groups, Barrier) {
  StoredProgram program = Grouped(Collective::kBarrier, 3, 1);
  for (int rank = 0; rank < 3; ++rank) program.Add(rank).GroupReduce(0, 1, 0, {}, {});
  EXPECT_TRUE(absl::StrContains(Error(program), "leaves the barrier"));
  for (int rank = 0; rank < 3; ++rank) program.Add(rank).GroupCopy(0, 1, 0, {}, {});
  EXPECT_EQ(Error(program), "");
}

TEST(Groups, Reconfigure) {
  StoredProgram program = OneShot();
  for (int rank = 0; rank < 3; ++rank) program.Add(rank).Reconfigure(0, 7);
  EXPECT_EQ(Error(program), "");
  EXPECT_EQ(Verify(program)->group_operations, 2u);
  program.Lane(2)[1].steps[0].channel = 6;
  EXPECT_TRUE(absl::StrContains(Error(program), "operation is another"));
}

}  // namespace
}  // namespace ccl
