#include "ccl/bindings/runtime/communicators.h"

#include <atomic>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "ccl/bindings/runtime/error.h"
#include "ccl/bindings/runtime/queue.h"

namespace ccl::bindings {
namespace {

struct Registry {
  struct Entry {
    Standing standing;
    uint64_t order;
  };
  std::mutex mutex;
  std::unordered_map<cclComm_t, Entry> entries;
  uint64_t made = 0;
};

Registry& Known() {
  static auto* registry = new Registry;
  return *registry;
}

template <typename End>
cclResult_t EndWith(cclComm_t comm, End end) {
  std::vector<cclStream_t> streams = Queue::Leave(comm);
  {
    Registry& known = Known();
    std::lock_guard<std::mutex> lock(known.mutex);
    known.entries.erase(comm);
  }
  const cclResult_t result = Note(end(comm));
  for (cclStream_t stream : streams) cclStreamDestroy(stream);
  return result;
}

}  // namespace

// Odd ones; those of ids are even.
uint64_t NewFamily() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(2);
}

uint64_t FamilyOf(const void* bytes, size_t size) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < size; ++i) {
    hash = (hash ^ static_cast<const unsigned char*>(bytes)[i]) * 1099511628211u;
  }
  return hash & ~uint64_t{1};
}

void Know(cclComm_t comm, const Standing& standing) {
  Registry& known = Known();
  std::lock_guard<std::mutex> lock(known.mutex);
  known.entries[comm] = {standing, ++known.made};
}

Standing StandingOf(cclComm_t comm) {
  Registry& known = Known();
  std::lock_guard<std::mutex> lock(known.mutex);
  const auto found = known.entries.find(comm);
  return found == known.entries.end() ? Standing{} : found->second.standing;
}

cclComm_t LatestOn(int device) {
  Registry& known = Known();
  std::lock_guard<std::mutex> lock(known.mutex);
  cclComm_t latest = nullptr;
  uint64_t order = 0;
  for (const auto& [comm, entry] : known.entries) {
    if (entry.standing.device != device || entry.order < order) continue;
    latest = comm, order = entry.order;
  }
  return latest;
}

cclResult_t Destroy(cclComm_t comm) {
  return EndWith(comm, [](cclComm_t ending) {
    // One that has been finalised or revoked, or has failed, has nothing to wait for.
    cclResult_t state = ending == nullptr ? cclSuccess : cclCommFinalize(ending);
    while (state == cclInProgress) {
      cclResult_t error = cclSuccess;
      state = cclCommGetAsyncError(ending, &error) == cclSuccess ? error : cclSuccess;
    }
    return cclCommDestroy(ending);
  });
}

cclResult_t Abort(cclComm_t comm) { return EndWith(comm, cclCommAbort); }

}  // namespace ccl::bindings
