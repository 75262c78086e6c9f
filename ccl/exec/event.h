#ifndef CCL_EXEC_EVENT_H_
#define CCL_EXEC_EVENT_H_

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "ccl/exec/execution.h"

namespace ccl {

// A point in a stream that others can wait for and read the time of. It may be recorded again: what
// counts is the last recording asked for. Written under one engine's lock but for `asked`.
struct Event {
  std::atomic<uint64_t> asked{0};  // recordings
  std::atomic<uint64_t> done{0};   // the last one that has been reached, or that never will be
  std::atomic<Time> time{-1};      // of it; -1: none
  struct Waiting {
    uint64_t recording;
    uint64_t token;
    std::vector<uint64_t>* ready;  // of the engine
  };
  std::vector<Waiting> waiting;
};

// The work that reaches an event's next recording.
std::unique_ptr<Work> MakeRecord(std::shared_ptr<Event> event, int rank);
// The work that ends when the last recording asked for by now has been reached.
std::unique_ptr<Work> MakeAwait(std::shared_ptr<Event> event, int rank);
// The work that calls a function of the user's, on whichever thread drives the engine, under its
// lock: the world stands still meanwhile.
std::unique_ptr<Work> MakeHostCall(void (*function)(void*), void* argument, int rank);
// Whether this thread is in such a function.
bool InHostCall();

}  // namespace ccl

#endif  // CCL_EXEC_EVENT_H_
