// What a user reads when a backend cannot be opened.
#include <cstdlib>
#include <fstream>
#include <string>

#include "ccl/backend/backend.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace ccl {
namespace {

TEST(OpenBackend, UnknownSchemeNamesTheKnownOnes) {
  for (const char* url : {"mqi:", "mpi", "", ":"}) {
    const absl::Status status = OpenBackend(url, 0).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_NE(status.message().find("mpi:"), absl::string_view::npos) << status;
  }
}

TEST(OpenBackend, ErrorsDoNotShowSecrets) {
  for (const char* url : {"tpc:?ranks=2&secret=c0ffee", "tcp:ranks=2&secret=c0ffee", "tcp:?ranks=2&secret=c0ffee"}) {
    const absl::Status status = OpenBackend(url, 0).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_EQ(status.message().find("c0ffee"), absl::string_view::npos) << status;
  }
}

TEST(OpenBackend, BrokenModuleIsNamedWithTheReason) {
  const TemporaryFolder directory;
  std::ofstream(directory / "libccl_mpi_openmpi.so") << "not a library";
  ASSERT_EQ(setenv("CCL_MODULE_PATH", ("/nowhere:" + directory.path()).c_str(), 1), 0);
  const absl::Status status = OpenBackend("mpi:", 0).status();
  unsetenv("CCL_MODULE_PATH");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  const std::string text(status.message());
  const std::string path = (directory / "libccl_mpi_openmpi.so").string();
  // Once from us, once from dlerror.
  const size_t first = text.find(path);
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_NE(text.find(path, first + 1), std::string::npos) << text;
}

}  // namespace
}  // namespace ccl
