#include "ccl/bindings/runtime/error.h"

#include <utility>

namespace ccl::bindings {
namespace {

thread_local std::string last;

}  // namespace

cclResult_t Note(cclResult_t result) {
  if (result != cclSuccess && result != cclInProgress) last = cclGetLastError(nullptr);
  return result;
}

cclResult_t Refuse(cclResult_t result, std::string text) {
  last = std::move(text);
  return result;
}

const char* LastError() { return last.c_str(); }

}  // namespace ccl::bindings
