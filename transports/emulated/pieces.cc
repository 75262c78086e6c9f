#include "transports/emulated/pieces.h"

#include <algorithm>

#include "ccl/backend/copy.h"

namespace ccl {

void CopyPieces(absl::Span<const ConstPiece> from, absl::Span<const Piece> to) {
  size_t at = 0, used = 0;  // in the list of sources
  for (const Piece& piece : to) {
    for (size_t filled = 0; filled < piece.bytes && at < from.size();) {
      const size_t n = std::min(piece.bytes - filled, from[at].bytes - used);
      char* const target = static_cast<char*>(piece.data) + filled;
      const char* const source = static_cast<const char*>(from[at].data) + used;
      if (n > 0 && target != source) Copy(target, source, n);
      filled += n;
      used += n;
      if (used == from[at].bytes) ++at, used = 0;
    }
  }
}

}  // namespace ccl
