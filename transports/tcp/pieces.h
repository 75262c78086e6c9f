// Bytes of an operation as lists of memory for the system's calls.
#ifndef TRANSPORTS_TCP_PIECES_H_
#define TRANSPORTS_TCP_PIECES_H_

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ccl::tcp {

// Bytes [offset, offset + count) of `pieces`, in at most `room` entries. Returns how many there are.
template <typename P>
int Spread(const std::vector<P>& pieces, uint64_t offset, uint64_t count, iovec* out, int room) {
  int used = 0;
  for (const P& piece : pieces) {
    if (count == 0 || used == room) break;
    if (offset >= piece.bytes) {
      offset -= piece.bytes;
      continue;
    }
    const uint64_t run = std::min<uint64_t>(count, piece.bytes - offset);
    const std::byte* const from = static_cast<const std::byte*>(piece.data) + offset;
    out[used++] = {const_cast<std::byte*>(from), run};
    offset = 0;
    count -= run;
  }
  return used;
}

}  // namespace ccl::tcp

#endif  // TRANSPORTS_TCP_PIECES_H_
