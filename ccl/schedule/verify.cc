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
    using Kind = ChunkSpace::Kind;
    const Kind kind = info.collective == Collective::kAllToAllV ? Kind::kPairs
                      : HasCounts(info.collective)              ? Kind::kRagged
                      : per_rank                                ? Kind::kPerBlock
                                                                : Kind::kSplit;
    if (info.space.kind() != kind) return wrong("wrong kind of chunk space");
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
  switch (EvenForm(info.collective)) {
    case Collective::kAllReduce:
    case Collective::kReduceScatter:
    case Collective::kReduce:
      return {chunk, sets.All()};
    case Collective::kScan:
      return {chunk, sets.Below(rank + 1)};
    case Collective::kExscan:
      return {chunk, sets.Below(rank)};
    case Collective::kAllGather:
    case Collective::kGather:
      return {chunk, sets.Only(static_cast<int>(block))};
    case Collective::kBroadcast:
    case Collective::kScatter:
      return {chunk, sets.Only(info.root)};
    case Collective::kAllToAll:
      return {chunk - block + static_cast<uint32_t>(rank), sets.Only(static_cast<int>(block))};
    default:
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

  // By the number of ranks folded from the left, less one.
  std::vector<uint64_t> rank_order = {OrderOfRank(0)};
  for (int rank = 1; rank < info.ranks; ++rank) {
    rank_order.push_back(OrderOfFold(rank_order.back(), OrderOfRank(rank)));
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
        // A scan has a result of its own on each rank: there is nothing to agree on.
        if (orders[chunk] == 0) orders[chunk] = order;
        agrees &= orders[chunk] == order || Scans(info.collective);
        const int folded = info.collective == Collective::kScan     ? rank + 1
                           : info.collective == Collective::kExscan ? rank
                                                                    : info.ranks;
        canonical &= ((order ^ rank_order[static_cast<size_t>(folded) - 1]) & ~kFoldedOnce) == 0;
        once &= (order & kFoldedOnce) != 0 || folded == 1;
      }
    }
  }
  VerifyReport report = simulation.report();
  if (Reduces(info.collective)) {
    report.order = canonical && once ? FoldOrder::kOneFold
                   : canonical       ? FoldOrder::kRankOrder
                   : agrees          ? FoldOrder::kAgrees
                                     : FoldOrder::kDiffers;
  }
  return report;
}

}  // namespace ccl
