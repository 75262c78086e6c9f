#include "ccl/formation.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"
#include "ccl/figures.h"

namespace ccl {

// What came of a gathering: the teams, or why there are none. One for the ranks of a process.
struct Resolution {
  struct Place {
    std::shared_ptr<Team> team;  // null: none
    int rank = 0;
  };
  std::mutex mutex;
  bool made = false;
  absl::Status error;
  bool again = false;         // somebody had something else to settle first
  std::vector<Place> places;  // by who has said something; of this process
};

std::shared_ptr<Resolution> Team::ResolutionOf(const Gathering::Said& said) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto kept = std::find_if(resolutions_.begin(), resolutions_.end(),
                           [&](const Kept& k) { return k.said == said; });
  if (kept == resolutions_.end()) {
    const bool here = world_->engine().abilities().virtual_time;  // all members are
    resolutions_.push_back({said, std::make_shared<Resolution>(), here ? said->size() : 1});
    kept = resolutions_.end() - 1;
  }
  const std::shared_ptr<Resolution> resolution = kept->resolution;
  if (--kept->left == 0) resolutions_.erase(kept);
  return resolution;
}

namespace {

// What a rank says. Followed by its offer of contexts where processes agree on them.
struct Wish {
  int32_t color;
  int32_t key;
  uint64_t configuration;  // hashed: it is the same for all of a color
};

uint64_t HashOf(const Options& o) {
  const std::string text =
      absl::StrCat(o.algorithms, "|", o.min_channels, "|", o.max_channels, "|", o.deterministic, "|",
                   o.check, "|", o.timeout_ms, "|", o.traffic_class);
  uint64_t hash = 14695981039346656037u;  // the same in every process
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

Wish WishOf(const std::string& said) {
  Wish wish;
  std::memcpy(&wish, said.data(), sizeof wish);
  return wish;
}

}  // namespace

absl::Status Formation::CheckColor(const Communicator& parent, int color) {
  if (color >= kNoColor) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "rank ", parent.rank(), ", split: color ", color,
      " is negative; a rank that wants no communicator has CCL_SPLIT_NOCOLOR, ", kNoColor));
}

absl::StatusOr<std::vector<int>> Formation::Survivors(const Communicator& parent,
                                                      const std::vector<int>& exclude) {
  const auto error = [&](auto... what) {
    return absl::InvalidArgumentError(absl::StrCat("rank ", parent.rank(), ", shrink: ", what...));
  };
  std::vector<bool> excluded(static_cast<size_t>(parent.ranks()), false);
  for (int rank : exclude) {
    if (rank < 0 || rank >= parent.ranks()) {
      return error("rank ", rank, " to exclude is not in 0..", parent.ranks() - 1);
    }
    if (rank == parent.rank()) return error("it excludes itself; only the ranks that stay call");
    excluded[static_cast<size_t>(rank)] = true;
  }
  std::vector<int> members;
  for (int rank = 0; rank < parent.ranks(); ++rank) {
    if (!excluded[static_cast<size_t>(rank)]) members.push_back(rank);
  }
  return members;
}

absl::StatusOr<std::unique_ptr<Formation>> Formation::Split(Communicator& parent, int color, int key,
                                                            const Options& options) {
  CCL_RETURN_IF_ERROR(CheckColor(parent, color));
  std::unique_ptr<Formation> made(new Formation(parent, {}, color, key, "split", options));
  CCL_RETURN_IF_ERROR(made->Poll().status());
  return made;
}

