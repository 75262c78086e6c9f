#include "ccl/communicator.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ccl/base/status.h"

namespace ccl {
namespace {

// Messages of point-to-point calls match in one context; the k-th call to a peer has wire channel k,
// so that calls on two streams pair in the order in which they were made. Every collective has a
// context of its own, counted in the order of the calls, which is the same on all ranks: two that
// are under way at once, on two streams, never meet.
constexpr uint32_t kExchangeContext = 1, kFirstContext = 2;
// Of a rank's larger buffer: beyond any memory, and below where virtual time overflows.
constexpr uint64_t kMostBytes = uint64_t{1} << 40, kMostPhantomBytes = uint64_t{1} << 50;

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string DefaultBackend() {
  std::string backend = FromEnvironment("CCL_BACKEND");
  if (!backend.empty()) return backend;
  for (const char* launcher : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"}) {
    if (std::getenv(launcher) != nullptr) return "mpi:";
  }
  return "emulated:crossbar";
}

// One line a rule, as the file has them, so that what is shared can be parsed again.
absl::StatusOr<std::vector<Override>> Rules(const Options& options) {
  CCL_ASSIGN_OR_RETURN(std::vector<Override> rules, ParseOverrides(options.algorithms, "the API"));
  CCL_ASSIGN_OR_RETURN(std::vector<Override> environment,
                       ParseOverrides(FromEnvironment("CCL_ALGO"), "CCL_ALGO"));
  rules.insert(rules.end(), environment.begin(), environment.end());
  const std::string path = FromEnvironment("CCL_ALGO_FILE");
  if (!path.empty()) {
    CCL_ASSIGN_OR_RETURN(std::vector<Override> file, ReadOverrides(path));
    rules.insert(rules.end(), file.begin(), file.end());
  }
  return rules;
}

std::string Text(const std::vector<Override>& rules) {
  return absl::StrJoin(rules, "\n", [](std::string* out, const Override& rule) {
    absl::StrAppend(out, rule.origin, "\t", Name(rule.collective), ":", rule.low, "-",
                    rule.high == ~uint64_t{0} ? "inf" : absl::StrCat(rule.high), ":@",
                    Format(rule.spec));
  });
}

absl::StatusOr<std::vector<Override>> Parse(absl::string_view text) {
  std::vector<Override> rules;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const absl::string_view line = text.substr(0, end);
    const size_t tab = line.find('\t');
    CCL_ASSIGN_OR_RETURN(std::vector<Override> parsed,
                         ParseOverrides(line.substr(tab + 1), line.substr(0, tab)));
    rules.insert(rules.end(), parsed.begin(), parsed.end());
    text = end == text.size() ? absl::string_view() : text.substr(end + 1);
  }
  return rules;
}

std::string Configuration(const Options& options) {
  return absl::StrCat("algorithms '", options.algorithms, "', phantom ", int{options.phantom});
}

}  // namespace

std::string BackendOf(const Options& options) {
  return options.backend.empty() ? DefaultBackend() : options.backend;
}

absl::StatusOr<std::shared_ptr<World>> World::Open(const Options& options, int ranks) {
  const std::string url = BackendOf(options);
  CCL_ASSIGN_OR_RETURN(std::unique_ptr<Backend> backend, OpenBackend(url, ranks));
  if (const Abilities has = backend->abilities(); has.contexts < 4 || has.channels < 1) {
    return absl::FailedPreconditionError(absl::StrCat("'", url, "' tells only ", has.contexts,
                                                      " contexts and ", has.channels,
                                                      " channels apart"));
  }
  // Processes that came together have the same kind of backend; its URL may name their own handles.
  std::string configuration = Configuration(options);
  CCL_RETURN_IF_ERROR(backend->ShareFromRankZero(configuration));
  absl::Status same;
  if (configuration != Configuration(options)) {
    same = absl::InvalidArgumentError(absl::StrCat(
        "rank ", backend->local_ranks().front(), " is configured with ", Configuration(options),
        "; rank 0 with ", configuration, "; they must be equal on all ranks"));
  }
  CCL_RETURN_IF_ERROR(backend->Agree(same));
  if (options.phantom && !backend->abilities().phantom) {
    return absl::InvalidArgumentError(
        absl::StrCat("backend '", url, "' moves real bytes; a phantom payload needs emulated:"));
  }
  // A rank whose rules cannot be read takes rank 0's; rank 0's own error is everybody's.
  auto rules = Rules(options);
  std::string shared = rules.ok() ? absl::StrCat("ok ", Text(*rules))
                                  : absl::StrCat("no ", rules.status().message());
  CCL_RETURN_IF_ERROR(backend->ShareFromRankZero(shared));
  if (absl::StartsWith(shared, "no ")) return absl::InvalidArgumentError(shared.substr(3));
  CCL_ASSIGN_OR_RETURN(std::vector<Override> parsed, Parse(absl::string_view(shared).substr(3)));
  std::string topology = backend->topology().ToString();
  const std::string own = topology;
  CCL_RETURN_IF_ERROR(backend->ShareFromRankZero(topology));
  if (topology != own) {
    same = absl::InternalError(absl::StrCat("rank ", backend->local_ranks().front(),
                                            " sees another topology than rank 0.\nThere: ", own,
                                            "\nRank 0: ", topology));
  }
  CCL_RETURN_IF_ERROR(backend->Agree(same));
  std::shared_ptr<World> world(new World());
  world->topology_ = backend->topology();
  world->phantom_ = options.phantom;
  world->parts_.assign(static_cast<size_t>(backend->ranks()), Part::kNotYet);
  world->planner_ = std::make_unique<Planner>(world->topology_, std::move(parsed),
                                              backend->abilities().group_operations);
  world->engine_ = std::make_unique<Engine>(std::move(backend));
  return world;
}

