#include "ccl/bindings/hccl/convert.h"

#include <atomic>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "ccl/bindings/hccl/include/hccl/hccl.h"
#include "ccl/bindings/runtime/error.h"

namespace ccl::bindings {
namespace {

std::atomic<int32_t> deterministic{0};

struct AllNotes {
  std::mutex mutex;
  std::unordered_map<HcclComm, Notes> notes;
};

AllNotes& Kept() {
  static auto* kept = new AllNotes;
  return *kept;
}

constexpr cclDataType_t kTypes[] = {cclInt8,    cclInt16,  cclInt32,  cclFloat16, cclFloat32, cclInt64,
                                    cclUint64,  cclUint8,  cclUint16, cclUint32,  cclFloat64, cclBfloat16,
                                    cclNumTypes, cclNumTypes, cclFloat8e4m3, cclFloat8e5m2};

}  // namespace

HcclResult Result(cclResult_t result) {
  switch (Note(result)) {
    case cclSuccess: return HCCL_SUCCESS;
    case cclSystemError: return HCCL_E_SYSCALL;
    case cclInvalidArgument: return HCCL_E_PARA;
    case cclInvalidUsage: return HCCL_E_UNAVAIL;
    case cclRemoteError: return HCCL_E_REMOTE;
    case cclInProgress: return HCCL_E_AGAIN;
    case cclTimeout: return HCCL_E_TIMEOUT;
    default: return HCCL_E_INTERNAL;
  }
}

HcclResult Refused(HcclResult result, std::string text) {
  Refuse(cclInvalidArgument, std::move(text));
  return result;
}

HcclResult Convert(HcclDataType type, cclDataType_t* own) {
  const auto number = static_cast<unsigned>(type);
  if (number >= sizeof kTypes / sizeof kTypes[0]) {
    return Refused(HCCL_E_PARA, "unknown data type " + std::to_string(number));
  }
  *own = kTypes[number];
  if (*own != cclNumTypes) return HCCL_SUCCESS;
  return Refused(HCCL_E_NOT_SUPPORT, "data type " + std::to_string(number) + " (int128 or hif8)");
}

HcclResult Convert(HcclReduceOp op, cclRedOp_t* own) {
  static_assert(int{HCCL_REDUCE_SUM} == int{cclSum} && int{HCCL_REDUCE_MIN} == int{cclMin});
  const auto number = static_cast<unsigned>(op);
  if (number > HCCL_REDUCE_MIN) return Refused(HCCL_E_PARA, "unknown reduction " + std::to_string(number));
  *own = static_cast<cclRedOp_t>(number);
  return HCCL_SUCCESS;
}

HcclResult Convert(const HcclCommConfig* config, cclConfig_t* own) {
  *own = CCL_CONFIG_INITIALIZER;
  own->deterministic = deterministic;
  if (config == nullptr) return HCCL_SUCCESS;
  uint32_t magic = 0;
  std::memcpy(&magic, config->reserved + sizeof(uint64_t), sizeof magic);
  if (magic != HCCL_COMM_CONFIG_MAGIC_WORD) {
    return Refused(HCCL_E_PARA, "the configuration was not initialised with HcclCommConfigInit");
  }
  if (config->hcclDeterministic != HCCL_COMM_DETERMINISTIC_CONFIG_NOT_SET) {
    if (config->hcclDeterministic > 2) return Refused(HCCL_E_PARA, "hcclDeterministic is not 0, 1 or 2");
    own->deterministic = static_cast<int>(config->hcclDeterministic);
  }
  if (config->hcclRdmaTrafficClass != HCCL_COMM_TRAFFIC_CLASS_CONFIG_NOT_SET) {
    if (config->hcclRdmaTrafficClass > 255) return Refused(HCCL_E_PARA, "hcclRdmaTrafficClass is above 255");
    own->trafficClass = static_cast<int>(config->hcclRdmaTrafficClass);
  }
  if (std::memchr(config->hcclCommName, 0, sizeof config->hcclCommName) == nullptr) {
    return Refused(HCCL_E_PARA, "hcclCommName has no end");
  }
  if (config->hcclCommName[0] != '\0') own->commName = config->hcclCommName;
  return HCCL_SUCCESS;
}

void Keep(HcclComm comm, const Notes& notes) {
  AllNotes& kept = Kept();
  std::lock_guard<std::mutex> lock(kept.mutex);
  kept.notes[comm] = notes;
}

void Forget(HcclComm comm) {
  AllNotes& kept = Kept();
  std::lock_guard<std::mutex> lock(kept.mutex);
  kept.notes.erase(comm);
}

HcclResult NotesOf(HcclComm comm, Notes* notes) {
  if (comm == nullptr) return Refused(HCCL_E_PTR, "the communicator is null");
  AllNotes& kept = Kept();
  std::lock_guard<std::mutex> lock(kept.mutex);
  const auto found = kept.notes.find(comm);
  if (found == kept.notes.end()) {
    return Refused(HCCL_E_PARA, "the communicator is not one, or has been destroyed");
  }
  *notes = found->second;
  return HCCL_SUCCESS;
}

}  // namespace ccl::bindings

using namespace ccl::bindings;

extern "C" {

HcclResult HcclSetConfig(HcclConfig config, HcclConfigValue configValue) {
  if (config != HCCL_DETERMINISTIC) return Refused(HCCL_E_PARA, "unknown option");
  if (configValue.value < 0 || configValue.value > 2) return Refused(HCCL_E_PARA, "HCCL_DETERMINISTIC is not 0, 1 or 2");
  deterministic = configValue.value;
  return HCCL_SUCCESS;
}

HcclResult HcclGetConfig(HcclConfig config, HcclConfigValue* configValue) {
  if (configValue == nullptr) return Refused(HCCL_E_PTR, "the value is null");
  if (config != HCCL_DETERMINISTIC) return Refused(HCCL_E_PARA, "unknown option");
  configValue->value = deterministic;
  return HCCL_SUCCESS;
}

uint32_t HcclGetCommConfigCapability(void) {
  return 1u << HCCL_COMM_CONFIG_DETERMINISTIC | 1u << HCCL_COMM_CONFIG_COMM_NAME;
}

const char* HcclGetErrorString(HcclResult code) {
  static const char* const kTexts[] = {
      "no error", "parameter error", "null pointer", "memory error", "internal error", "not supported",
      "not found", "unavailable", "system call error", "timeout", "file cannot be opened",
      "tcp connection error", "roce connection error", "tcp transfer error", "roce transfer error",
      "runtime error", "driver error", "profiling error", "cce error", "network error", "try again",
      "remote error", "communicator is suspended"};
  const auto number = static_cast<unsigned>(code);
  return number < sizeof kTexts / sizeof kTexts[0] ? kTexts[number] : "unknown error";
}

}  // extern "C"