absl::StatusOr<std::unique_ptr<Formation>> Formation::Shrink(Communicator& parent,
                                                             const std::vector<int>& exclude,
                                                             const Options& options) {
  CCL_ASSIGN_OR_RETURN(std::vector<int> members, Survivors(parent, exclude));
  if (Engine& engine = parent.world().engine(); !engine.error().ok()) {
    // The world itself has failed: those who are left make one of their own.
    std::vector<int> ranks;
    for (int rank : members) ranks.push_back(parent.team()->map().world(rank));
    CCL_ASSIGN_OR_RETURN(std::unique_ptr<Backend> backend, engine.Survivors(ranks));
    CCL_ASSIGN_OR_RETURN(Topology topology, MeasuredTopology(*backend));
    const int own = backend->local_ranks().front();
    std::unique_ptr<Formation> made(new Formation(parent, std::move(members), 0, 0, "shrink", options));
    CCL_ASSIGN_OR_RETURN(std::vector<Override> rules, RulesOf(options, parent.team()->rules()));
    CCL_ASSIGN_OR_RETURN(
        made->made_,
        Communicator::Create(World::Over(std::move(backend), std::move(topology), options, std::move(rules)), own));
    made->done_ = true;
    return made;
  }
  std::unique_ptr<Formation> made(new Formation(parent, std::move(members), 0, 0, "shrink", options));
  CCL_RETURN_IF_ERROR(made->Poll().status());
  return made;
}

Formation::Formation(Communicator& parent, std::vector<int> members, int color, int key,
                     std::string what, const Options& options)
    : team_(parent.team()),
      rank_(parent.rank()),
      members_(std::move(members)),
      color_(color),
      key_(key),
      what_(std::move(what)),
      options_(options),
      control_(parent.control()) {
  control_->queue.push_back(this);
}

Formation::~Formation() { Leave(); }

void Formation::Leave() {
  std::erase(control_->queue, this);
  team_->world().contexts().EndOffer(team_->control_context(), true);
}

absl::Status Formation::Ask() {
  const Wish wish{color_, key_, HashOf(options_)};
  std::string says(reinterpret_cast<const char*>(&wish), sizeof wish);
  if (!engine().abilities().virtual_time) {
    says += team_->world().contexts().Offer(team_->control_context());
  }
  gathering_ = std::make_shared<Gathering>();
  CCL_ASSIGN_OR_RETURN(std::unique_ptr<Work> work,
                       team_->Gather(members_, rank_, std::move(says), what_, gathering_));
  std::vector<std::unique_ptr<Work>> list;
  list.push_back(std::move(work));
  Stream* queue = stream();
  engine().Enqueue({&queue, 1}, std::move(list));
  return absl::OkStatus();
}

absl::StatusOr<bool> Formation::Poll() {
  if (!error_.ok()) return error_;
  if (done_) return true;
  // What the rank has begun before goes first.
  while (control_->queue.front() != this) {
    auto done = control_->queue.front()->Step();
    if (done.ok() && !*done) return false;
  }
  return Step();
}

// Of the front of the queue; makes way when it has ended.
absl::StatusOr<bool> Formation::Step() {
  const auto step = [&]() -> absl::StatusOr<bool> {
    if (gathering_ == nullptr) CCL_RETURN_IF_ERROR(Ask());
    CCL_ASSIGN_OR_RETURN(const bool heard, engine().Query(stream()));
    if (!heard) return false;
    CCL_ASSIGN_OR_RETURN(const bool resolved, Resolve());
    // Once more, but not at once: it hangs on what else this rank has begun.
    if (!resolved) gathering_ = nullptr;
    return resolved;
  };
  absl::StatusOr<bool> result = step();
  if (!result.ok()) error_ = result.status();
  if (result.ok() && *result) done_ = true;
  if (done_ || !error_.ok()) Leave();
  return result;
}

absl::Status Formation::Finish(absl::Span<Formation* const> formations) {
  while (true) {
    std::vector<Stream*> streams;
    Engine* engine = nullptr;
    for (Formation* formation : formations) {
      CCL_ASSIGN_OR_RETURN(const bool done, formation->Poll());
      if (done || (engine != nullptr && engine != &formation->engine())) continue;
      engine = &formation->engine();
      streams.push_back(formation->stream());
    }
    if (engine == nullptr) return absl::OkStatus();
    CCL_RETURN_IF_ERROR(engine->Wait(streams));
  }
}

