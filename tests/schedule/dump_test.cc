#include "ccl/schedule/dump.h"

#include "gtest/gtest.h"
#include "tests/schedule/stored_program.h"

namespace ccl {
namespace {

TEST(Dump, Ring) {
  EXPECT_EQ(Dump(RingAllReduce(2, 2)),
            R"(test allreduce: ranks 2, split 2x1, lanes 2, channels 2
rank 0 lane 0 batch 0: send 1/0 in[0]; recv_reduce 1/0 out[1] = incoming + in[1]
rank 0 lane 1 batch 0 after 0:1: send 1/1 out[1]; recv 1/1 out[0]
rank 1 lane 0 batch 0: send 0/0 in[1]; recv_reduce 0/0 out[0] = incoming + in[0]
rank 1 lane 1 batch 0 after 0:1: send 0/1 out[0]; recv 0/1 out[1]
)");
}

TEST(StepList, FlattenWritesRepeatedReferencesOut) {
  StepList list;
  list.Copy({{{Buffer::kIn, 0, 2, 2, 3, 10}}}, {{Out(0, 2), {Buffer::kOut, 0, 5, 1, 4, 1}}});
  list.Send(1, 0, {{In(7)}});
  list.Flatten();
  EXPECT_EQ(ToString(list, list.steps[0]),
            "copy out[0:2],out[5],out[6],out[7],out[8] = in[2:4],in[12:14],in[22:24]");
  EXPECT_EQ(ToString(list, list.steps[1]), "send 1/0 in[7]");
}

TEST(Dump, EveryKindOfStep) {
  ProgramInfo info = Info(Collective::kReduce, 3, ChunkSpace::Split(4, 2));
  info.root = 1;
  info.rank_groups = 1;
  info.shift = 1;
  StoredProgram program(info);
  program.scratch(0).push_back({2, 0, 4});
  program.scratch(0).push_back({1, 1, 2});
  StepList& list = program.Add(0);
  list.RecvReduce(2, 0, {{In(0, 2), In(5)}}, {{Out(0, 2), Out(5)}});
  list.Copy({{In(3)}}, {{Scratch(2, 1)}});
  list.Reduce({{In(0), Scratch(0, 0), Scratch(1, 0)}}, Out(0));
  list.Send(1, 0, {});
  program.Add(0);
  StepList& group = program.Add(0);
  group.After(0, 1);
  group.GroupReduce(0, kEveryMember, 0, {{In(0)}}, {{Out(0)}});
  group.GroupReduce(0, 2, 0, {{In(0)}}, {});
  group.GroupCopy(0, 2, 0, {}, {{Out(0)}});
  group.GroupCopy(0, 0, 0, {{In(0)}}, {{Out(0)}});
  group.Reconfigure(0, 3);
  EXPECT_EQ(Dump(program),
            R"(test reduce: ranks 3, root 1, split 4x2, lanes 1, channels 1, groups 1, shift 1
rank 0 scratch: 2 x [0:4], 1 x [1:3]
rank 0 lane 0 batch 0: recv_reduce 2/0 out[0:2],out[5] = in[0:2],in[5] + incoming; )"
            R"(copy scratch.2[1] = in[3]; reduce out[0] = in[0] + scratch.0[0] + scratch.1[0]; )"
            R"(send 1/0
rank 0 lane 0 batch 1:
rank 0 lane 0 batch 2 after 0:1: group_reduce 0/0 root every out[0] = in[0]; )"
            R"(group_reduce 0/0 root 2 in[0]; group_copy 0/0 root 2 out[0]; )"
            R"(group_copy 0/0 root 0 out[0] = in[0]; reconfigure 0/3
)");
}

TEST(Dump, OneRankAndFewLines) {
  EXPECT_EQ(Dump(RingAllReduce(3), {.rank = 2, .max_lines = 1}),
            R"(test allreduce: ranks 3, split 3x1, lanes 1, channels 1
rank 2 lane 0 batch 0: send 0/0 in[2]; recv_reduce 1/0 out[1] = incoming + in[1]
... 3 more batches
)");
}

}  // namespace
}  // namespace ccl
