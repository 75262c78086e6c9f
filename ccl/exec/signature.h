#ifndef CCL_EXEC_SIGNATURE_H_
#define CCL_EXEC_SIGNATURE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ccl/exec/gathering.h"
#include "ccl/exec/scope.h"

namespace ccl {

// What all ranks of a communicator say alike of one collective. Plain bytes: it travels. Of v-forms of
// which a rank knows its own rows only, counts are compared where they meet, by message.
struct Signature {
  uint64_t sequence = 0;  // of the communicator's collectives, from 1
  uint64_t count = 0;     // of a v-form whose counts all ranks know: of all blocks
  uint64_t lengths = 0;   // of these blocks, hashed; else 0
  int32_t collective = 0, type = 0, op = 0, root = 0;  // op: ReduceOp, or a number for a custom one
  char algorithm[24] = {};

  std::string ToString() const;  // "allreduce #3 of 100 float32, sum, by ring"
  friend bool operator==(const Signature& a, const Signature& b);
};

Signature SignatureOf(uint64_t sequence, const Request& request, absl::string_view algorithm);
// The error of two ranks that disagree.
absl::Status Mismatch(int a, const Signature& of_a, int b, const Signature& of_b);

// Signatures of a communicator whose ranks are in one process. Thread-safe.
class Ledger {
 public:
  explicit Ledger(int ranks) : ranks_(ranks) {}

  // OK, or the disagreement with the first rank that has called this operation.
  absl::Status Enter(int rank, const Signature& signature);
  // The call is taken back.
  void TakeBack(uint64_t sequence);

 private:
  struct Entry {
    Signature signature;
    int first = 0;    // the rank that it is of
    int entered = 0;  // ranks
  };
  Entry& EntryOf(uint64_t sequence);
  void Trim();

  const int ranks_;
  std::mutex mutex_;
  uint64_t begin_ = 1;          // the sequence of the first entry
  std::deque<Entry> entries_;
};

// Work of ranks in processes of their own, which starts when all have said the same of it; else it
// never does, and the scope fails. Costs an allgather of signatures, `program`, before the operation.
std::unique_ptr<Work> MakeChecked(std::unique_ptr<Work> work, std::shared_ptr<const Program> program,
                                  int rank, uint32_t context, RankMap map, const Signature& signature,
                                  std::shared_ptr<Scope> scope);

}  // namespace ccl

#endif  // CCL_EXEC_SIGNATURE_H_
