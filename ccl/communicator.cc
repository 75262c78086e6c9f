#include "ccl/communicator.h"

#include <algorithm>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ccl/base/log.h"
#include "ccl/base/status.h"
#include "ccl/dumps.h"
#include "ccl/repeats.h"

namespace ccl {
namespace {

// Picoseconds: virtual time ends before.
constexpr double kLongest = 1e19 / 2;
// Beyond so many ranks in a process operations are not recorded: it would be gigabytes.
constexpr size_t kMostRecorded = 4096;

}  // namespace

absl::StatusOr<std::unique_ptr<Communicator>> Communicator::Create(const std::shared_ptr<World>& world,
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

namespace {

std::shared_ptr<Scope> ScopeFor(const Team& team) {
  auto scope = std::make_shared<Scope>(team.options().timeout_ms * 1'000'000'000);
  scope->drops = team.options().abort_on_timeout;
  return scope;
}

}  // namespace

Communicator::Communicator(std::shared_ptr<Team> team, int rank)
    : team_(std::move(team)), rank_(rank), scope_(ScopeFor(*team_)),
      stream_(world().engine().NewStream(world_rank(), scope_)),
      channels_(world().engine().abilities().channels) {
  team_->SetScope(rank_, scope_.get());
  const Options& options = team_->options();
  if (!options.flight_folder.empty() && records()) {
    world().dumps().Add(this, options.flight_folder, options.flight_signal);
    dumps_ = true;
  }
  if (Logs(LogLevel::kInfo, LogPart::kInit)) {
    Log(LogLevel::kInfo, LogPart::kInit,
        absl::StrCat("communicator '", team_->options().name, "': rank ", rank_, " of ", ranks(),
                     ", world rank ", world_rank(), ", contexts from ", team_->control_context(),
                     ", check ", team_->checks() ? "on" : "off"));
  }
}

Communicator::~Communicator() {
  if (Logs(LogLevel::kInfo, LogPart::kDestroy)) {
    Log(LogLevel::kInfo, LogPart::kDestroy,
        absl::StrCat("communicator '", team_->options().name, "': rank ", rank_, " of ", ranks(),
                     " ends after ", calls_, " collectives"));
  }
  if (dumps_) world().dumps().Remove(this);
  Stop(absl::InvalidArgumentError("the communicator has been destroyed"));
  team_->SetScope(rank_, nullptr);
  world().engine().Drop(stream_.get());
  if (repeats_ != nullptr) world().engine().Locked([&] { repeats_->Close(); });
  if (team_->whole()) {
    world().LeaveTeam(rank_);
  } else {
    world().Leave(world_rank());
  }
}

const std::shared_ptr<Control>& Communicator::control() {
  if (control_ == nullptr) control_ = std::make_shared<Control>(shared_world(), world_rank(), scope_->timeout);
  return control_;
}

void Communicator::Stop(const absl::Status& error) {
  if (world().engine().Stop(*scope_, error)) team_->contexts().Spoil();
}

absl::StatusOr<std::unique_ptr<Work>> Communicator::Make(const Request& request,
                                                         const Choice& choice) {
  CCL_ASSIGN_OR_RETURN(std::shared_ptr<const Plan> plan, PlanFor(request, choice));
  return Make(request, plan);
}

absl::StatusOr<std::unique_ptr<Work>> Communicator::Make(const Request& request,
                                                         const std::shared_ptr<const Plan>& plan,
                                                         const Choice* again) {
  const uint32_t channels = plan->program->info().channels;
  if (channels > channels_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "rank ", rank_, ", ", Name(request.collective), ": ", Format(plan->spec), " takes ", channels,
        " wire channels, and the ", world().engine().backend_name(), " backend has ", channels_,
        " here; fewer slices take fewer"));
  }
  const Signature signature = SignatureOf(calls_ + 1, request, plan->text);
  const bool together = world().engine().abilities().virtual_time;  // all ranks are in this process
  if (team_->checks() && together) {
    if (absl::Status status = team_->ledger().Enter(rank_, signature); !status.ok()) {
      team_->FailAll(status);
      return status;
    }
  }
  // What the operation needs is the caller's choice of count: too much is an error, not an end.
  try {
    auto execution = std::make_unique<Execution>(plan->program, rank_, team_->ContextOf(calls_), request,
                                                 team_->map());
    if (again != nullptr && Keeps(request)) {
      if (repeats_ == nullptr) repeats_ = std::make_unique<Repeats>();
      Repeats::Call* call = repeats_->Find(PlainRequest::Of(request), *again);
      if (call == nullptr) {
        const BufferRules rules = BufferRules::Of(request, rank_, ranks());
        world().engine().Locked([&] { call = &repeats_->Add(request, *again, rules, plan); });
      }
      if (call->plan == plan) execution->ReturnTo(call->shelf);
    }
    std::unique_ptr<Work> work = std::move(execution);
    if (team_->checks() && !together) {
      CCL_ASSIGN_OR_RETURN(std::shared_ptr<const Plan> asks,
                           team_->planner().Choose(Collective::kAllGather,
                                                   sizeof signature * static_cast<uint64_t>(ranks()), 0, ""));
      work = MakeChecked(std::move(work), asks->program, rank_, team_->ContextOf(calls_), team_->map(),
                         signature, scope_);
    }
    if (records()) {
      FlightRecord record;
      Describe(request, plan, record);
      Record(*work, record);
    }
    ++calls_;  // when nothing can fail any more
    return work;
  } catch (const std::bad_alloc&) {
    if (team_->checks() && together) team_->ledger().TakeBack(calls_ + 1);
    return absl::InvalidArgumentError(absl::StrCat("rank ", rank_, ", ", Name(request.collective),
                                                   ": no memory for the scratch of ", request.count,
                                                   " elements"));
  }
}

void Communicator::Describe(const Request& request, const std::shared_ptr<const Plan>& plan,
                            FlightRecord& record) const {
  record.sequence = calls_ + 1;
  record.collective = request.collective;
  record.type = request.type;
  record.op = request.op;
  record.root = request.root;
  record.count = request.count;
  record.in = request.in;
  record.out = request.out;
  // Often the same as before: then nobody counts.
  if (record.algorithm.get() != &plan->text) {
    record.algorithm = std::shared_ptr<const std::string>(plan, &plan->text);
  }
  const double predicted = Predict(request, *plan);
  record.predicted = predicted < kLongest ? static_cast<Time>(predicted) : -1;
  record.tag = request.tag;
  record.started = record.ended = -1;
}

bool Communicator::Keeps(const Request& request) const {
  return !world().engine().abilities().virtual_time && !team_->checks() && Execution::Repeats(request);
}

std::optional<absl::Status> Communicator::Repeat(const PlainRequest& request, const Choice& choice,
                                                 Stream* stream) {
  if (repeats_ == nullptr) return std::nullopt;
  Repeats::Call* const call = repeats_->Find(request, choice);
  if (call == nullptr || !call->rules.Fit(request.in, request.out)) return std::nullopt;
  auto started = world().engine().EnqueueMade(stream, [&]() -> std::unique_ptr<Work> {
    std::unique_ptr<Execution> execution = call->shelf->Take();
    if (execution == nullptr) return nullptr;
    execution->Again(team_->ContextOf(calls_), request.in, request.out, request.tag);
    FlightRecord& record = flight_->Next();
    Describe(call->request, call->plan, record);
    record.in = request.in;
    record.out = request.out;
    record.tag = request.tag;
    ++calls_;
    execution->RecordAs(record.number);
    return execution;
  });
  if (!started.ok()) return started.status();
  if (!*started) return std::nullopt;
  return absl::OkStatus();
}

uint64_t Communicator::memory() const {
  uint64_t bytes = sizeof *this + sizeof(Scope) + sizeof(Stream) +
                   (pairs_ == nullptr ? 0 : pairs_->sends.capacity() + pairs_->receives.capacity()) *
                       sizeof(std::pair<int, uint64_t>);
  if (repeats_ != nullptr) world().engine().Locked([&] { bytes += repeats_->memory(); });
  return bytes;
}

void Communicator::Unmake() {
  if (team_->checks() && world().engine().abilities().virtual_time) team_->ledger().TakeBack(calls_);
  --calls_;
  if (records()) world().engine().Locked([&] { flight_->TakeBack(); });
}

bool Communicator::records() const {
  return world().engine().local_ranks().size() <= kMostRecorded;
}

double Communicator::Predict(const Request& request, const Plan& plan) const {
  const uint64_t own = OwnBytes(request, ranks());
  if (own == PlanBytes(request, ranks())) return plan.predicted;
  return team_->planner().Predict(plan.spec, request.collective, own, request.root);
}

void Communicator::Record(Work& work, const FlightRecord& record) {
  if (!records()) return;
  world().engine().Locked([&] {
    if (flight_ == nullptr) flight_ = std::make_shared<FlightRing>();
    work.RecordIn(flight_, flight_->Add(record));
  });
}

void Communicator::RecordMessage(Work& work, const char* name, uint64_t bytes, int peer) {
  FlightRecord record;
  record.name = name;
  record.count = bytes;
  record.root = peer;
  Record(work, record);
}

std::unique_ptr<Work> Communicator::MakeExchange(std::vector<Exchange::Message> messages) {
  uint64_t bytes = 0;
  for (const Exchange::Message& message : messages) bytes += message.bytes;
  const int peer = messages.empty() ? 0 : messages.front().peer;
  auto work = std::make_unique<Exchange>(rank_, team_->exchange_context(), std::move(messages), team_->map());
  RecordMessage(*work, "point-to-point", bytes, peer);
  return work;
}

uint16_t Communicator::NextChannel(bool sends, int peer) {
  if (pairs_ == nullptr) pairs_ = std::make_unique<Pairs>();
  return static_cast<uint16_t>((sends ? pairs_->sends : pairs_->receives)[peer]++ % channels_);
}

absl::Status Communicator::Run(Request request, const Choice& choice) {
  if (Execution::Repeats(request)) {
    std::optional<absl::Status> status = Repeat(PlainRequest::Of(request), choice, stream_.get());
    if (status.has_value()) return *std::move(status);
  }
  CCL_RETURN_IF_ERROR(error());
  CCL_RETURN_IF_ERROR(Validate(request));
  CCL_ASSIGN_OR_RETURN(std::shared_ptr<const Plan> plan, PlanFor(request, choice));
  CCL_ASSIGN_OR_RETURN(std::unique_ptr<Work> work, Make(request, plan, &choice));
  std::vector<std::unique_ptr<Work>> list;
  list.push_back(std::move(work));
  Stream* stream = stream_.get();
  world().engine().Enqueue({&stream, 1}, std::move(list));
  return absl::OkStatus();
}

bool Communicator::Idle() { return world().engine().Empty(stream_.get()); }

absl::Status Communicator::Synchronize() {
  Stream* stream = stream_.get();
  return world().engine().Wait({&stream, 1});
}

}  // namespace ccl
