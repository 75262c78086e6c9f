#include "ccl/bindings/runtime/queue.h"

#include <cstring>
#include <map>
#include <utility>

#include "ccl/bindings/runtime/communicators.h"
#include "ccl/bindings/runtime/error.h"

namespace ccl::bindings {
namespace {

struct Defaults {
  std::mutex mutex;
  std::map<int, std::shared_ptr<Queue>> queues;
};

Defaults& DefaultQueues() {
  static auto* defaults = new Defaults;
  return *defaults;
}

std::vector<std::shared_ptr<Queue>> AllQueues() {
  std::vector<std::shared_ptr<Queue>> all = Queues().All();
  Defaults& defaults = DefaultQueues();
  std::lock_guard<std::mutex> lock(defaults.mutex);
  for (const auto& [device, queue] : defaults.queues) all.push_back(queue);
  return all;
}

}  // namespace

Handles<Queue>& Queues() {
  static auto* queues = new Handles<Queue>;
  return *queues;
}

std::shared_ptr<Queue> QueueOf(const void* handle, int device) {
  if (handle != nullptr) return Queues().Find(handle);
  Defaults& defaults = DefaultQueues();
  std::lock_guard<std::mutex> lock(defaults.mutex);
  std::shared_ptr<Queue>& queue = defaults.queues[device];
  if (queue == nullptr) queue = std::make_shared<Queue>(device, true);
  return queue;
}

cclResult_t StreamOf(cclComm_t comm, const void* handle, cclStream_t* stream) {
  *stream = nullptr;
  const Standing standing = StandingOf(comm);
  if (standing.device < 0) return cclSuccess;
  const std::shared_ptr<Queue> queue = QueueOf(handle, standing.device);
  if (queue == nullptr) return Refuse(cclInvalidArgument, "the stream is not one, or has been destroyed");
  return queue->StreamFor(comm, stream);
}

cclResult_t WaitForDevice(int device, bool all) {
  cclResult_t first = cclSuccess;
  for (const std::shared_ptr<Queue>& queue : AllQueues()) {
    if (queue->device() != device || !(all || queue->blocking())) continue;
    const cclResult_t result = queue->Wait();
    if (first == cclSuccess) first = result;
  }
  return first;
}

Queue::~Queue() {
  for (const Lane& lane : lanes_) cclStreamDestroy(lane.stream);
}

int Queue::LaneOf(cclComm_t comm) {
  for (size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].comm == comm) return static_cast<int>(i);
  }
  return -1;
}

cclResult_t Queue::NewLane(cclComm_t comm, int* lane) {
  cclStream_t stream = nullptr;
  if (const cclResult_t result = Note(cclStreamCreate(comm, &stream)); result != cclSuccess) return result;
  *lane = static_cast<int>(lanes_.size());
  lanes_.push_back({comm, stream});
  return cclSuccess;
}

cclResult_t Queue::Follow(const Lane& before, const Lane& next) {
  if (StandingOf(before.comm).family != StandingOf(next.comm).family) {
    const cclResult_t state = cclStreamQuery(before.stream);
    return state == cclInProgress ? Note(cclStreamSynchronize(before.stream)) : Note(state);
  }
  cclEvent_t event = nullptr;
  cclResult_t result = cclEventCreate(&event);
  if (result == cclSuccess) result = cclEventRecord(event, before.comm, before.stream);
  if (result == cclSuccess) result = cclStreamWaitEvent(next.comm, next.stream, event);
  Note(result);
  cclEventDestroy(event);
  return result;
}

cclResult_t Queue::StreamFor(cclComm_t comm, cclStream_t* stream) {
  std::lock_guard<std::mutex> lock(mutex_);
  int lane = LaneOf(comm);
  if (lane < 0) {
    if (const cclResult_t result = NewLane(comm, &lane); result != cclSuccess) return result;
  }
  // After what was queued last, and after whatever a group that did not start left unchained.
  for (int before = 0; before < static_cast<int>(lanes_.size()); ++before) {
    const Lane& other = lanes_[static_cast<size_t>(before)];
    if (before == lane || (before != last_ && cclStreamQuery(other.stream) != cclInProgress)) continue;
    const cclResult_t result = Follow(other, lanes_[static_cast<size_t>(lane)]);
    if (result != cclSuccess) return result;
  }
  last_ = lane;
  *stream = lanes_[static_cast<size_t>(lane)].stream;
  return cclSuccess;
}

