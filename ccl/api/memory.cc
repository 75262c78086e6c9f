// Memory for buffers, and hints about it.
#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ccl/api/handles.h"
#include "ccl/backend/arena.h"
#include "ccl/base/log.h"

using namespace ccl::api;

namespace {

// Pages: no two allocations share one, in whichever memory they lie.
constexpr size_t kAlignment = 4096;

void LogMemory(const char* call, const void* memory, size_t size) {
  if (!ccl::Logs(ccl::LogLevel::kInfo, ccl::LogPart::kAlloc)) return;
  ccl::Log(ccl::LogLevel::kInfo, ccl::LogPart::kAlloc,
           absl::StrFormat("%s: %p, %u bytes", call, memory, size));
}

}  // namespace

extern "C" {

cclResult_t cclMemAlloc(void** ptr, size_t size) {
  if (ptr == nullptr) return Report(absl::InvalidArgumentError("ptr is null"));
  *ptr = nullptr;
  if (size == 0) return cclSuccess;
  *ptr = ccl::Arena::OfProcess().Allocate(size);
  if (*ptr == nullptr && size <= SIZE_MAX - kAlignment) {
    *ptr = std::aligned_alloc(kAlignment, (size + kAlignment - 1) / kAlignment * kAlignment);
  }
  LogMemory("cclMemAlloc", *ptr, size);
  if (*ptr != nullptr) return cclSuccess;
  return Report(absl::ResourceExhaustedError(absl::StrCat("no memory for ", size, " bytes")));
}

cclResult_t cclMemFree(void* ptr) {
  LogMemory("cclMemFree", ptr, 0);
  if (!ccl::Arena::OfProcess().Has(ptr)) {
    std::free(ptr);
    return cclSuccess;
  }
  if (ccl::Arena::OfProcess().Free(ptr)) return cclSuccess;
  return Report(absl::InvalidArgumentError(absl::StrFormat("%p is nothing that cclMemAlloc has given, or is freed "
                                                           "already", ptr)));
}

cclResult_t cclCommRegister(cclComm_t comm, void* buff, size_t size, void** handle) {
  if (absl::Status status = CheckComm(comm); !status.ok()) return Report(status);
  if (handle == nullptr) return Report(absl::InvalidArgumentError("handle is null"));
  if (buff == nullptr || size == 0) {
    return Report(absl::InvalidArgumentError("the buffer to register is null or empty"));
  }
  comm->registered.push_back(std::make_unique<ccl::api::Registered>(ccl::api::Registered{buff, size}));
  *handle = comm->registered.back().get();
  LogMemory("cclCommRegister", buff, size);
  return cclSuccess;
}

cclResult_t cclCommDeregister(cclComm_t comm, void* handle) {
  if (absl::Status status = CheckHandle(comm); !status.ok()) return Report(status);
  const auto found = std::find_if(comm->registered.begin(), comm->registered.end(),
                                  [&](const auto& kept) { return kept.get() == handle; });
  if (found == comm->registered.end()) {
    return Report(absl::InvalidArgumentError("the handle is none of this communicator's"));
  }
  comm->registered.erase(found);
  return cclSuccess;
}

}  // extern "C"
