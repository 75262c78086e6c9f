#include "ccl/schedule/verify.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccl/schedule/verify_shift.h"
#include "ccl/schedule/verify_simulation.h"

namespace ccl {
namespace {

absl::Status CheckInfo(const ProgramInfo& info) {
  const auto wrong = [&info](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(info.name, ": ", what));
  };
  if (info.ranks < 1 || info.ranks > RankSets::kMaxRanks) {
    return wrong(absl::StrCat("cannot check ", info.ranks, " ranks"));
  }
  if (info.root < 0 || info.root >= info.ranks) return wrong("no such root");
  if (info.space.chunks() == 0) return wrong("no chunks");
  // A barrier has no data, and any space.
  if (info.collective != Collective::kBarrier) {
    const bool per_rank = CountIsPerRank(info.collective);
    if (info.space.per_block() != per_rank) return wrong("wrong kind of chunk space");
    if (per_rank && info.space.blocks() != static_cast<uint32_t>(info.ranks)) {
      return wrong("a collective with a block a rank has another number of blocks");
    }
  }
  const bool lanes = info.lanes > 0 && info.lanes < 65535 && info.channels > 0;
  return lanes ? absl::OkStatus() : wrong("no such number of lanes or channels");
}

// What the collective promises for a chunk of a rank's output.
Value Promised(const ProgramInfo& info, RankSets& sets, int rank, uint32_t chunk) {
  const uint32_t blocks = info.space.blocks();
  const uint32_t block = chunk % blocks;
  switch (info.collective) {
    case Collective::kAllReduce:
    case Collective::kReduceScatter:
    case Collective::kReduce:
      return {chunk, sets.All()};
    case Collective::kAllGather:
    case Collective::kGather:
      return {chunk, sets.Only(static_cast<int>(block))};
    case Collective::kBroadcast:
    case Collective::kScatter:
      return {chunk, sets.Only(info.root)};
    case Collective::kAllToAll:
      return {chunk - block + static_cast<uint32_t>(rank), sets.Only(static_cast<int>(block))};
    case Collective::kBarrier:
      break;
  }
  return {};
}

absl::Status CheckOutput(const ProgramInfo& info, Simulation& done, int rank, uint32_t chunk) {
  const Value& found = done.Output(rank, chunk);
  const Value wanted = Promised(info, done.sets(), rank, chunk);
  if (found.chunk == wanted.chunk && found.ranks == wanted.ranks) return absl::OkStatus();
  const auto text = [&done](const Value& value) {
    return value.chunk == kUndefined ? std::string("undefined")
                                     : absl::StrCat("chunk ", value.chunk, " of ranks ",
                                                    done.sets().ToString(value.ranks));
  };
  return absl::InvalidArgumentError(absl::StrCat(info.name, ": rank ", rank, " ends with out[",
                                                 chunk, "] ", text(found), " instead of ",
                                                 text(wanted)));
}

absl::Status CheckBarrier(const ProgramInfo& info, Simulation& done) {
  for (int rank = 0; rank < info.ranks; ++rank) {
    const RankSet heard = done.Heard(rank);
    if (heard == done.sets().All()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(info.name, ": rank ", rank, " leaves the barrier when only ranks ",
                     done.sets().ToString(heard), " have entered it for certain"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view Name(FoldOrder order) {
  static constexpr absl::string_view kNames[] = {"none", "differs", "agrees", "rank order",
                                                 "one fold"};
  return kNames[static_cast<int>(order)];
}

absl::StatusOr<VerifyReport> Verify(const Program& program, const VerifyOptions& options) {
  const ProgramInfo& info = program.info();
  absl::Status status = CheckInfo(info);
  if (!status.ok()) return status;
  Simulation simulation(program, options);
  status = simulation.Run();
  // Afterwards, when every step is known to be well formed.
  if (status.ok()) status = VerifyShift(program);
  if (!status.ok()) return status;
  if (info.collective == Collective::kBarrier) {
    status = CheckBarrier(info, simulation);
    if (!status.ok()) return status;
    return simulation.report();
  }

  uint64_t rank_order = OrderOfRank(0);
  for (int rank = 1; rank < info.ranks; ++rank) {
    rank_order = OrderOfFold(rank_order, OrderOfRank(rank));
  }
  std::vector<uint64_t> orders(info.space.chunks());  // of the first rank that has the chunk
  bool agrees = true, canonical = true, once = true;
  for (int rank = 0; rank < info.ranks; ++rank) {
    const BlockWindow window = OutputWindow(info, rank);
    for (uint32_t slice = 0; slice < info.space.slices(); ++slice) {
      const uint32_t first = slice * info.space.blocks() + window.first;
      for (uint32_t chunk = first; chunk < first + window.blocks; ++chunk) {
        status = CheckOutput(info, simulation, rank, chunk);
        if (!status.ok()) return status;
        const uint64_t order = simulation.Output(rank, chunk).order;
        if (orders[chunk] == 0) orders[chunk] = order;
        agrees &= orders[chunk] == order;
        canonical &= ((order ^ rank_order) & ~kFoldedOnce) == 0;
        once &= (order & kFoldedOnce) != 0;
      }
    }
  }
  VerifyReport report = simulation.report();
  if (Reduces(info.collective)) {
    report.order = canonical && (once || info.ranks == 1) ? FoldOrder::kOneFold
                   : canonical                            ? FoldOrder::kRankOrder
                   : agrees                               ? FoldOrder::kAgrees
                                                          : FoldOrder::kDiffers;
  }
  return report;
}

}  // namespace ccl
