#ifndef CCL_EXEC_RANK_MAP_H_
#define CCL_EXEC_RANK_MAP_H_

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace ccl {

// The ranks of a communicator among those of its world: programs name the former, backends the
// latter. Cheap to copy; immutable.
class RankMap {
 public:
  RankMap() = default;  // every rank is itself
  explicit RankMap(std::vector<int> world)
      : world_(std::make_shared<const std::vector<int>>(std::move(world))) {}

  bool identity() const { return world_ == nullptr; }
  int world(int rank) const { return identity() ? rank : (*world_)[static_cast<size_t>(rank)]; }
  // The world's order is kept.
  bool ascends() const { return identity() || std::is_sorted(world_->begin(), world_->end()); }

 private:
  std::shared_ptr<const std::vector<int>> world_;
};

}  // namespace ccl

#endif  // CCL_EXEC_RANK_MAP_H_
