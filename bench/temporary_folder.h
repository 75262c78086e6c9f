#ifndef BENCH_TEMPORARY_FOLDER_H_
#define BENCH_TEMPORARY_FOLDER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ccl {

// A new folder where the system has its temporary ones, named after `what`. Whoever asks removes it.
absl::StatusOr<std::string> MakeTemporaryFolder(absl::string_view what);

}  // namespace ccl

#endif  // BENCH_TEMPORARY_FOLDER_H_
