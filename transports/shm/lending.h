#ifndef TRANSPORTS_SHM_LENDING_H_
#define TRANSPORTS_SHM_LENDING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ccl/backend/arena.h"
#include "transports/shm/layout.h"
#include "transports/shm/segment.h"

namespace ccl::shm {

// Memory of one rank that the others of its host reach where it lies, and theirs. What is lent has a name,
// which is as good on every rank.
class Lending {
 public:
  // Of processes, of which only the arenas can be lent: collective over the ranks of the segment. Blocks, a
  // moment, until all have said where theirs is.
  Lending(const Layout& layout, size_t ranks, size_t self, const ArenaPlace& own);
  // Of threads of one process, which can lend everything.
  explicit Lending(size_t ranks) : bytes_(UINT64_MAX), bases_(ranks, 0), reached_(true) {}

  // 0: it cannot be lent.
  uint64_t NameOf(const void* data, uint64_t bytes) const {
    const uint64_t at = reinterpret_cast<uintptr_t>(data) - own_;
    return at < bytes_ && bytes <= bytes_ - at ? at + 1 : 0;
  }
  std::byte* Find(size_t rank, uint64_t name) const {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): names come from other processes.
    return reinterpret_cast<std::byte*>(bases_[rank] + (name - 1));
  }
  // Whether all ranks reach each other's memory: else nothing is lent.
  bool Reached(const Layout& layout) {
    if (!reached_) reached_ = Look(layout);
    return reached_;
  }

 private:
  bool Look(const Layout& layout) const;

  uintptr_t own_ = 0;
  uint64_t bytes_ = 0;
  std::vector<uintptr_t> bases_;  // by rank of the segment
  std::vector<std::unique_ptr<Segment>> mapped_;
  bool reached_ = false;
};

}  // namespace ccl::shm

#endif  // TRANSPORTS_SHM_LENDING_H_
