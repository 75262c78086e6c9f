#include "bench/temporary_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace ccl {

absl::StatusOr<std::string> MakeTemporaryFolder(absl::string_view what) {
  std::error_code error;
  const std::filesystem::path place = std::filesystem::temp_directory_path(error);
  if (error) return absl::UnavailableError(absl::StrCat("no folder for what is temporary: ", error.message()));
  std::string path = place / absl::StrCat("cclbench-", what, "-XXXXXX");
  if (mkdtemp(path.data()) != nullptr) return path;
  return absl::UnavailableError(absl::StrCat("cannot make the folder '", path, "': ", std::strerror(errno)));
}

}  // namespace ccl
