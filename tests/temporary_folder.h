#ifndef TESTS_TEMPORARY_FOLDER_H_
#define TESTS_TEMPORARY_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "gtest/gtest.h"

// A new empty folder of this process, removed with what is in it: tests run side by side, and as
// different users of one machine.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(std::filesystem::path(testing::TempDir()) / "ccl_test_XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr) << path_;
  }
  ~TemporaryFolder() {
    std::error_code ignored;  // what cannot be removed fails no test
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path operator/(const char* name) const {
    return std::filesystem::path(path_) / name;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

#endif  // TESTS_TEMPORARY_FOLDER_H_
