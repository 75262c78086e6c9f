// A checker is worth what it rejects: every small change to a correct ring, at every place.
#include <functional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "ccl/schedule/dump.h"
#include "ccl/schedule/verify.h"
#include "gtest/gtest.h"
#include "tests/schedule/stored_program.h"

namespace ccl {
namespace {

constexpr int kRanks = 4;

void ExpectRejected(const StoredProgram& mutant, const std::string& change) {
  const absl::StatusOr<VerifyReport> report = Verify(mutant);
  EXPECT_FALSE(report.ok()) << change;
  EXPECT_EQ(std::string(report.status().message()).find('\n'), std::string::npos);
}

void ForEachStep(
    const std::function<void(const StoredProgram& ring, int rank, size_t batch, size_t step)>& f) {
  StoredProgram ring = RingAllReduce(kRanks);
  for (int rank = 0; rank < kRanks; ++rank) {
    for (size_t batch = 0; batch < ring.Lane(rank).size(); ++batch) {
      for (size_t step = 0; step < ring.Lane(rank)[batch].steps.size(); ++step) {
        f(ring, rank, batch, step);
      }
    }
  }
}

std::string At(int rank, size_t batch, size_t step) {
  return "rank " + std::to_string(rank) + " batch " + std::to_string(batch) + " step " +
         std::to_string(step);
}

TEST(Mutations, TheRingItselfPasses) {
  for (const uint32_t lanes : {1u, 2u}) {
    const absl::StatusOr<VerifyReport> report = Verify(RingAllReduce(kRanks, lanes));
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->messages, 24u);
    EXPECT_EQ(report->chunk_moves, 24u);
    EXPECT_EQ(report->order, FoldOrder::kAgrees);
  }
}

TEST(Mutations, DroppedStep) {
  ForEachStep([](const StoredProgram& ring, int rank, size_t batch, size_t step) {
    StoredProgram mutant(ring);
    StepList& list = mutant.Lane(rank)[batch];
    list.steps.erase(list.steps.begin() + static_cast<ptrdiff_t>(step));
    ExpectRejected(mutant, At(rank, batch, step));
  });
}

TEST(Mutations, RepeatedStep) {
  ForEachStep([](const StoredProgram& ring, int rank, size_t batch, size_t step) {
    StoredProgram mutant(ring);
    StepList& list = mutant.Lane(rank)[batch];
    const Step again = list.steps[step];
    list.steps.push_back(again);
    ExpectRejected(mutant, At(rank, batch, step));
  });
}

// The steps of a batch have no order; those of different batches do.
TEST(Mutations, SwappedSteps) {
  StoredProgram ring = RingAllReduce(kRanks);
  for (int rank = 0; rank < kRanks; ++rank) {
    const size_t batches = ring.Lane(rank).size();
    for (size_t a = 0; a < batches; ++a) {
      StoredProgram same(ring);
      std::swap(same.Lane(rank)[a].steps[0], same.Lane(rank)[a].steps[1]);
      EXPECT_TRUE(Verify(same).ok());
      for (size_t b = a + 1; b < batches; ++b) {
        StoredProgram whole(ring);
        std::swap(whole.Lane(rank)[a], whole.Lane(rank)[b]);
        ExpectRejected(whole, At(rank, a, 0) + " <-> " + At(rank, b, 0));
        for (size_t step = 0; step < 2; ++step) {
          StoredProgram mutant(ring);
          StepList& first = mutant.Lane(rank)[a];
          StepList& second = mutant.Lane(rank)[b];
          // A block is sent on once while it gathers and once when it is complete.
          if (ToString(first, first.steps[step]) == ToString(second, second.steps[step])) continue;
          // The references of both, so that either step can stand in either list.
          StepList joined = first;
          const uint32_t offset = static_cast<uint32_t>(first.refs.size());
          joined.refs.insert(joined.refs.end(), second.refs.begin(), second.refs.end());
          Step moved = second.steps[step];
          moved.src_begin += offset;
          moved.dst_begin += offset;
          second.refs = first.refs = joined.refs;
          for (Step& s : second.steps) s.src_begin += offset, s.dst_begin += offset;
          second.steps[step] = first.steps[step];
          first.steps[step] = moved;
          ExpectRejected(mutant, At(rank, a, step) + " <-> " + At(rank, b, step));
        }
      }
    }
  }
}

TEST(Mutations, WrongChunkOrBuffer) {
  ForEachStep([](const StoredProgram& ring, int rank, size_t batch, size_t step) {
    StoredProgram copy(ring);
    const size_t refs = copy.Lane(rank)[batch].refs.size();
    for (size_t r = 0; r < refs; ++r) {
      for (uint32_t other = 1; other <= kRanks; ++other) {
        StoredProgram mutant(ring);
        Ref& ref = mutant.Lane(rank)[batch].refs[r];
        ref.first = other == kRanks ? uint32_t{kRanks} : (ref.first + other) % kRanks;
        ExpectRejected(mutant, At(rank, batch, step) + " " + ToString(ref));
      }
      for (const Buffer buffer : {Buffer::kIn, Buffer::kOut, Buffer::kScratch}) {
        StoredProgram mutant(ring);
        Ref& ref = mutant.Lane(rank)[batch].refs[r];
        if (ref.buffer == buffer) continue;
        ref.buffer = buffer;
        ExpectRejected(mutant, At(rank, batch, step) + " " + ToString(ref));
      }
      StoredProgram longer(ring);
      ++longer.Lane(rank)[batch].refs[r].count;
      ExpectRejected(longer, At(rank, batch, step));
    }
  });
}

TEST(Mutations, WrongPeerOrChannel) {
  ForEachStep([](const StoredProgram& ring, int rank, size_t batch, size_t step) {
    for (int peer = -1; peer <= kRanks; ++peer) {
      StoredProgram mutant(ring);
      int& named = mutant.Lane(rank)[batch].steps[step].peer;
      if (std::exchange(named, peer) == peer) continue;
      ExpectRejected(mutant, At(rank, batch, step) + " peer " + std::to_string(peer));
    }
    StoredProgram mutant(ring);
    mutant.info().channels = 2;
    mutant.Lane(rank)[batch].steps[step].channel = 1;
    ExpectRejected(mutant, At(rank, batch, step));
  });
}

TEST(Mutations, ReductionLostOrDoubled) {
  ForEachStep([](const StoredProgram& ring, int rank, size_t batch, size_t step) {
    StoredProgram mutant(ring);
    StepList& list = mutant.Lane(rank)[batch];
    Step& changed = list.steps[step];
    if (changed.kind == StepKind::kRecvReduce) {
      changed.kind = StepKind::kRecv;
      changed.src_count = 0;
    } else if (changed.kind == StepKind::kRecv) {
      Ref ref = list.dst(changed)[0];
      ref.buffer = Buffer::kIn;
      changed.kind = StepKind::kRecvReduce;
      changed.src_begin = static_cast<uint32_t>(list.refs.size());
      changed.src_count = 1;
      list.refs.push_back(ref);
      EXPECT_TRUE(absl::StrContains(Verify(mutant).status().message(), "doubled reduction"));
    } else {
      return;
    }
    ExpectRejected(mutant, At(rank, batch, step));
  });
}

TEST(Mutations, DroppedOrWeakenedDependency) {
  for (int rank = 0; rank < kRanks; ++rank) {
    for (uint32_t batches = 0; batches < kRanks - 1; ++batches) {
      StoredProgram mutant = RingAllReduce(kRanks, 2);
      mutant.Lane(rank, 1)[0].deps[0].batches = batches;
      ExpectRejected(mutant, At(rank, 0, 0));
    }
    StoredProgram mutant = RingAllReduce(kRanks, 2);
    mutant.Lane(rank, 1)[0].deps.clear();
    ExpectRejected(mutant, At(rank, 0, 0));
    mutant.Lane(rank, 1)[0].After(0, kRanks);
    ExpectRejected(mutant, At(rank, 0, 0));
    mutant.Lane(rank, 1)[0].deps[0] = {2, 0};
    ExpectRejected(mutant, At(rank, 0, 0));
  }
}

}  // namespace
}  // namespace ccl
