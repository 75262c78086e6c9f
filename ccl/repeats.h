// What a communicator knows of calls that it has had before: the next of their kind costs little.
#ifndef CCL_REPEATS_H_
#define CCL_REPEATS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ccl/exec/execution.h"
#include "ccl/plan/planner.h"

namespace ccl {

// What a call asks of its buffers.
struct BufferRules {
  uint64_t in = 0, out = 0;  // bytes that the rank has; 0: the pointer is not looked at
  bool in_place = false;     // they may overlap, when the input begins
  int64_t behind = 0;        // so many bytes behind the output

  // Of a valid request without blocks.
  static BufferRules Of(const Request& request, int rank, int ranks);
  // Whether the buffers overlap, and not as in place.
  bool Clash(const void* a, const void* b) const {
    if (in == 0 || out == 0) return false;
    const char* const from = static_cast<const char*>(a);
    const char* const to = static_cast<const char*>(b);
    if (from + in <= to || to + out <= from) return false;
    return !in_place || from - to != behind;
  }
  bool Fit(const void* a, const void* b) const {
    return (in == 0 || a != nullptr) && (out == 0 || b != nullptr) && !Clash(a, b);
  }
};

// The last kinds of call of a communicator that can run again as they are. Used by who calls it, but for
// the shelves.
class Repeats {
 public:
  struct Call {
    Request request;  // of the first; pointers apart
    Choice choice;
    BufferRules rules;
    std::shared_ptr<const Plan> plan;
    std::shared_ptr<Shelf> shelf;
  };

  // Null: unknown.
  Call* Find(const PlainRequest& request, const Choice& choice) {
    for (Call& call : calls_) {
      const Request& known = call.request;
      if (known.collective == request.collective && known.count == request.count &&
          known.type == request.type && known.op == request.op && known.root == request.root &&
          call.choice == choice) {
        return &call;
      }
    }
    return nullptr;
  }
  // One that has not been found, in the place of an older one. Under the lock of the shelves' engine,
  // like all below.
  Call& Add(const Request& request, const Choice& choice, BufferRules rules, std::shared_ptr<const Plan> plan);
  // What is on the shelves.
  uint64_t memory() const;
  // Destroys what is on the shelves, and later what is under way, when it has ended.
  void Close();

 private:
  static constexpr size_t kMost = 8;
  std::vector<Call> calls_;
  size_t next_ = 0;
};

}  // namespace ccl

#endif  // CCL_REPEATS_H_
