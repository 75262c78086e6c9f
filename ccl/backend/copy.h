#ifndef CCL_BACKEND_COPY_H_
#define CCL_BACKEND_COPY_H_

#include <cstddef>

namespace ccl {

// std::memmove, and as fast where the two do not overlap. On processors that are said to move strings fast (erms) libc
// leaves it to them from some 2 KiB up, and among these are some, Zen 3 and 4, that move one byte a cycle when
// the destination begins up to 31 bytes behind the source modulo 4 KiB: what malloc gives for large blocks
// begins 16 bytes behind a page, and what ranks share at one. What copies messages copies by this.
void Copy(void* to, const void* from, size_t bytes);

}  // namespace ccl

#endif  // CCL_BACKEND_COPY_H_
