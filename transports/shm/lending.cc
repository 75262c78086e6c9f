#include "transports/shm/lending.h"

#include <sched.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/base/log.h"

namespace ccl::shm {
namespace {

// All are on their way here. Who does not come in time is not lent anything, nor is anybody else.
constexpr std::chrono::seconds kLongest(1);

}  // namespace

Lending::Lending(const Layout& layout, size_t ranks, size_t self, const ArenaPlace& own)
    : own_(reinterpret_cast<uintptr_t>(own.base)), bytes_(own.bytes), bases_(ranks, 0) {
  Member& me = layout.MemberOf(self);
  me.process = own.process;
  me.file = own.file;
  me.bytes = own.bytes;
  me.known.store(1, std::memory_order_release);
  bases_[self] = own_;
  const auto limit = std::chrono::steady_clock::now() + kLongest;
  for (size_t rank = 0; rank < ranks; ++rank) {
    if (rank == self) continue;
    const Member& other = layout.MemberOf(rank);
    while (other.known.load(std::memory_order_acquire) == 0) {
      if (std::chrono::steady_clock::now() > limit) return;
      sched_yield();
    }
    if (other.bytes == 0) return;
    auto mapped = Segment::Attach({other.process, other.file}, other.bytes);
    if (!mapped.ok()) {
      Log(LogLevel::kInfo, LogPart::kInit,
          absl::StrCat("cclMemAlloc's memory is copied like any other: ", mapped.status().message()));
      return;
    }
    (*mapped)->Close();
    (*mapped)->Borrow();
    bases_[rank] = reinterpret_cast<uintptr_t>((*mapped)->data());
    mapped_.push_back(*std::move(mapped));
  }
  me.reaches.store(1, std::memory_order_release);
}

bool Lending::Look(const Layout& layout) const {
  for (size_t rank = 0; rank < bases_.size(); ++rank) {
    if (layout.MemberOf(rank).reaches.load(std::memory_order_acquire) == 0) return false;
  }
  return true;
}

}  // namespace ccl::shm
