#ifndef TESTS_API_RANKS_H_
#define TESTS_API_RANKS_H_

#include <string>
#include <vector>

#include "ccl/ccl.h"
#include "gtest/gtest.h"

namespace ccl_test {

// All ranks of an emulated world, driven by this thread.
struct Ranks {
  explicit Ranks(int n, const char* backend = "emulated:crossbar", cclConfig_t config = CCL_CONFIG_INITIALIZER)
      : comms(static_cast<size_t>(n)) {
    config.backend = backend;
    EXPECT_EQ(cclCommInitAllConfig(comms.data(), n, nullptr, &config), cclSuccess)
        << cclGetLastError(nullptr);
  }
  ~Ranks() {
    for (cclComm_t comm : comms) cclCommDestroy(comm);
  }
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  std::vector<cclComm_t> comms;
};

inline std::string Said() { return cclGetLastError(nullptr); }

// Every rank's `in` summed over its communicator; null ones take no part.
inline std::vector<int> Sums(const std::vector<cclComm_t>& comms, const std::vector<int>& in) {
  std::vector<int> out(in.size(), -1);
  EXPECT_EQ(cclGroupStart(), cclSuccess);
  for (size_t r = 0; r < comms.size(); ++r) {
    if (comms[r] == nullptr) continue;
    EXPECT_EQ(cclAllReduce(&in[r], &out[r], 1, cclInt, cclSum, comms[r], nullptr), cclSuccess) << Said();
  }
  EXPECT_EQ(cclGroupEnd(), cclSuccess) << Said();
  for (cclComm_t comm : comms) {
    if (comm == nullptr) continue;
    EXPECT_EQ(cclCommSynchronize(comm), cclSuccess) << Said();
  }
  return out;
}

// Splits all of `comms` in one group; `color` and `key` are asked for the place in the list.
template <typename Color, typename Key>
std::vector<cclComm_t> Split(const std::vector<cclComm_t>& comms, Color color, Key key) {
  std::vector<cclComm_t> parts(comms.size());
  EXPECT_EQ(cclGroupStart(), cclSuccess);
  for (size_t r = 0; r < comms.size(); ++r) {
    const int rank = static_cast<int>(r);
    EXPECT_EQ(cclCommSplit(comms[r], color(rank), key(rank), &parts[r], nullptr), cclSuccess) << Said();
  }
  EXPECT_EQ(cclGroupEnd(), cclSuccess) << Said();
  return parts;
}

inline int RankOf(cclComm_t comm) {
  int rank = -1;
  EXPECT_EQ(cclCommUserRank(comm, &rank), cclSuccess) << Said();
  return rank;
}

inline int CountOf(cclComm_t comm) {
  int count = -1;
  EXPECT_EQ(cclCommCount(comm, &count), cclSuccess) << Said();
  return count;
}

}  // namespace ccl_test

#endif  // TESTS_API_RANKS_H_
