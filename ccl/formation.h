#ifndef CCL_FORMATION_H_
#define CCL_FORMATION_H_

#include <memory>
#include <string>
#include <vector>

#include "ccl/communicator.h"

namespace ccl {

// A communicator in the making, as one rank of its parent sees it. All who take part begin theirs in
// the same order. Of one thread; keeps nothing of the parent communicator but its team.
class Formation {
 public:
  static constexpr int kNoColor = -1;

  // One communicator for every color, its ranks ordered by key, then by rank in the parent. A rank of
  // kNoColor takes part and gets none. `options`: of the new one; their configuration is the same
  // for all.
  static absl::StatusOr<std::unique_ptr<Formation>> Split(Communicator& parent, int color, int key,
                                                          const Options& options);
  // Of the ranks that are not excluded, in the parent's order; these alone take part.
  static absl::StatusOr<std::unique_ptr<Formation>> Shrink(Communicator& parent,
                                                           const std::vector<int>& exclude,
                                                           const Options& options);
  // Errors of what they are asked for, before anybody waits for anybody: a negative color, ranks to
  // exclude that are none, or the caller.
  static absl::Status CheckColor(const Communicator& parent, int color);
  // The ranks of the parent that are not excluded.
  static absl::StatusOr<std::vector<int>> Survivors(const Communicator& parent,
                                                    const std::vector<int>& exclude);
  ~Formation();
  Formation(const Formation&) = delete;
  Formation& operator=(const Formation&) = delete;

  // What to wait for before the next Poll.
  Stream* stream() { return control_->stream.get(); }
  Engine& engine() { return team_->world().engine(); }
  // True when it is done; never blocks.
  absl::StatusOr<bool> Poll();
  // Waits. Several of one thread are waited for together: what one rank asks may hang on another's.
  static absl::Status Finish(absl::Span<Formation* const> formations);
  // Once it is done: the communicator, or null for a rank that gets none.
  std::unique_ptr<Communicator> Take() { return std::move(made_); }

 private:
  Formation(Communicator& parent, std::vector<int> members, int color, int key, std::string what,
            const Options& options);
  absl::Status Ask();
  absl::StatusOr<bool> Step();
  absl::StatusOr<bool> Resolve();
  void Resolve(Resolution& resolution);
  void Leave();

  const std::shared_ptr<Team> team_;
  const int rank_;
  const std::vector<int> members_;  // of the parent, ascending; empty: all
  const int color_, key_;
  const std::string what_;
  const Options options_;
  const std::shared_ptr<Control> control_;
  std::shared_ptr<Gathering> gathering_;  // null: has not asked yet
  bool done_ = false;
  absl::Status error_;
  std::unique_ptr<Communicator> made_;
};

}  // namespace ccl

#endif  // CCL_FORMATION_H_
