// hccl.h: ranges of memory that a communicator is told of. Host memory needs none of it.
#include <map>
#include <mutex>
#include <utility>

#include "ccl/bindings/hccl/convert.h"
#include "ccl/bindings/hccl/include/hccl/hccl.h"

namespace ccl::bindings {
namespace {

struct Ranges {
  std::mutex mutex;
  // By communicator and address: how many bytes, and which pieces of them are active.
  struct Range {
    size_t size = 0;
    std::map<const char*, size_t> active = {};
  };
  std::map<std::pair<HcclComm, const char*>, Range> ranges;
};

Ranges& All() {
  static auto* all = new Ranges;
  return *all;
}

HcclResult Check(HcclComm comm, const void* address) {
  Notes notes;
  if (address == nullptr) return Refused(HCCL_E_PTR, "the address of a memory range is null");
  return NotesOf(comm, &notes);
}

HcclResult NoRange() { return Refused(HCCL_E_NOT_FOUND, "the communicator has no such memory range"); }

// The range that holds so many bytes; null when none does.
Ranges::Range* Holding(Ranges& all, HcclComm comm, const char* address, size_t size) {
  for (auto& [key, range] : all.ranges) {
    if (key.first != comm || address < key.second) continue;
    const size_t at = static_cast<size_t>(address - key.second);
    if (at <= range.size && size <= range.size - at) return &range;
  }
  return nullptr;
}

}  // namespace
}  // namespace ccl::bindings

using namespace ccl::bindings;

extern "C" {

HcclResult HcclCommSetMemoryRange(HcclComm comm, void* baseVirPtr, size_t size, size_t alignment,
                                  uint64_t flags) {
  if (const HcclResult result = Check(comm, baseVirPtr); result != HCCL_SUCCESS) return result;
  if (size == 0 || alignment != 0 || flags != 0) {
    return Refused(HCCL_E_PARA, "a memory range without bytes, or with an alignment or flags");
  }
  Ranges& all = All();
  std::lock_guard<std::mutex> lock(all.mutex);
  all.ranges[{comm, static_cast<const char*>(baseVirPtr)}] = {size};
  return HCCL_SUCCESS;
}

HcclResult HcclCommUnsetMemoryRange(HcclComm comm, void* baseVirPtr) {
  if (const HcclResult result = Check(comm, baseVirPtr); result != HCCL_SUCCESS) return result;
  Ranges& all = All();
  std::lock_guard<std::mutex> lock(all.mutex);
  return all.ranges.erase({comm, static_cast<const char*>(baseVirPtr)}) == 1 ? HCCL_SUCCESS : NoRange();
}

HcclResult HcclCommActivateCommMemory(HcclComm comm, void* virPtr, size_t size, size_t offset,
                                      aclrtDrvMemHandle, uint64_t flags) {
  if (const HcclResult result = Check(comm, virPtr); result != HCCL_SUCCESS) return result;
  if (size == 0 || offset != 0 || flags != 0) {
    return Refused(HCCL_E_PARA, "memory without bytes, or with an offset or flags, is activated");
  }
  Ranges& all = All();
  std::lock_guard<std::mutex> lock(all.mutex);
  const auto* address = static_cast<const char*>(virPtr);
  Ranges::Range* range = Holding(all, comm, address, size);
  if (range == nullptr) return NoRange();
  range->active[address] = size;
  return HCCL_SUCCESS;
}

HcclResult HcclCommDeactivateCommMemory(HcclComm comm, void* virPtr) {
  if (const HcclResult result = Check(comm, virPtr); result != HCCL_SUCCESS) return result;
  Ranges& all = All();
  std::lock_guard<std::mutex> lock(all.mutex);
  const auto* address = static_cast<const char*>(virPtr);
  Ranges::Range* range = Holding(all, comm, address, 1);
  return range != nullptr && range->active.erase(address) == 1 ? HCCL_SUCCESS : NoRange();
}

}  // extern "C"
