// The list of options.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccl/api/handles.h"
#include "ccl/base/status.h"
#include "ccl/options.h"

namespace ccl::api {
namespace {

absl::Status GetOption(int number, cclOption_t* option) {
  if (option == nullptr) return absl::InvalidArgumentError("option is null");
  CCL_ASSIGN_OR_RETURN(const std::vector<Setting> settings, Settings({}));
  if (number < 0 || static_cast<size_t>(number) >= settings.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no option ", number, ", only 0..", settings.size() - 1));
  }
  thread_local Setting last;
  last = settings[static_cast<size_t>(number)];
  *option = {last.field.c_str(), last.variable.c_str(), last.value.c_str(), last.origin.c_str(),
             last.meaning.c_str()};
  return absl::OkStatus();
}

}  // namespace
}  // namespace ccl::api

extern "C" cclResult_t cclGetOption(int number, cclOption_t* option) {
  return ccl::api::Report(ccl::api::GetOption(number, option));
}
