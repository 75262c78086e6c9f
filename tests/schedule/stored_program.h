#ifndef TESTS_SCHEDULE_STORED_PROGRAM_H_
#define TESTS_SCHEDULE_STORED_PROGRAM_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "ccl/schedule/program.h"

namespace ccl {

inline Ref In(uint32_t first, uint32_t count = 1) { return {Buffer::kIn, 0, first, count}; }
inline Ref Out(uint32_t first, uint32_t count = 1) { return {Buffer::kOut, 0, first, count}; }
inline Ref Scratch(uint16_t slot, uint32_t first, uint32_t count = 1) {
  return {Buffer::kScratch, slot, first, count};
}

inline ProgramInfo Info(Collective collective, int ranks, ChunkSpace space, uint32_t lanes = 1) {
  ProgramInfo info;
  info.name = "test";
  info.collective = collective;
  info.ranks = ranks;
  info.space = std::move(space);
  info.lanes = lanes;
  info.channels = lanes;
  return info;
}

// A program that is written down, and can be changed: by hand, or from any other one.
class StoredProgram : public Program {
 public:
  explicit StoredProgram(ProgramInfo info)
      : Program(std::move(info)),
        lists_(static_cast<size_t>(info_.ranks), std::vector<std::vector<StepList>>(info_.lanes)),
        scratch_(static_cast<size_t>(info_.ranks)) {}
  explicit StoredProgram(const Program& other) : StoredProgram(other.info()) {
    for (int rank = 0; rank < info_.ranks; ++rank) {
      other.Scratch(rank, scratch(rank));
      for (uint32_t lane = 0; lane < info_.lanes; ++lane) {
        for (uint32_t b = 0; b < other.batches(rank, lane); ++b) {
          other.Fetch(rank, lane, b, Add(rank, lane));
        }
      }
    }
    for (uint32_t group = 0; group < info_.rank_groups; ++group) {
      const absl::Span<const int> members = other.RankGroup(group);
      groups.emplace_back(members.begin(), members.end());
    }
  }
  StoredProgram(const StoredProgram& other) : StoredProgram(static_cast<const Program&>(other)) {}

  uint32_t batches(int rank, uint32_t lane) const override {
    return static_cast<uint32_t>(lists_[static_cast<size_t>(rank)][lane].size());
  }
  void Fetch(int rank, uint32_t lane, uint32_t batch, StepList& out) const override {
    out = lists_[static_cast<size_t>(rank)][lane][batch];
  }
  void Scratch(int rank, ScratchAreas& out) const override {
    const ScratchAreas& own = scratch_[static_cast<size_t>(rank)];
    out.insert(out.end(), own.begin(), own.end());
  }
  absl::Span<const int> RankGroup(uint32_t group) const override { return groups[group]; }

  ProgramInfo& info() { return info_; }
  using Program::info;
  // A new batch, the last of its lane.
  StepList& Add(int rank, uint32_t lane = 0) { return Lane(rank, lane).emplace_back(); }
  std::vector<StepList>& Lane(int rank, uint32_t lane = 0) {
    return lists_[static_cast<size_t>(rank)][lane];
  }
  ScratchAreas& scratch(int rank) { return scratch_[static_cast<size_t>(rank)]; }

  std::vector<std::vector<int>> groups;

 private:
  std::vector<std::vector<std::vector<StepList>>> lists_;  // [rank][lane][batch]
  std::vector<ScratchAreas> scratch_;
};

// Ring allreduce in two phases. With two lanes the second phase has a lane and a channel of its
// own, and waits for the first.
inline StoredProgram RingAllReduce(int n, uint32_t lanes = 1) {
  StoredProgram ring(Info(Collective::kAllReduce, n, ChunkSpace::Split(n), lanes));
  const auto mod = [n](int x) { return static_cast<uint32_t>((x % n + n) % n); };
  for (int rank = 0; rank < n; ++rank) {
    const int next = static_cast<int>(mod(rank + 1)), before = static_cast<int>(mod(rank - 1));
    for (int step = 0; step < n - 1; ++step) {
      StepList& list = ring.Add(rank);
      const uint32_t sent = mod(rank - step), received = mod(rank - step - 1);
      list.Send(next, 0, {{step == 0 ? In(sent) : Out(sent)}});
      list.RecvReduce(before, 0, {{In(received)}}, {{Out(received)}}, true);
    }
    for (int step = 0; step < n - 1; ++step) {
      StepList& list = ring.Add(rank, lanes - 1);
      if (step == 0 && lanes == 2) list.After(0, static_cast<uint32_t>(n - 1));
      list.Send(next, lanes - 1, {{Out(mod(rank + 1 - step))}});
      list.Recv(before, lanes - 1, {{Out(mod(rank - step))}});
    }
  }
  return ring;
}

}  // namespace ccl

#endif  // TESTS_SCHEDULE_STORED_PROGRAM_H_
