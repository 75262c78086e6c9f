#ifndef TRANSPORTS_EMULATED_PIECES_H_
#define TRANSPORTS_EMULATED_PIECES_H_

#include "absl/types/span.h"
#include "ccl/backend/backend.h"

namespace ccl {

// Copies as much as both lists hold. Memory that is in both is at the same place in both.
void CopyPieces(absl::Span<const ConstPiece> from, absl::Span<const Piece> to);

}  // namespace ccl

#endif  // TRANSPORTS_EMULATED_PIECES_H_
