#include "ccl/communicator.h"

#include <algorithm>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ccl/base/status.h"

namespace ccl {
namespace {

// Of a rank's larger buffer: beyond any memory, and below where virtual time overflows.
constexpr uint64_t kMostBytes = uint64_t{1} << 40, kMostPhantomBytes = uint64_t{1} << 50;

}  // namespace

absl::StatusOr<std::unique_ptr<Communicator>> Communicator::Create(std::shared_ptr<World> world,
                                                                   int rank) {
  const absl::Span<const int> ranks = world->engine().local_ranks();
  if (!std::binary_search(ranks.begin(), ranks.end(), rank)) {
    return absl::InvalidArgumentError(
        absl::StrCat("rank ", rank, " is not one of this process; it has ",
                     absl::StrJoin(world->engine().local_ranks().subspan(
                                       0, std::min<size_t>(world->engine().local_ranks().size(), 8)),
                                   " "),
                     " of ", world->engine().ranks()));
  }
  CCL_RETURN_IF_ERROR(world->Join(rank));
  return std::unique_ptr<Communicator>(new Communicator(World::TeamOf(world), rank));
}

std::unique_ptr<Communicator> Communicator::Of(std::shared_ptr<Team> team, int rank) {
  team->world().Enter(team->map().world(rank));
  return std::unique_ptr<Communicator>(new Communicator(std::move(team), rank));
}

Communicator::Communicator(std::shared_ptr<Team> team, int rank)
    : team_(std::move(team)), rank_(rank), scope_(std::make_shared<Scope>()),
      stream_(world().engine().NewStream(world_rank(), scope_)),
      channels_(world().engine().abilities().channels) {}

Communicator::~Communicator() {
  Stop(absl::InvalidArgumentError("the communicator has been destroyed"));
  world().engine().Drop(stream_.get());
  if (team_->whole()) {
    world().LeaveTeam(rank_);
  } else {
    world().Leave(world_rank());
  }
}

const std::shared_ptr<Control>& Communicator::control() {
  if (control_ == nullptr) control_ = std::make_shared<Control>(shared_world(), world_rank());
  return control_;
}

void Communicator::Stop(const absl::Status& error) {
  if (world().engine().Stop(*scope_, error)) team_->contexts().Spoil();
}

absl::Status Communicator::Validate(Request& request) const {
  const Collective c = request.collective;
  const auto error = [&](auto... what) {
    return absl::InvalidArgumentError(
        absl::StrCat("rank ", rank_, ", ", Name(c), ": ", what...));
  };
  const uint64_t n = static_cast<uint64_t>(ranks());
  request.phantom = world().phantom();
  const uint64_t most = request.phantom ? kMostPhantomBytes : kMostBytes;
  if (request.count > most / SizeOf(request.type) / (CountIsPerRank(c) ? n : 1)) {
    return error("count ", request.count, " is negative or too large");
  }
  if (HasRoot(c) && (request.root < 0 || request.root >= ranks())) {
    return error("root ", request.root, " is not in 0..", ranks() - 1);
  }
  if (request.phantom || request.count == 0 || c == Collective::kBarrier) return absl::OkStatus();
  ProgramInfo info;
  info.collective = c;
  info.ranks = ranks();
  info.root = request.root;
  info.space = ChunkSpace::Split(static_cast<uint32_t>(n));
  const BlockWindow in = InputWindow(info, rank_), out = OutputWindow(info, rank_);
  if (in.blocks > 0 && request.in == nullptr) return error("the send buffer is null");
  if (out.blocks > 0 && request.out == nullptr) return error("the receive buffer is null");
  if (in.blocks == 0 || out.blocks == 0) return absl::OkStatus();
  const uint64_t bytes = request.count * SizeOf(request.type);
  const bool per_rank = CountIsPerRank(c);
  const uint64_t in_bytes = per_rank ? bytes * in.blocks : bytes;
  const uint64_t out_bytes = per_rank ? bytes * out.blocks : bytes;
  const char* a = static_cast<const char*>(request.in);
  const char* b = static_cast<const char*>(request.out);
  if (a + in_bytes <= b || b + out_bytes <= a) return absl::OkStatus();
  // Overlap is right only where the collective is in place.
  const uint64_t own = static_cast<uint64_t>(rank_) * bytes;
  const bool in_place = c == Collective::kReduceScatter || c == Collective::kScatter ? a + own == b
                        : c == Collective::kAllGather || c == Collective::kGather    ? b + own == a
                        : c == Collective::kAllToAll                                 ? false
                                                                                     : a == b;
  if (!in_place) {
    return error("the buffers overlap, and not as in place: ",
                 c == Collective::kAllToAll ? "alltoall has no in-place form"
                 : per_rank ? "the smaller one must be the rank's block of the larger"
                            : "they must be the same");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Work>> Communicator::Make(const Request& request,
                                                         absl::string_view forced) {
  CCL_ASSIGN_OR_RETURN(std::shared_ptr<const Plan> plan,
                       team_->planner().Choose(request.collective, PlanBytes(request, ranks()),
                                                request.root, forced));
  const uint32_t channels = plan->program->info().channels;
  if (channels > channels_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "rank ", rank_, ", ", Name(request.collective), ": ", Format(plan->spec), " takes ", channels,
        " wire channels, and the ", world().engine().backend_name(), " backend has ", channels_,
        " here; fewer slices take fewer"));
  }
  // What the operation needs is the caller's choice of count: too much is an error, not an end.
  try {
    auto work = std::make_unique<Execution>(plan->program, rank_, team_->ContextOf(calls_), request,
                                            team_->map());
    ++calls_;
    return work;
  } catch (const std::bad_alloc&) {
    return absl::InvalidArgumentError(absl::StrCat("rank ", rank_, ", ", Name(request.collective),
                                                   ": no memory for the scratch of ", request.count,
                                                   " elements"));
  }
}

std::unique_ptr<Work> Communicator::MakeExchange(std::vector<Exchange::Message> messages) {
  return std::make_unique<Exchange>(rank_, team_->exchange_context(), std::move(messages),
                                    team_->map());
}

uint16_t Communicator::NextChannel(bool sends, int peer) {
  return static_cast<uint16_t>((sends ? sends_ : receives_)[peer]++ % channels_);
}

absl::Status Communicator::Run(Request request, absl::string_view forced) {
  CCL_RETURN_IF_ERROR(error());
  CCL_RETURN_IF_ERROR(Validate(request));
  CCL_ASSIGN_OR_RETURN(std::unique_ptr<Work> work, Make(request, forced));
  std::vector<std::unique_ptr<Work>> list;
  list.push_back(std::move(work));
  Stream* stream = stream_.get();
  world().engine().Enqueue({&stream, 1}, std::move(list));
  return absl::OkStatus();
}

absl::Status Communicator::Synchronize() {
  Stream* stream = stream_.get();
  return world().engine().Wait({&stream, 1});
}

}  // namespace ccl
