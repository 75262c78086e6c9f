#include "ccl/rendezvous.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"
#include "ccl/join.h"

namespace ccl {

absl::StatusOr<std::shared_ptr<World>> Rendezvous::Meet(absl::string_view id, const Options& options,
                                                        int ranks, int rank) {
  if (MeetsByItself(BackendOf(options))) return JoinWorld(options, {ranks, rank, id});
  std::lock_guard<std::mutex> lock(mutex_);
  const auto found = entries_.find(id);
  if (found != entries_.end()) {
    const Entry& entry = found->second;
    if (std::shared_ptr<World> world = entry.world.lock(); world != nullptr) {
      const auto differs = [&](absl::string_view what, const auto& here, const auto& there) {
        return absl::InvalidArgumentError(
            absl::StrCat("rank ", rank, " joins with ", what, " '", here, "', rank ", entry.first,
                         " with '", there, "'; they are equal on all ranks"));
      };
      if (world->engine().ranks() != ranks) return differs("nranks", ranks, world->engine().ranks());
      const std::string here = BackendOf(options), there = BackendOf(entry.options);
      if (here != there) return differs("backend", here, there);
      if (options.algorithms != entry.options.algorithms) {
        return differs("algorithms", options.algorithms, entry.options.algorithms);
      }
      if (options.phantom != entry.options.phantom) {
        return differs("phantom", int{options.phantom}, int{entry.options.phantom});
      }
      return world;
    }
  }
  CCL_ASSIGN_OR_RETURN(std::shared_ptr<World> world, World::Open(options, ranks));
  if (!world->engine().abilities().virtual_time) return world;
  std::erase_if(entries_, [](const auto& entry) { return entry.second.world.expired(); });
  entries_[std::string(id)] = {world, options, rank};
  return world;
}

size_t Rendezvous::ids() {
  std::lock_guard<std::mutex> lock(mutex_);
  return entries_.size();
}

}  // namespace ccl
