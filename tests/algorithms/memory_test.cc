// Batches that have been fetched before take no memory: a collective that comes again goes through them
// anew, on every rank.
#include <memory>
#include <string>
#include <vector>

#include "ccl/algorithms/algorithm.h"
#include "gtest/gtest.h"
#include "tests/count_allocations.h"

namespace ccl {
namespace {

void FetchAll(const Program& program, StepList& list) {
  const ProgramInfo& info = program.info();
  for (int rank = 0; rank < info.ranks; ++rank) {
    for (uint32_t lane = 0; lane < info.lanes; ++lane) {
      const uint32_t batches = program.batches(rank, lane);
      for (uint32_t batch = 0; batch < batches; ++batch) {
        list.Clear();
        program.Fetch(rank, lane, batch, list);
        list.Flatten();
      }
    }
  }
}

class Memory : public testing::TestWithParam<Shape> {};

TEST_P(Memory, NoneForBatchesFetchedBefore) {
  Shape shape = GetParam();
  int programs = 0;
  for (int c = 0; c < kCollectives; ++c) {
    shape.collective = static_cast<Collective>(c);
    for (AlgorithmSpec spec : Candidates(shape)) {
      for (const uint32_t slices : {1u, 3u}) {
        spec.slices = slices;
        for (const bool lower : {false, true}) {
          const auto program = BuildProgram(spec, shape, lower);
          ASSERT_TRUE(program.ok()) << program.status();
          StepList list;
          FetchAll(**program, list);
          const long before = allocations;
          FetchAll(**program, list);
          EXPECT_EQ(allocations - before, 0)
              << Name(shape.collective) << " " << Format(spec) << (lower ? ", lowered" : "");
          ++programs;
        }
      }
    }
  }
  EXPECT_GT(programs, 100);
}

Shape Of(int ranks, std::vector<Grouping> groupings = {}) {
  Shape shape;
  shape.ranks = ranks;
  shape.root = ranks - 1;
  shape.groupings = std::move(groupings);
  return shape;
}
INSTANTIATE_TEST_SUITE_P(Shapes, Memory,
                         testing::Values(Of(4, {Grouping::Uniform(4, 2)}), Of(7, {Grouping::Uniform(7, 3)}),
                                         Of(24, {Grouping::Uniform(24, 4), Grouping::Uniform(24, 12)}),
                                         Of(48, {Grouping::Uniform(48, 20)}), Of(64)),
                         [](const auto& info) {
                           std::string name = std::to_string(info.param.ranks);
                           for (const Grouping& grouping : info.param.groupings) {
                             name += "By" + std::to_string(grouping.size(0));
                           }
                           return name;
                         });

}  // namespace
}  // namespace ccl
