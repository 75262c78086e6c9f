// Communicators of communicators, for programs that are drawn from a seed.
#ifndef TESTS_API_PARTS_H_
#define TESTS_API_PARTS_H_

#include <random>
#include <vector>

#include "ccl/ccl.h"
#include "tests/api/check.h"

namespace ccl_test {

// A communicator that this rank is in, with two streams, the first of them its own.
struct Part {
  cclComm_t comm = nullptr;
  cclStream_t streams[2] = {};
  int ranks = 0, rank = 0;
  unsigned number = 0;  // equal on all of its ranks, another one for each
};

// Those of one rank: of all ranks, of some of those, and so on. All ranks have as many, drawn alike.
class Parts {
 public:
  Parts(cclComm_t world, unsigned seed) : seed_(seed) {
    int rank = 0;
    CHECK_CCL(cclCommUserRank(world, &rank));
    cclComm_t own = nullptr;
    CHECK_CCL(cclCommSplit(world, 0, rank, &own, nullptr));
    Add(own, 1);
    for (unsigned depth = 0; depth < 3; ++depth) Split(depth);
  }
  ~Parts() {
    for (const Part& part : parts_) {
      CHECK_CCL(cclStreamDestroy(part.streams[1]));
      CHECK_CCL(cclCommDestroy(part.comm));
    }
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  const std::vector<Part>& all() const { return parts_; }

 private:
  void Add(cclComm_t comm, unsigned number) {
    Part part;
    part.comm = comm;
    part.number = number;
    CHECK_CCL(cclCommCount(comm, &part.ranks));
    CHECK_CCL(cclCommUserRank(comm, &part.rank));
    CHECK_CCL(cclStreamCreate(comm, &part.streams[1]));
    parts_.push_back(part);
  }

  // Of the last communicator, by colors and keys that hang on its number.
  void Split(unsigned depth) {
    const Part parent = parts_.back();
    std::mt19937 random(seed_ * 7919 + depth * 101 + parent.number);
    std::vector<int> colors, keys;
    for (int r = 0; r < parent.ranks; ++r) {
      colors.push_back(static_cast<int>(random() % (depth == 0 ? 5 : 2) / (depth == 0 ? 4 : 1)));
      keys.push_back(static_cast<int>(random() % 5));
    }
    const size_t own = static_cast<size_t>(parent.rank);
    cclComm_t made = nullptr;
    CHECK_CCL(cclCommSplit(parent.comm, colors[own], keys[own], &made, nullptr));
    Add(made, parent.number * 2 + static_cast<unsigned>(colors[own]));
  }

  const unsigned seed_;
  std::vector<Part> parts_;
};

}  // namespace ccl_test

#endif  // TESTS_API_PARTS_H_