cclResult_t Queue::LastStream(cclComm_t* comm, cclStream_t* stream) {
  std::lock_guard<std::mutex> lock(mutex_);
  *comm = nullptr, *stream = nullptr;
  if (last_ < 0) {
    cclComm_t latest = LatestOn(device_);
    if (latest == nullptr) return cclSuccess;
    int lane = LaneOf(latest);
    if (lane < 0) {
      if (const cclResult_t result = NewLane(latest, &lane); result != cclSuccess) return result;
    }
    last_ = lane;
  }
  const Lane& lane = lanes_[static_cast<size_t>(last_)];
  *comm = lane.comm, *stream = lane.stream;
  return cclSuccess;
}

// Waiting is done without the lock: another thread may end the communicator meanwhile.
cclResult_t Queue::Wait() {
  std::vector<cclStream_t> streams;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const Lane& lane : lanes_) {
      if (cclStreamQuery(lane.stream) != cclSuccess) streams.push_back(lane.stream);
    }
  }
  cclResult_t first = cclSuccess;
  for (cclStream_t stream : streams) {
    const cclResult_t result = Note(cclStreamSynchronize(stream));
    if (first == cclSuccess) first = result;
  }
  return first;
}

cclResult_t Queue::Poll() {
  std::lock_guard<std::mutex> lock(mutex_);
  for (const Lane& lane : lanes_) {
    if (cclStreamQuery(lane.stream) == cclSuccess) continue;
    if (Note(cclStreamPoll(lane.stream)) != cclSuccess) return cclInProgress;
  }
  return cclSuccess;
}

cclResult_t Queue::Call(cclHostFn_t function, void* argument) {
  cclComm_t comm = nullptr;
  cclStream_t stream = nullptr;
  if (const cclResult_t result = LastStream(&comm, &stream); result != cclSuccess) return result;
  if (stream != nullptr) return Note(cclLaunchHostFunc(comm, stream, function, argument));
  function(argument);
  return cclSuccess;
}

void Queue::Task::Run(void* task) {
  auto& t = *static_cast<Task*>(task);
  if (t.from != nullptr) {
    std::memmove(t.to, t.from, t.bytes);
  } else {
    std::memset(t.to, t.value, t.bytes);
  }
  t.done = true;
}

cclResult_t Queue::Add(std::unique_ptr<Task> task) {
  Task* added = task.get();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    while (!tasks_.empty() && tasks_.front()->done) tasks_.pop_front();
    tasks_.push_back(std::move(task));
  }
  return Call(Task::Run, added);
}

cclResult_t Queue::Copy(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return cclSuccess;
  if (to == nullptr || from == nullptr) return Refuse(cclInvalidArgument, "a copy from or to a null pointer");
  return Add(std::unique_ptr<Task>(new Task{to, from, 0, bytes}));
}

cclResult_t Queue::Set(void* to, int value, size_t bytes) {
  if (bytes == 0) return cclSuccess;
  if (to == nullptr) return Refuse(cclInvalidArgument, "a null pointer is to be filled");
  return Add(std::unique_ptr<Task>(new Task{to, nullptr, value, bytes}));
}

std::vector<cclStream_t> Queue::Leave(cclComm_t comm) {
  std::vector<cclStream_t> streams;
  for (const std::shared_ptr<Queue>& queue : AllQueues()) {
    std::lock_guard<std::mutex> lock(queue->mutex_);
    const int lane = queue->LaneOf(comm);
    if (lane < 0) continue;
    streams.push_back(queue->lanes_[static_cast<size_t>(lane)].stream);
    queue->lanes_.erase(queue->lanes_.begin() + lane);
    if (queue->last_ == lane) queue->last_ = -1;
    if (queue->last_ > lane) --queue->last_;
  }
  return streams;
}

}  // namespace ccl::bindings
