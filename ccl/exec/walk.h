#ifndef CCL_EXEC_WALK_H_
#define CCL_EXEC_WALK_H_

#include <cstddef>

#include "absl/types/span.h"
#include "ccl/backend/backend.h"

namespace ccl {

// Goes through a list of pieces: those of several lists of equal total length in common runs.
class Walk {
 public:
  explicit Walk(absl::Span<const ConstPiece> pieces, size_t offset = 0) : pieces_(pieces) {
    for (; at_ < pieces_.size() && offset >= pieces_[at_].bytes; ++at_) offset -= pieces_[at_].bytes;
    used_ = offset;
    Skip();
  }
  bool done() const { return at_ == pieces_.size(); }
  size_t run() const { return pieces_[at_].bytes - used_; }
  const char* data() const { return static_cast<const char*>(pieces_[at_].data) + used_; }
  void Take(size_t bytes) {
    used_ += bytes;
    Skip();
  }

 private:
  void Skip() {
    while (at_ < pieces_.size() && used_ == pieces_[at_].bytes) ++at_, used_ = 0;
  }
  absl::Span<const ConstPiece> pieces_;
  size_t at_ = 0, used_ = 0;
};

}  // namespace ccl

#endif  // CCL_EXEC_WALK_H_
