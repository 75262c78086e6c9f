#ifndef BENCH_PROOF_H_
#define BENCH_PROOF_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "ccl/base/types.h"
#include "ccl/schedule/verify.h"

// What `cclbench verify` proves: the catalogue at one number of ranks after the other.
namespace ccl {

struct ProofScope {
  int first = 1, last = 1;           // numbers of ranks
  std::set<std::string> algorithms;  // by name, "hier" for compositions; empty: all
  // Root 0, one slice, out of place, no races, and one grouping whose groups are equal.
  bool quick = false;
  int jobs = 1;  // threads
};

struct Tally {
  uint64_t programs = 0, messages = 0, moves = 0;
  FoldOrder weakest = FoldOrder::kOneFold;

  void Add(const Tally& other);
};
// By collective and algorithm.
using ProofTable = std::map<std::pair<Collective, std::string>, Tally>;

// A unit of work: everything that a collective does at one number of ranks.
struct ProofUnit {
  int ranks = 1;
  Collective collective = Collective::kAllReduce;
};
// All units of a scope, the most work first.
std::vector<ProofUnit> ProofUnits(const ProofScope& scope);

// What was proved, or Internal with the first program found wrong.
absl::StatusOr<ProofTable> ProveUnit(const ProofUnit& unit, const ProofScope& scope);

// All units on scope.jobs threads. The result does not depend on how many there are: when several
// units fail, the error is that of the first in the order of ProofUnits, and what comes after it is
// left out. Says how far it is on stderr when `progress`.
absl::StatusOr<ProofTable> ProveAll(const ProofScope& scope, bool progress);

}  // namespace ccl

#endif  // BENCH_PROOF_H_
