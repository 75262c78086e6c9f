// Streams of a device: what is queued runs in the order of the calls, whatever communicators it is for.
#ifndef CCL_BINDINGS_RUNTIME_QUEUE_H_
#define CCL_BINDINGS_RUNTIME_QUEUE_H_

#include <atomic>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "ccl/bindings/runtime/handles.h"
#include "ccl/ccl.h"

namespace ccl::bindings {

// A stream of the library belongs to one communicator; a queue has one for each communicator that it
// has been used with, and an event between two when the communicator changes. Thread-safe.
class Queue {
 public:
  // A `blocking` one is waited for by whatever waits for its device.
  Queue(int device, bool blocking) : device_(device), blocking_(blocking) {}
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  int device() const { return device_; }
  bool blocking() const { return blocking_; }

  // The stream that takes the next operation of `comm`. Where it follows work of another world, it
  // waits for that here and now, which cannot be in a group: cclInvalidUsage.
  cclResult_t StreamFor(cclComm_t comm, cclStream_t* stream);
  // The stream that was used last, else one of the communicator that was made last on the device; null
  // when there is none: then nothing is queued, and what is asked for is done at once.
  cclResult_t LastStream(cclComm_t* comm, cclStream_t* stream);

  // Blocks until everything has been done, or returns the error that keeps it from being done.
  cclResult_t Wait();
  // cclInProgress or cclSuccess. Counts as waiting in virtual time. What a failed communicator has
  // queued is in progress until the communicator ends.
  cclResult_t Poll();
  // In the order of the queue. `function` calls nothing of the library.
  cclResult_t Call(cclHostFn_t function, void* argument);
  cclResult_t Copy(void* to, const void* from, size_t bytes);
  cclResult_t Set(void* to, int value, size_t bytes);

  // Takes the streams of `comm` out of all queues, for the caller to destroy after the communicator.
  static std::vector<cclStream_t> Leave(cclComm_t comm);

 private:
  struct Lane {
    cclComm_t comm;
    cclStream_t stream;
  };
  // A piece of memory to be written; kept until that is done.
  struct Task {
    void* to;
    const void* from;  // null: `value` is written
    int value;
    size_t bytes;
    std::atomic<bool> done{false};
    static void Run(void* task);
  };

  cclResult_t Add(std::unique_ptr<Task> task);
  int LaneOf(cclComm_t comm);                   // or -1
  cclResult_t NewLane(cclComm_t comm, int* lane);
  cclResult_t Follow(const Lane& before, const Lane& next);

  const int device_;
  const bool blocking_;
  std::mutex mutex_;
  std::vector<Lane> lanes_;
  int last_ = -1;  // of lanes_: whose work is the newest
  std::list<std::unique_ptr<Task>> tasks_;
};

// Those with handles.
Handles<Queue>& Queues();
// That of a handle, or for the null handle that of the device; null for what is no handle.
std::shared_ptr<Queue> QueueOf(const void* handle, int device);
// The stream that takes the next operation of `comm` on the queue of a handle, for the null handle on
// that of the communicator's device. Of what is no communicator it is null: the library says what it is.
cclResult_t StreamOf(cclComm_t comm, const void* handle, cclStream_t* stream);
// Waits for all queues of the device that are blocking, or for all. Inside a group, where nothing can be
// waited for, cclInvalidUsage unless they are empty.
cclResult_t WaitForDevice(int device, bool all);

}  // namespace ccl::bindings

#endif  // CCL_BINDINGS_RUNTIME_QUEUE_H_
