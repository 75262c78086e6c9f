// Blocks of uneven lengths, for requests of v-forms.
#ifndef TESTS_EXEC_UNEVEN_H_
#define TESTS_EXEC_UNEVEN_H_

#include <memory>
#include <utility>
#include <vector>

#include "ccl/exec/blocks.h"
#include "ccl/schedule/program.h"

namespace ccl {

// Elements that go from one rank to another, some of them none: of an all-to-all; else of block `to`.
inline uint64_t UnevenLength(Collective collective, int from, int to, uint64_t count) {
  const int turn = collective == Collective::kAllToAllV ? 3 * from + to : to + 1;
  return count * static_cast<uint64_t>(turn % 4) / 2;
}

// What `rank` asks for. The blocks of a rank's larger buffers lie last first, `gap` elements apart.
inline std::shared_ptr<const Blocks> UnevenBlocks(Collective collective, int ranks, int root, int rank,
                                                  uint64_t count, uint64_t gap) {
  ProgramInfo info;
  info.collective = collective;
  info.ranks = ranks;
  info.root = root;
  info.space = ChunkSpace::Ragged(static_cast<uint32_t>(ranks));
  const auto side = [&](BlockWindow window, bool input) {
    BlockList list;
    uint64_t at = 0;
    list.counts.resize(window.blocks);
    list.displacements.resize(window.blocks);
    for (uint32_t i = window.blocks; i-- > 0;) {
      const int block = static_cast<int>(window.first + i);
      list.counts[i] = input ? UnevenLength(collective, rank, block, count)
                             : UnevenLength(collective, block, collective == Collective::kAllToAllV
                                                                   ? rank
                                                                   : block, count);
      list.displacements[i] = at;
      at += list.counts[i] + (window.blocks > 1 ? gap : 0);
    }
    return list;
  };
  auto blocks = std::make_shared<Blocks>();
  blocks->in = side(InputWindow(info, rank), true);
  blocks->out = side(OutputWindow(info, rank), false);
  return blocks;
}

}  // namespace ccl

#endif  // TESTS_EXEC_UNEVEN_H_
