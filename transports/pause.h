#ifndef TRANSPORTS_PAUSE_H_
#define TRANSPORTS_PAUSE_H_

namespace ccl {

// Between two looks at memory that another core writes.
inline void Pause() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

}  // namespace ccl

#endif  // TRANSPORTS_PAUSE_H_