absl::Status World::Join(int rank) {
  std::lock_guard<std::mutex> lock(mutex_);
  Part& part = parts_[static_cast<size_t>(rank)];
  if (part == Part::kNotYet) {
    part = Part::kTakes;
    engine_->Adopt(rank);
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      part == Part::kTakes
          ? absl::StrCat("rank ", rank, " has already joined; every rank joins once")
          : absl::StrCat("rank ", rank, " has left while other ranks live on, and cannot come back; "
                         "a new communicator takes a new unique id"));
}

void World::Leave(int rank) {
  std::lock_guard<std::mutex> lock(mutex_);
  parts_[static_cast<size_t>(rank)] = Part::kTook;
  engine_->Leave(rank);
}

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
  return std::unique_ptr<Communicator>(new Communicator(std::move(world), rank));
}

Communicator::Communicator(std::shared_ptr<World> world, int rank)
    : world_(std::move(world)), rank_(rank), stream_(world_->engine().NewStream(rank)),
      contexts_(world_->engine().abilities().contexts - kFirstContext),
      channels_(world_->engine().abilities().channels) {}

Communicator::~Communicator() {
  world_->engine().Drop(stream_.get());
  world_->Leave(rank_);
}

absl::Status Communicator::Validate(Request& request) const {
  const Collective c = request.collective;
  const auto error = [&](auto... what) {
    return absl::InvalidArgumentError(
        absl::StrCat("rank ", rank_, ", ", Name(c), ": ", what...));
  };
  const uint64_t n = static_cast<uint64_t>(ranks());
  request.phantom = world_->phantom();
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
                       world_->planner().Choose(request.collective, PlanBytes(request, ranks()),
                                                request.root, forced));
  const uint32_t channels = plan->program->info().channels;
  if (channels > channels_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "rank ", rank_, ", ", Name(request.collective), ": ", Format(plan->spec), " takes ", channels,
        " wire channels, and the ", world_->engine().backend_name(), " backend has ", channels_,
        " here; fewer slices take fewer"));
  }
  // What the operation needs is the caller's choice of count: too much is an error, not an end.
  try {
    const uint32_t context = kFirstContext + static_cast<uint32_t>(calls_ % contexts_);
    auto work = std::make_unique<Execution>(plan->program, rank_, context, request);
    ++calls_;
    return work;
  } catch (const std::bad_alloc&) {
    return absl::InvalidArgumentError(absl::StrCat("rank ", rank_, ", ", Name(request.collective),
                                                   ": no memory for the scratch of ", request.count,
                                                   " elements"));
  }
}

std::unique_ptr<Work> Communicator::MakeExchange(std::vector<Exchange::Message> messages) {
  return std::make_unique<Exchange>(rank_, kExchangeContext, std::move(messages));
}

uint16_t Communicator::NextChannel(bool sends, int peer) {
  return static_cast<uint16_t>((sends ? sends_ : receives_)[peer]++ % channels_);
}

absl::Status Communicator::Run(Request request, absl::string_view forced) {
  CCL_RETURN_IF_ERROR(world_->engine().error());
  CCL_RETURN_IF_ERROR(Validate(request));
  CCL_ASSIGN_OR_RETURN(std::unique_ptr<Work> work, Make(request, forced));
  std::vector<std::unique_ptr<Work>> list;
  list.push_back(std::move(work));
  Stream* stream = stream_.get();
  world_->engine().Enqueue({&stream, 1}, std::move(list));
  return absl::OkStatus();
}

absl::Status Communicator::Synchronize() {
  Stream* stream = stream_.get();
  return world_->engine().Wait({&stream, 1});
}

}  // namespace ccl
