#ifndef CCL_ALGORITHMS_COMPOSED_H_
#define CCL_ALGORITHMS_COMPOSED_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ccl/schedule/program.h"
#include "ccl/topology/topology.h"

// A program whose stages are programs of teams of ranks: the mechanism. compose.cc decides which
// stages a collective has.
namespace ccl {

// Which blocks of the whole a block of a stage's program stands for.
struct BlockMap {
  enum Kind : uint8_t {
    kAffine,  // b -> [b * factor, + factor) past the team's offset for b < limit; nothing beyond
    kRail,    // group i -> its blocks on this rail
    kLocal,   // local rank l -> the blocks of rail l in every group
  };
  Kind kind = kAffine;
  int factor = 1, limit = 1 << 30;
};

// Where a stage's buffer lies.
struct Place {
  Buffer buffer = Buffer::kIn;
  Buffer own = Buffer::kIn;  // of the rank's own block, where that differs
};

// A sub-collective of one stage.
struct Team {
  std::shared_ptr<const Program> program;
  std::vector<int> members;
  uint32_t first_group = 0;
  int rail = 0;    // of kRail maps
  int offset = 0;  // added to every affine map
};

struct Stage {
  std::vector<Team> teams;
  std::vector<int> team_of;  // by rank; -1: takes no part
  std::vector<int> place_in;
  BlockMap in_map, out_map, scratch_map;
  Place in, out;
  uint32_t first_lane = 0, lanes = 0, first_channel = 0;
  bool singles = false;  // runs are written chunk by chunk, so that lists match piece by piece
};

// The program of `stages`, run one after the other by every rank that takes part in them; the first
// scratch slot holds the whole vector when `work_slot`. Lanes, channels and groups of the stages are
// numbered here. `rails`: see compose.cc.
std::unique_ptr<Program> MakeComposed(ProgramInfo info, Grouping grouping, int rails,
                                      std::vector<Stage> stages, bool work_slot);

}  // namespace ccl

#endif  // CCL_ALGORITHMS_COMPOSED_H_
