#ifndef CCL_SCHEDULE_VERIFY_SIMULATION_H_
#define CCL_SCHEDULE_VERIFY_SIMULATION_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ccl/schedule/program.h"
#include "ccl/schedule/verify.h"
#include "ccl/schedule/verify_layout.h"
#include "ccl/schedule/verify_races.h"
#include "ccl/schedule/verify_values.h"
#include "ccl/schedule/verify_wires.h"

namespace ccl {

inline constexpr uint32_t kNoLane = ~uint32_t{0};
inline constexpr uint32_t kWholeBatch = ~uint32_t{0};  // a step: none in particular

// A step whose batch is under way: its lane, counted over all ranks, and its place in the batch.
struct Site {
  uint32_t lane = kNoLane;
  uint32_t step = 0;
};

// Runs all ranks of a program to the end or to the first error. Steps register their accesses when
// they are issued; values move when both sides of a message, or all members of a group operation,
// have been issued, which is also when these steps complete.
//
// Functions that can fail return false and leave the reason in status_.
class Simulation {
 public:
  Simulation(const Program& program, const VerifyOptions& options);

  absl::Status Run();

  // After Run has succeeded.
  const VerifyReport& report() const { return report_; }
  RankSets& sets() { return sets_; }
  // What the output holds for a chunk of the rank's window.
  const Value& Output(int rank, uint32_t chunk) const;
  // The ranks whose start came before the end of `rank`. Followed for barriers only.
  RankSet Heard(int rank);

 private:
  struct Lane {
    uint32_t batches = 0;
    uint32_t batch = 0;    // the current one
    uint32_t pending = 0;  // steps of it that have not completed
    bool fetched = false, waiting = false;
    Dep unmet;                     // what it waits for
    RankSet known = 0;             // barrier: whose start came before the current batch
    RankSet heard = 0;             // ... and whose came before its end
    std::vector<RankSet> history;  // `known` after so many batches
    StepList list;
    std::vector<uint32_t> next_on_wire;  // by step: the one that waits behind it
  };
  // One operation of a group, waiting for its members.
  struct GroupOp {
    size_t posted = 0;
    std::vector<Site> sites;  // by member
  };
  struct GroupQueue {
    std::vector<uint32_t> lanes;  // by member: the one lane it uses
    std::vector<uint32_t> next;   // by member: operations posted
    std::deque<GroupOp> ops;
    uint32_t first = 0;  // number of ops.front()
  };
  struct Place {
    uint64_t length = 0;  // by name: see LengthOf
    uint32_t location = 0;
  };
  class Cursor;
  // The name of the length of a chunk: equal names are equal lengths, for every count.
  uint64_t LengthOf(int rank, Buffer buffer, uint32_t chunk) const {
    const uint32_t blocks = info_.space.blocks();
    switch (info_.space.kind()) {
      case ChunkSpace::Kind::kPerBlock:
        return chunk / blocks;
      case ChunkSpace::Kind::kPairs: {
        const uint64_t slice = chunk / blocks, block = chunk % blocks;
        const uint64_t self = static_cast<uint64_t>(rank);
        return buffer == Buffer::kIn ? (slice * blocks + self) * blocks + block
                                     : (slice * blocks + block) * blocks + self;
      }
      default:
        return chunk;
    }
  }

  int RankOf(uint32_t lane) const { return static_cast<int>(lane / info_.lanes); }
  const Step& StepAt(Site site) const { return lanes_[site.lane].list.steps[site.step]; }
  absl::Span<const Ref> Src(Site site) const { return lanes_[site.lane].list.src(StepAt(site)); }
  absl::Span<const Ref> Dst(Site site) const { return lanes_[site.lane].list.dst(StepAt(site)); }
  std::string Name(Site site) const;
  bool Fail(Site site, absl::string_view what);

  // verify_simulation.cc: batches.
  bool Advance(uint32_t lane);
  bool CheckDependencies(uint32_t lane);
  bool Issue(uint32_t lane);
  void Finish(uint32_t lane);
  bool Finished(int rank) const;
  bool Stuck();
  std::string WhyStuck(Site site) const;

  // verify_steps.cc: what steps access and do.
  bool CheckStep(Site site);
  bool CheckShape(Site site);
  bool Access(Site site);
  bool AccessRun(Site site, const Ref& ref, bool write);
  bool WriteWithOperands(Site site);
  bool Raced(Site site, uint32_t location, bool write);
  bool Post(Site site);
  bool PostMessage(Site site);
  void Wait(Site site, Wires::Wire& wire, bool sends);
  bool Transfer(Site from, Site to);
  bool Copy(Site site);
  bool Reduce(Site site);
  bool Defined(Site site, uint32_t location);
  // `held`: the left one is a sum of this step's, not yet rounded.
  bool Merge(Site site, const Value& left, const Value& right, Value& into, bool held = false);

  // verify_groups.cc: group operations.
  bool PostGroup(Site site);
  bool CheckGroupOp(const Step& step, absl::Span<const int> members, const GroupOp& op);
  bool GroupReduce(const GroupOp& op);
  bool GroupCopy(const GroupOp& op, size_t root);
  void Places(int rank, absl::Span<const Ref> refs, std::vector<Place>& places) const;
  bool SameShape(Site site, const std::vector<Place>& places);

  const Program& program_;
  const ProgramInfo& info_;
  const bool barrier_, reduces_;
  Layout layout_;
  RankSets sets_;
  std::vector<Value> values_;
  std::optional<RaceDetector> races_;
  std::vector<Lane> lanes_;  // rank * lanes + lane
  std::vector<uint32_t> ready_, next_ready_;
  Wires wires_;
  absl::flat_hash_map<uint64_t, GroupQueue> groups_;
  std::vector<Place> model_, places_;  // of the group operation under way
  std::vector<Value> folded_;
  VerifyReport report_;
  absl::Status status_;
};

}  // namespace ccl

#endif  // CCL_SCHEDULE_VERIFY_SIMULATION_H_
