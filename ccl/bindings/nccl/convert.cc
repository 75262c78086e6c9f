#include "ccl/bindings/nccl/convert.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

#include "ccl/bindings/runtime/error.h"

namespace ccl::bindings {
namespace {

static_assert(int{ncclTimeout} == int{cclTimeout} && int{ncclInProgress} == int{cclInProgress});
static_assert(int{ncclFloat8e5m2} == int{cclFloat8e5m2} && int{ncclAvg} == int{cclAvg});
static_assert(int{ncclMaxRedOp} == int{cclMaxRedOp} && sizeof(ncclUniqueId) == sizeof(cclUniqueId));

bool Stated(int value) { return value != NCCL_CONFIG_UNDEF_INT; }

// NCCL's algorithms by what they are called here. It takes names by their beginning, in any case.
std::string AlgorithmOf(const char* selection) {
  std::string upper(selection);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto begins = [&](const char* name) {
    const size_t n = std::strlen(name);
    return upper.compare(0, n, name) == 0 && (upper.size() == n || upper[n] == '_');
  };
  if (begins("RING")) return "ring";
  if (begins("TREE")) return "double_binary_tree";
  return selection;
}

}  // namespace

ncclResult_t Result(cclResult_t result) { return static_cast<ncclResult_t>(Note(result)); }

ncclResult_t Refused(ncclResult_t result, std::string text) {
  return static_cast<ncclResult_t>(Refuse(static_cast<cclResult_t>(result), std::move(text)));
}

bool IsType(ncclDataType_t type) {
  const int value = static_cast<int>(type);
  if (value >= 0 && value < ncclNumTypes) return true;
  Refuse(cclInvalidArgument, "unknown data type " + std::to_string(value));
  return false;
}

bool IsOp(ncclRedOp_t op) {
  const int value = static_cast<int>(op);
  if ((value >= 0 && value < ncclNumOps) || value >= cclNumOps) return true;
  Refuse(cclInvalidArgument, "unknown reduction " + std::to_string(value));
  return false;
}

ncclResult_t Convert(const ncclConfig_t* config, cclConfig_t* own) {
  *own = CCL_CONFIG_INITIALIZER;
  if (config == nullptr) return ncclSuccess;
  if (config->magic != NCCL_API_MAGIC || config->size < offsetof(ncclConfig_t, cgaClusterSize)) {
    return Refused(ncclInvalidArgument,
                   "the configuration was not initialised with NCCL_CONFIG_INITIALIZER");
  }
  ncclConfig_t c = NCCL_CONFIG_INITIALIZER;
  std::memcpy(static_cast<void*>(&c), config, std::min(config->size, sizeof c));
  own->blocking = c.blocking;
  if (Stated(c.minCTAs)) own->minChannels = c.minCTAs;
  if (Stated(c.maxCTAs)) own->maxChannels = c.maxCTAs;
  if (c.netName != nullptr && std::strchr(c.netName, ':') != nullptr) own->backend = c.netName;
  own->splitShare = c.splitShare;
  own->shrinkShare = c.shrinkShare;
  own->trafficClass = c.trafficClass;
  own->commName = c.commName;
  return ncclSuccess;
}

ncclResult_t Convert(const ncclCollConfig_t* config, cclCallConfig_t* own, std::string* algorithm) {
  *own = CCL_CALL_CONFIG_INITIALIZER;
  if (config == nullptr) return ncclSuccess;
  if (config->magic != NCCL_API_MAGIC || config->size < sizeof(ncclCollConfig_t)) {
    return Refused(ncclInvalidArgument,
                   "the options of the call were not initialised with NCCL_COLLCONFIG_INITIALIZER");
  }
  if (config->algSelection != nullptr && config->algSelection[0] != '\0') {
    *algorithm = AlgorithmOf(config->algSelection);
    own->algorithm = algorithm->c_str();
  }
  if (Stated(config->forceAlgSelection)) own->forceAlgorithm = config->forceAlgSelection;
  if (Stated(config->maxCTAs)) own->channels = config->maxCTAs;
  own->profilerTag = config->userProfilerTag;
  return ncclSuccess;
}

}  // namespace ccl::bindings
