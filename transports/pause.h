// What waiting for another core's writes needs of a processor.
#ifndef TRANSPORTS_PAUSE_H_
#define TRANSPORTS_PAUSE_H_

namespace ccl {

// Between two looks at memory that another core writes.
inline void Pause() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

// Fetches a line that is to be written soon, away from whoever has it. Without this a write to a line that another
// core has read takes two passages between the cores before it is seen there, not one.
inline void PrefetchToWrite(const void* line) {
#ifdef __x86_64__
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(line)));
#else
  __builtin_prefetch(line, 1);
#endif
}

}  // namespace ccl

#endif  // TRANSPORTS_PAUSE_H_
