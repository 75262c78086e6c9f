// Parameters: the environment variables that the library reads, and what they say.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>
#include <string>
#include <type_traits>
#include <vector>

#include "ccl/bindings/nccl/convert.h"
#include "ccl/bindings/runtime/error.h"

struct ncclParamHandle {
  std::string key;
  int number;  // of the option
};

namespace ccl::bindings {
namespace {

// All options that have a variable; none while a variable is not understood. Kept for ever: handles
// point into it.
const std::vector<ncclParamHandle>& Parameters() {
  static auto* const mutex = new std::mutex;
  static auto* const parameters = new std::vector<ncclParamHandle>;
  std::lock_guard<std::mutex> lock(*mutex);
  cclOption_t option;
  for (int i = 0; parameters->empty() || i > 0; ++i) {
    if (cclGetOption(i, &option) != cclSuccess) break;
    if (option.variable[0] != '\0') parameters->push_back({option.variable, i});
  }
  return *parameters;
}

const ncclParamHandle* Find(const std::string& key) {
  for (const ncclParamHandle& parameter : Parameters()) {
    if (parameter.key == key) return &parameter;
  }
  return nullptr;
}

// As it counts now.
std::string ValueOf(const ncclParamHandle& parameter) {
  cclOption_t option;
  return Note(cclGetOption(parameter.number, &option)) == cclSuccess ? option.value : "";
}

bool IsNumber(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789", text[0] == '-' ? 1 : 0) == std::string::npos;
}

ncclResult_t Unknown(const char* key) {
  return Refused(ncclInvalidArgument, std::string("there is no parameter '") + key + "'");
}

template <typename T>
ncclResult_t Number(ncclParamHandle_t h, T* out) {
  if (h == nullptr || out == nullptr) return Refused(ncclInvalidArgument, "the handle or the result is null");
  const std::string text = ValueOf(*h);
  if (!IsNumber(text)) return Refused(ncclInvalidArgument, h->key + " is '" + text + "', no number");
  const long long value = std::strtoll(text.c_str(), nullptr, 10);
  const bool fits = std::is_unsigned_v<T>
                        ? value >= 0 && static_cast<unsigned long long>(value) <= std::numeric_limits<T>::max()
                        : value >= static_cast<long long>(std::numeric_limits<T>::min()) &&
                              (sizeof(T) == 8 || value <= static_cast<long long>(std::numeric_limits<T>::max()));
  if (!fits) {
    return Refused(ncclInvalidArgument, h->key + " is " + text + ", more than the result holds");
  }
  *out = static_cast<T>(value);
  return ncclSuccess;
}

}  // namespace
}  // namespace ccl::bindings

using namespace ccl::bindings;

extern "C" {

ncclResult_t ncclParamBind(ncclParamHandle_t* out, const char* key) {
  if (out == nullptr || key == nullptr) return Refused(ncclInvalidArgument, "the handle or the key is null");
  const ncclParamHandle* found = Find(key);
  if (found == nullptr) return Unknown(key);
  *out = const_cast<ncclParamHandle_t>(found);  // opaque, and never written through
  return ncclSuccess;
}
CCL_NCCL_TWIN(ncclParamBind);

ncclResult_t ncclParamGetI8(ncclParamHandle_t h, int8_t* out) { return Number(h, out); }
CCL_NCCL_TWIN(ncclParamGetI8);
ncclResult_t ncclParamGetI16(ncclParamHandle_t h, int16_t* out) { return Number(h, out); }
CCL_NCCL_TWIN(ncclParamGetI16);
ncclResult_t ncclParamGetI32(ncclParamHandle_t h, int32_t* out) { return Number(h, out); }
CCL_NCCL_TWIN(ncclParamGetI32);
ncclResult_t ncclParamGetI64(ncclParamHandle_t h, int64_t* out) { return Number(h, out); }
CCL_NCCL_TWIN(ncclParamGetI64);
ncclResult_t ncclParamGetU8(ncclParamHandle_t h, uint8_t* out) { return Number(h, out); }
CCL_NCCL_TWIN(ncclParamGetU8);
ncclResult_t ncclParamGetU16(ncclParamHandle_t h, uint16_t* out) { return Number(h, out); }
CCL_NCCL_TWIN(ncclParamGetU16);
ncclResult_t ncclParamGetU32(ncclParamHandle_t h, uint32_t* out) { return Number(h, out); }
CCL_NCCL_TWIN(ncclParamGetU32);
ncclResult_t ncclParamGetU64(ncclParamHandle_t h, uint64_t* out) { return Number(h, out); }
CCL_NCCL_TWIN(ncclParamGetU64);

ncclResult_t ncclParamGetStr(ncclParamHandle_t h, const char** out) {
  if (h == nullptr || out == nullptr) return Refused(ncclInvalidArgument, "the handle or the result is null");
  thread_local std::string text;
  text = ValueOf(*h);
  if (IsNumber(text)) return Refused(ncclInvalidArgument, h->key + " is a number");
  *out = text.c_str();
  return ncclSuccess;
}
CCL_NCCL_TWIN(ncclParamGetStr);

ncclResult_t ncclParamGet(ncclParamHandle_t h, void* out, int maxLen, int* len) {
  if (h == nullptr || out == nullptr || len == nullptr) {
    return Refused(ncclInvalidArgument, "the handle, the result or its length is null");
  }
  int64_t number = 0;
  std::string bytes = ValueOf(*h);
  if (IsNumber(bytes)) {
    if (const ncclResult_t result = Number(h, &number); result != ncclSuccess) return result;
    bytes.assign(reinterpret_cast<const char*>(&number), sizeof number);
  }
  if (maxLen < 0 || bytes.size() > static_cast<size_t>(maxLen)) {
    return Refused(ncclInvalidArgument, h->key + " takes " + std::to_string(bytes.size()) +
                                            " bytes, the result has " + std::to_string(maxLen));
  }
  std::memcpy(out, bytes.data(), bytes.size());
  *len = static_cast<int>(bytes.size());
  return ncclSuccess;
}
CCL_NCCL_TWIN(ncclParamGet);

ncclResult_t ncclParamGetParameter(const char* key, const char** value, int* valueLen) {
  if (key == nullptr || value == nullptr || valueLen == nullptr) {
    return Refused(ncclInvalidArgument, "the key, the value or its length is null");
  }
  const ncclParamHandle* found = Find(key);
  if (found == nullptr) return Unknown(key);
  thread_local std::string text;
  text = ValueOf(*found);
  *value = text.c_str();
  *valueLen = static_cast<int>(text.size());
  return ncclSuccess;
}
CCL_NCCL_TWIN(ncclParamGetParameter);

ncclResult_t ncclParamGetAllParameterKeys(const char*** table, int* tableLen) {
  if (table == nullptr || tableLen == nullptr) {
    return Refused(ncclInvalidArgument, "the table or its length is null");
  }
  thread_local std::vector<const char*> keys;
  keys.clear();
  for (const ncclParamHandle& parameter : Parameters()) keys.push_back(parameter.key.c_str());
  *table = keys.data();
  *tableLen = static_cast<int>(keys.size());
  return ncclSuccess;
}
CCL_NCCL_TWIN(ncclParamGetAllParameterKeys);

void ncclParamDumpAll(void) {
  for (const ncclParamHandle& parameter : Parameters()) {
    std::fprintf(stderr, "%s=%s\n", parameter.key.c_str(), ValueOf(parameter).c_str());
  }
}
CCL_NCCL_TWIN(ncclParamDumpAll);

}  // extern "C"
