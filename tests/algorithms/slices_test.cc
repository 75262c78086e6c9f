// VerifySlices accepts what Verify finds in the sliced programs themselves, and no mutant of one.
#include <functional>
#include <string>

#include "ccl/algorithms/algorithm.h"
#include "ccl/schedule/verify.h"
#include "gtest/gtest.h"
#include "tests/schedule/stored_program.h"

namespace ccl {
namespace {

std::shared_ptr<const Program> Build(AlgorithmSpec spec, uint32_t slices, const Shape& shape,
                                     bool lower) {
  spec.slices = slices;
  auto program = BuildProgram(spec, shape, lower);
  EXPECT_TRUE(program.ok()) << program.status();
  return *program;
}

TEST(Slices, HoldWhatIsProvedOfOne) {
  for (const int n : {1, 2, 3, 8, 13}) {
    for (int c = 0; c < kCollectives; ++c) {
      const Shape shape{static_cast<Collective>(c), n, n - 1, 0, {Grouping::Uniform(n, 3)}};
      for (const AlgorithmSpec& spec : Candidates(shape)) {
        for (const bool lower : {false, true}) {
          const auto one = Build(spec, 1, shape, lower);
          const auto proved = Verify(*one);
          ASSERT_TRUE(proved.ok()) << proved.status();
          for (const uint32_t slices : {2u, 5u}) {
            const auto sliced = Build(spec, slices, shape, lower);
            EXPECT_EQ(VerifySlices(*one, *sliced), absl::OkStatus());
            const auto report = Verify(*sliced);
            ASSERT_TRUE(report.ok()) << report.status();
            EXPECT_EQ(report->messages, slices * proved->messages) << Format(spec);
            EXPECT_EQ(report->chunk_moves, slices * proved->chunk_moves) << Format(spec);
            EXPECT_EQ(report->scratch_chunks, slices * proved->scratch_chunks) << Format(spec);
            EXPECT_EQ(report->order, proved->order) << Format(spec);
          }
        }
      }
    }
  }
}

TEST(Slices, RejectEveryStepThatDiffers) {
  const std::pair<const char*, std::function<void(Step&, StepList&)>> changes[] = {
      {"peer", [](Step& step, StepList&) { step.peer = (step.peer + 1) % 4; }},
      {"channel", [](Step& step, StepList&) { ++step.channel; }},
      {"kind", [](Step& step, StepList&) { step.kind = StepKind::kCopy; }},
      {"order", [](Step& step, StepList&) { step.incoming_first = !step.incoming_first; }},
      {"chunk", [](Step& step, StepList& list) { ++list.refs[step.src_begin].first; }},
      {"run", [](Step& step, StepList& list) { ++list.refs[step.src_begin].count; }},
      {"buffer", [](Step& step, StepList& l) { l.refs[step.src_begin].buffer = Buffer::kScratch; }},
      {"dropped", [](Step&, StepList& list) { list.steps.pop_back(); }},
      {"waits", [](Step&, StepList& list) { list.After(0, 0); }},
  };
  const Shape shape{Collective::kAllReduce, 4};
  for (const char* text : {"ring", "chain"}) {  // side by side, in sequence
    const AlgorithmSpec spec = *ParseAlgorithm(text);
    const auto one = Build(spec, 1, shape, true);
    const StoredProgram sliced(*Build(spec, 3, shape, true));
    ASSERT_EQ(VerifySlices(*one, sliced), absl::OkStatus());
    for (const auto& [what, change] : changes) {
      for (int rank = 0; rank < 4; ++rank) {
        for (uint32_t lane = 0; lane < sliced.Program::info().lanes; ++lane) {
          for (uint32_t batch = 0; batch < sliced.batches(rank, lane); ++batch) {
            StoredProgram mutant(sliced);
            StepList& list = mutant.Lane(rank, lane)[batch];
            if (list.steps.empty() || list.steps[0].src_count == 0) continue;
            change(list.steps[0], list);
            EXPECT_FALSE(VerifySlices(*one, mutant).ok())
                << text << " " << what << " rank " << rank << " lane " << lane << " " << batch;
          }
        }
      }
    }
    StoredProgram longer(sliced);
    longer.Add(2);
    EXPECT_FALSE(VerifySlices(*one, longer).ok());
    StoredProgram roomy(sliced);
    roomy.scratch(1).push_back({1, 0, 1});
    EXPECT_FALSE(VerifySlices(*one, roomy).ok());
  }
}

}  // namespace
}  // namespace ccl
