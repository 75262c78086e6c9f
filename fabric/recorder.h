// Keeps what passed every port: sums, and if asked every passage in a file.
#ifndef FABRIC_RECORDER_H_
#define FABRIC_RECORDER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "fabric/network.h"
#include "fabric/observer.h"
#include "fabric/trace_file.h"

namespace fabric {

// What has passed a port so far.
struct PortUsage {
  int64_t bytes = 0;         // on the wire
  int64_t passages = 0;      // messages, or pieces of them where they took turns
  int64_t most_waiting = 0;  // bytes at once
  double waiting = 0;        // bytes x ps: over the time it is the mean queue
};

// Not thread-safe. The network outlives it.
class Recorder final : public Observer {
 public:
  explicit Recorder(const Network& network);
  // Also to a file, from now on.
  void WriteTo(std::unique_ptr<TraceFile> trace) { trace_ = std::move(trace); }
  // When nothing is under way; `now` is the simulator's.
  const std::vector<PortUsage>& Usage(Time now);
  // Ends the file. An error says why it is not whole.
  absl::Status Close();

  void Entered(uint32_t message, int src, int dst) override;
  void Booked(uint32_t port, uint32_t message, int64_t bytes, Time begin, Time end) override;
  void TakenBack(uint32_t port, uint32_t message, int64_t bytes) override;
  void Waiting(uint32_t port, int64_t change, Time now) override;
  void Worked(int endpoint, int64_t bytes, Time begin, Time end) override;

 private:
  struct Booking {
    uint32_t port;
    int64_t bytes;
    Time begin, end;
  };
  // By its number; until the next one takes that, its bookings may be taken back.
  struct Message {
    int src, dst;
    std::vector<Booking> bookings;
  };
  struct Queue {
    int64_t bytes = 0;
    Time since = 0;
  };

  void Count(Message& message);
  void SumWaiting(uint32_t port, Time now);

  std::vector<Message> messages_;
  std::vector<Queue> queues_;
  std::vector<PortUsage> usage_;
  std::unique_ptr<TraceFile> trace_;
};

}  // namespace fabric

#endif  // FABRIC_RECORDER_H_
