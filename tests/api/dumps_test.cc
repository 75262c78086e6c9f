// Flight records that are written without being asked for.
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "gmock/gmock.h"
#include "tests/api/ranks.h"
#include "tests/temporary_folder.h"

namespace {

using ccl_test::Ranks;
using ccl_test::Said;
using ccl_test::Sums;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

std::vector<std::string> FilesIn(const TemporaryFolder& folder) {
  std::vector<std::string> texts;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    texts.push_back(text.str());
  }
  return texts;
}

cclConfig_t ConfigFor(const TemporaryFolder& folder, int signal = 0) {
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.flightFolder = folder.path().c_str();
  config.flightSignal = signal;
  return config;
}

TEST(Dumps, ADisagreementWritesEveryRanksRecord) {
  const TemporaryFolder folder;
  Ranks ranks(3, "emulated:crossbar", ConfigFor(folder));
  Sums(ranks.comms, {1, 2, 3});
  EXPECT_TRUE(FilesIn(folder).empty());
  int data[2] = {};
  cclGroupStart();
  cclAllReduce(data, data, 1, cclInt, cclSum, ranks.comms[0], nullptr);
  cclAllReduce(data, data, 2, cclInt, cclSum, ranks.comms[1], nullptr);
  EXPECT_EQ(cclGroupEnd(), cclInvalidUsage);
  const std::vector<std::string> files = FilesIn(folder);
  EXPECT_EQ(files.size(), 3u);
  EXPECT_THAT(files, Each(AllOf(HasSubstr("\"why\": \"error\""), HasSubstr("ranks call different operations"),
                                HasSubstr("\"state\": \"completed\""))));
}

TEST(Dumps, ADeadlockIsWrittenWithWhatWaits) {
  const TemporaryFolder folder;
  Ranks ranks(2, "emulated:crossbar", ConfigFor(folder));
  int data = 0;
  cclRecv(&data, 1, cclInt, 1, ranks.comms[0], nullptr);
  EXPECT_EQ(cclCommSynchronize(ranks.comms[0]), cclInvalidUsage);
  const std::vector<std::string> files = FilesIn(folder);  // of the rank that fails
  EXPECT_EQ(files.size(), 1u);
  EXPECT_THAT(files, Each(AllOf(HasSubstr("deadlock"), HasSubstr("\"waits\": \"rank 0 in point-to-point: "
                                                               "receive from 1"))));
}

// What a program does itself is no failure.
TEST(Dumps, DestroyAndAbortWriteNothing) {
  const TemporaryFolder folder;
  {
    Ranks ranks(2, "emulated:crossbar", ConfigFor(folder));
    int data = 0;
    cclRecv(&data, 1, cclInt, 1, ranks.comms[0], nullptr);
    EXPECT_EQ(cclCommRevoke(ranks.comms[0], 0), cclSuccess);
    EXPECT_EQ(cclCommAbort(ranks.comms[1]), cclSuccess);
    ranks.comms[1] = nullptr;
  }
  EXPECT_TRUE(FilesIn(folder).empty());
}

int seen = 0;
void Count(int) { ++seen; }

TEST(Dumps, ASignalWritesAllAndThenIsTheProgramsAgain) {
  const TemporaryFolder folder;
  seen = 0;
  signal(SIGUSR2, Count);
  {
    Ranks ranks(2, "emulated:crossbar", ConfigFor(folder, SIGUSR2));
    Sums(ranks.comms, {1, 2});
    const auto wait = [&](auto until) {
      for (int i = 0; i < 1000 && !until(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    };
    raise(SIGUSR2);
    const auto all = [&] {
      const std::vector<std::string> files = FilesIn(folder);
      return files.size() == 2 && files[0].ends_with("]}\n") && files[1].ends_with("]}\n");
    };
    wait(all);
    EXPECT_TRUE(all());
    EXPECT_THAT(FilesIn(folder), Each(AllOf(HasSubstr("\"why\": \"signal USR2\""), HasSubstr("allreduce"))));
    EXPECT_EQ(seen, 0);
    // Anew, with what has been done since; and it disturbs nothing.
    EXPECT_EQ(Sums(ranks.comms, {3, 4}), std::vector<int>(2, 7));
    raise(SIGUSR2);
    const auto anew = [&] {
      const std::vector<std::string> files = FilesIn(folder);
      return files[0].find("\"sequence\": 2") != std::string::npos &&
             files[1].find("\"sequence\": 2") != std::string::npos && all();
    };
    wait(anew);
    EXPECT_TRUE(anew());
  }
  raise(SIGUSR2);
  EXPECT_EQ(seen, 1);
  signal(SIGUSR2, SIG_DFL);
}

// Two communicators ask, the first while the process has no descriptor to spare. Whether the program hears the
// signal until the second asks, both write then, and the program hears it again afterwards.
bool IsHeardOnceThereAreDescriptors() {
  const TemporaryFolder folder;
  // A sanitizer that sees a type for the first time takes descriptors to look at it.
  { const Ranks before(1, "emulated:crossbar"); }
  seen = 0;
  signal(SIGUSR2, Count);
  bool right = true;
  {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    const rlimit none{0, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    const Ranks early(1, "emulated:crossbar", ConfigFor(folder, SIGUSR2));
    setrlimit(RLIMIT_NOFILE, &limit);
    raise(SIGUSR2);
    right = right && seen == 1;
    const Ranks late(1, "emulated:crossbar", ConfigFor(folder, SIGUSR2));
    raise(SIGUSR2);
    for (int i = 0; i < 1000 && FilesIn(folder).size() < 2; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    right = right && FilesIn(folder).size() == 2 && seen == 1;
  }
  raise(SIGUSR2);
  return right && seen == 2;
}

// In a process of its own: the pipe of the first who has asked stays.
TEST(Dumps, ASignalIsHeardOnceThereAreDescriptors) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(std::exit(IsHeardOnceThereAreDescriptors() ? 0 : 1), testing::ExitedWithCode(0), "");
}

TEST(Dumps, WhatCannotBeWrittenIsAnErrorAtOnce) {
  const TemporaryFolder folder;
  const auto expect = [](cclConfig_t config, const char* text) {
    cclComm_t comm = nullptr;
    config.backend = "emulated:crossbar";
    EXPECT_EQ(cclCommInitAllConfig(&comm, 1, nullptr, &config), cclInvalidArgument);
    EXPECT_THAT(Said(), HasSubstr(text));
  };
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.flightFolder = "/no/such/folder";
  expect(config, "'/no/such/folder': it is no folder to write to");
  expect(ConfigFor(folder, SIGKILL), "flightSignal is 9");
  config.flightFolder = nullptr;
  config.flightSignal = SIGUSR1;
  expect(config, "flightFolder (CCL_FLIGHT_FOLDER) says not where");
}

}  // namespace