absl::StatusOr<bool> Formation::Resolve() {
  const std::shared_ptr<Resolution> resolution = team_->ResolutionOf(gathering_->said);
  std::lock_guard<std::mutex> lock(resolution->mutex);
  if (!resolution->made) {
    resolution->made = true;
    Resolve(*resolution);
  }
  if (!engine().abilities().virtual_time) {
    team_->world().contexts().EndOffer(team_->control_context(), !resolution->again);
  }
  if (resolution->again) return false;
  if (!resolution->error.ok()) return resolution->error;
  const auto me = std::lower_bound(members_.begin(), members_.end(), rank_) - members_.begin();
  Resolution::Place& place =
      resolution->places[members_.empty() ? static_cast<size_t>(rank_) : static_cast<size_t>(me)];
  if (place.team != nullptr) made_ = Communicator::Of(std::move(place.team), place.rank);
  return true;
}

void Formation::Resolve(Resolution& resolution) {
  const std::vector<std::string>& said = *gathering_->said;
  const bool all_here = engine().abilities().virtual_time;
  const auto member = [&](size_t i) {
    return members_.empty() ? static_cast<int>(i) : members_[i];
  };
  const auto offer = [&](size_t i) { return absl::string_view(said[i]).substr(sizeof(Wish)); };
  // By color, then by key, then as they were.
  std::vector<size_t> order;
  for (size_t i = 0; i < said.size(); ++i) {
    const Wish wish = WishOf(said[i]);
    if (wish.color == kNoColor) continue;
    if (!all_here && !ContextBlocks::Says(offer(i))) resolution.again = true;
    order.push_back(i);
  }
  if (resolution.again) return;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const Wish x = WishOf(said[a]), y = WishOf(said[b]);
    return std::make_pair(x.color, x.key) < std::make_pair(y.color, y.key);
  });
  resolution.places.resize(said.size());
  std::shared_ptr<ContextBlock> block;  // ranks of different colors never meet: one does for all
  const auto take = [&](absl::Span<const size_t> ranks) {
    uint32_t number = 0;
    if (all_here) {
      number = team_->world().contexts().Take();
    } else {
      std::vector<absl::string_view> offers;
      for (size_t i : ranks) offers.push_back(offer(i));
      number = team_->world().contexts().TakeCommon(offers);
    }
    if (number > 0) block = std::make_shared<ContextBlock>(team_->shared_world(), number);
    return number > 0;
  };
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    const Wish first = WishOf(said[order[begin]]);
    std::vector<int> ranks;
    for (end = begin; end < order.size(); ++end) {
      const Wish wish = WishOf(said[order[end]]);
      if (wish.color != first.color) break;
      if (wish.configuration != first.configuration) {
        resolution.error = absl::InvalidArgumentError(absl::StrCat(
            what_, ": rank ", member(order[end]), " has another configuration than rank ",
            member(order[begin]), "; it is the same for all of a color"));
        return;
      }
      ranks.push_back(team_->map().world(member(order[end])));
    }
    if (!all_here && first.color != color_) continue;
    if (block == nullptr && !take(absl::MakeSpan(order).subspan(begin, end - begin))) {
      resolution.error = absl::FailedPreconditionError(absl::StrCat(
          what_, ": the ", team_->world().contexts().blocks() - 1, " communicators that this world "
          "of ", engine().abilities().contexts, " contexts can have beside its own are all there; "
          "destroy some"));
      return;
    }
    auto rules = RulesOf(options_, team_->rules());
    if (!rules.ok()) {
      resolution.error = rules.status();
      return;
    }
    const auto team = std::make_shared<Team>(team_->shared_world(), std::move(ranks), block, options_,
                                             *std::move(rules));
    for (size_t i = begin; i < end; ++i) {
      resolution.places[order[i]] = {team, static_cast<int>(i - begin)};
    }
  }
}

}  // namespace ccl
