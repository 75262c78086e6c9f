// What is asked of a communicator: whether it can be, and the plan for it.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"
#include "ccl/communicator.h"
#include "ccl/repeats.h"

namespace ccl {
namespace {

// Of a rank's larger buffer: beyond any memory, and below where virtual time overflows.
constexpr uint64_t kMostBytes = uint64_t{1} << 40, kMostPhantomBytes = uint64_t{1} << 50;

}  // namespace

uint64_t Communicator::MostBytes() const {
  return world().phantom() ? kMostPhantomBytes : kMostBytes;
}

absl::Status Communicator::ValidateCall(const Request& request) const {
  const Collective c = request.collective;
  const auto error = [&](auto... what) {
    return absl::InvalidArgumentError(
        absl::StrCat("rank ", rank_, ", ", Name(c), ": ", what...));
  };
  if (Reduces(c)) {
    if (request.custom == nullptr && !Combines(request.op, request.type)) {
      return error("reduction ", Name(request.op), " combines bits of integers; ",
                   Name(request.type), " is a float");
    }
    if (request.custom != nullptr && !request.custom->function &&
        request.custom->type != request.type) {
      return error("the reduction was made for ", Name(request.custom->type), ", and the data is ",
                   Name(request.type));
    }
  }
  if (HasRoot(c) && (request.root < 0 || request.root >= ranks())) {
    return error("root ", request.root, " is not in 0..", ranks() - 1);
  }
  const uint64_t n = HasCounts(c) || !CountIsPerRank(c) ? 1 : static_cast<uint64_t>(ranks());
  if (request.count > MostBytes() / SizeOf(request.type) / n) {
    return error("count ", request.count, " is negative or too large");
  }
  return absl::OkStatus();
}

absl::Status Communicator::Validate(Request& request) const {
  const Collective c = request.collective;
  const auto error = [&](auto... what) {
    return absl::InvalidArgumentError(
        absl::StrCat("rank ", rank_, ", ", Name(c), ": ", what...));
  };
  request.phantom = world().phantom();
  CCL_RETURN_IF_ERROR(ValidateCall(request));
  if (HasCounts(c)) {
    const absl::Status status = CheckBlocks(request, rank_, MostBytes() / SizeOf(request.type));
    return status.ok() ? status : error(status.message());
  }
  if (request.phantom || request.count == 0) return absl::OkStatus();
  const BufferRules rules = BufferRules::Of(request, rank_, ranks());
  if (rules.in > 0 && request.in == nullptr) return error("the send buffer is null");
  if (rules.out > 0 && request.out == nullptr) return error("the receive buffer is null");
  if (rules.Clash(request.in, request.out)) {
    return error("the buffers overlap, and not as in place: ",
                 c == Collective::kAllToAll ? "alltoall has no in-place form"
                 : CountIsPerRank(c) ? "the smaller one must be the rank's block of the larger"
                                     : "they must be the same");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Plan>> Communicator::PlanFor(const Request& request,
                                                                  Choice choice) {
  if (request.custom != nullptr && !request.custom->commutative) {
    choice.order = std::max(choice.order, FoldOrder::kRankOrder);
  }
  const Determinism determinism = choice.determinism.value_or(
      static_cast<Determinism>(team_->options().deterministic));
  if (determinism == Determinism::kShapeInvariant && OrderMatters(request)) {
    choice.order = FoldOrder::kOneFold;
  }
  choice.determinism.reset();  // it has become the order
  choice.least_slices = static_cast<uint32_t>(team_->options().min_channels);
  choice.most_slices = static_cast<uint32_t>(team_->options().max_channels);
  return team_->planner().Choose(request.collective, PlanBytes(request, ranks()), request.root,
                                 choice);
}

}  // namespace ccl
